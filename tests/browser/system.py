"""`make up BREAK=1` as the process that it is, on free ports and in a place of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from console.security import TOKEN_HEADER
from infra.local_system.addresses import addresses, breaking_socket, console_address
from infra.local_system.settings import LocalSettings
from local.probes import health_of
from local.process_table import console_process, our_processes
from verification.testkit.launcher import running_up
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import eventually


@dataclass(frozen=True)
class Running:
    """`http` asks the console as its page does; `log` is what the terminal would show."""

    settings: LocalSettings
    http: httpx.Client
    log: Path

    @property
    def url(self) -> str:
        return console_address(self.settings)

    def breaking(self, what: str, **order: bool | str) -> None:
        """Break something, or mend it, past the page: processes/NAME, bus or poison."""
        self.http.post(f"/api/breaking/{what}", json=order).raise_for_status()

    def order(self) -> str:
        """Subscribe past the page; returns the subscription's id."""
        exchange = self.http.post("/api/try/subscriptions", json=ORDER).json()
        subscription_id: str = exchange["subscriptionId"]
        return subscription_id

    def erase(self, subscription_id: str) -> None:
        base = addresses(self.settings)["subscription"]
        httpx.post(f"{base}/subscriptions/{subscription_id}/erasure").raise_for_status()

    def cancel_payment(self, subscription_id: str) -> None:
        answer = self.http.post(f"/api/try/payments/{subscription_id}/cancel").json()
        assert answer["response"]["status"] == httpx.codes.OK, answer

    def until_settled(self, subscription_id: str) -> None:
        """Return when everything that was to happen to a subscription has happened."""

        def settled() -> bool:
            answer = self.http.get(f"/api/subscriptions/{subscription_id}")
            return answer.status_code == httpx.codes.OK and not answer.json()["missing"]

        eventually(settled, timeout=60, what=f"the end of {subscription_id}", every=0.2)

    def states(self, subscription_id: str) -> dict[str, Any]:
        """What each service answers about a subscription."""
        answer = self.http.get(f"/api/subscriptions/{subscription_id}").json()
        return {name: state["body"] for name, state in answer["states"].items()}

    def drop_all(self, queue: str) -> None:
        """Drop every letter of a dead-letter queue, if it has any, past the page."""
        shown = self.http.post("/api/dead-letters/preview", json={"queue": queue}).json()
        if "preview" in shown:
            confirmed = {"preview": shown["preview"], "confirm": "drop"}
            self.http.post("/api/dead-letters/drop", json=confirmed).raise_for_status()


ORDER = {
    "accountNumber": "87654321",
    "accountName": "G Hopper",
    "accountSortCode": "65-43-21",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
    "quantity": 3,
}


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Run everything until the block ends; state and log are in `folder`.

    Nothing of it may be left then, not even of what was stopped and never started again.
    """
    with settings_on_free_ports(folder / "state") as settings:
        yield from _running(settings, folder / "up.log")


def _running(settings: LocalSettings, log: Path) -> Iterator[Running]:
    with running_up("verification.fault_injection", settings, log) as child:
        eventually(
            lambda: health_of(console_process(settings)).is_ready, timeout=240, what="its console"
        )
        with httpx.Client(base_url=console_address(settings), timeout=30, trust_env=False) as http:
            http.headers[TOKEN_HEADER] = http.get("/api/about").json()["token"]
            system = Running(settings, http, log)
            yield system
            system.breaking("processes/stock-consumer", run=False, kill=True)
    assert child.returncode == 0, log.read_text()
    assert log.read_text().splitlines()[-1] == "stopped"
    assert not breaking_socket(settings).exists()
    left = [*our_processes(settings), console_process(settings)]
    assert not [each.name for each in left if health_of(each).is_ready]
