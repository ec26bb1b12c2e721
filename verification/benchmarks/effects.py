"""When each effect was committed, read from the consumers' own logs: it costs the system nothing.

A consumer writes "handled" as soon as its transaction is through, with the correlation id of the
request that began it all.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from contracts.names import EventType
from verification.benchmarks.journeys import Requests
from verification.benchmarks.whole_system import WholeSystem
from verification.testkit.waiting import NotInTime, wait_until

MEASURED_EFFECTS: Mapping[str, tuple[str, EventType]] = {
    "allocated": ("stock-consumer", EventType.SUBSCRIPTION_CREATED),
    "paid": ("payment-consumer", EventType.SUBSCRIPTION_CREATED),
    "given back": ("stock-consumer", EventType.PAYMENT_CANCELLED),
    "cancelled": ("subscription-consumer", EventType.PAYMENT_CANCELLED),
}
"""By effect: who has it, and what the event is that leads to it."""


class EffectLog:
    """Reads on in the logs; `at` has, by effect, each one's moment by correlation id."""

    def __init__(self, system: WholeSystem) -> None:
        self._logs = {name: system.processes[name].output for name, _ in MEASURED_EFFECTS.values()}
        self._read = dict.fromkeys(self._logs, 0)
        self.at: dict[str, dict[str, float]] = {effect: {} for effect in MEASURED_EFFECTS}

    def read(self) -> None:
        for name in self._logs:
            for line in self._new_lines(name):
                if '"handled"' in line:
                    self._note(name, json.loads(line))

    def wait_for(self, requests: Requests, *, within: float) -> None:
        """Wait until every request has had its effects; raises NotInTime."""

        def is_settled() -> bool:
            self.read()
            return not self.missing(requests)

        if not wait_until(is_settled, within=within, every=0.2):
            raise NotInTime(f"{self.missing(requests)} effects are missing")

    def missing(self, requests: Requests) -> int:
        return sum(
            len(sent.keys() - self.at[effect].keys()) for effect, sent in by_effect(requests)
        )

    def latencies(self, requests: Requests) -> dict[str, list[float]]:
        """By effect, the seconds from each request to it."""
        return {
            effect: [self.at[effect][name] - at for name, at in sent.items()]
            for effect, sent in by_effect(requests)
        }

    def _new_lines(self, name: str) -> Iterator[str]:
        with self._logs[name].open("rb") as log:
            log.seek(self._read[name])
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read[name] += len(whole)
        yield from whole.decode().splitlines()

    def _note(self, name: str, said: Mapping[str, str]) -> None:
        for effect, key in MEASURED_EFFECTS.items():
            if key == (name, said["eventType"]):
                moment = datetime.fromisoformat(said["timestamp"]).timestamp()
                self.at[effect].setdefault(said["correlationId"], moment)


def by_effect(requests: Requests) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Each effect with the requests that lead to it."""
    for effect, (_, event) in MEASURED_EFFECTS.items():
        created = event is EventType.SUBSCRIPTION_CREATED
        yield effect, requests.created if created else requests.cancelled
