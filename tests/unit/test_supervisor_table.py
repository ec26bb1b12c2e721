"""The table of processes against what it must agree with."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from console.settings import ConsoleSettings
from infra.local_system.addresses import DATABASE, audit_file, breaking_socket, port_of
from infra.local_system.auth import CLIENTS
from infra.local_system.settings import LocalSettings
from infra.topology import TOPOLOGY
from local.issuer.settings import IssuerSettings
from local.process import Process
from local.process_table import console_process, our_processes
from operations.databases import DatabaseEnvironment
from operations.settings import LocalEnvironmentSettings
from runtime.http.settings import ApiSettings
from runtime.settings import Settings, load
from tools.reference.routes import apps
from verification.testkit.ports import settings_on_free_ports

NAMED = {
    "_TABLE": {table.name for table in TOPOLOGY.tables},
    "_QUEUE": {queue.name for queue in TOPOLOGY.queues},
    "_BUS": {bus.name for bus in TOPOLOGY.buses},
    "_COLLECTION": {collection.name for collection in TOPOLOGY.collections},
    "_DATABASE": {collection.database for collection in TOPOLOGY.collections},
}


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[LocalSettings]:
    with settings_on_free_ports(tmp_path) as settings:
        yield settings


@pytest.fixture
def processes(settings: LocalSettings) -> list[Process]:
    return our_processes(settings)


def test_every_name_in_an_environment_is_in_the_topology(processes: list[Process]) -> None:
    """Tables, queues, buses, collections and the database are the ones that are provisioned."""
    checked = set()
    for process in processes:
        for variable, value in process.env.items():
            for ending, names in NAMED.items():
                if variable.endswith(ending):
                    assert value in names, f"{process.name}: {variable}"
                    checked.add(ending)
    assert checked == set(NAMED)
    assert DATABASE in NAMED["_DATABASE"]


def test_every_process_waits_for_what_it_uses(processes: list[Process]) -> None:
    """Only the payment API can do without AWS; only the payment side needs mongod."""
    without_aws = {each.name for each in processes if "AWS_ENDPOINT_URL" not in each.env}
    with_mongod = {each.name for each in processes if each.needs_mongod}
    assert without_aws == {"payment-api"}
    assert with_mongod == {"payment-api", "payment-consumer", "payments-change-stream"}


def test_the_variable_of_a_port_moves_it(
    monkeypatch: pytest.MonkeyPatch, processes: list[Process]
) -> None:
    """Whatever a taken port's sentence says to set is a setting, and moves that process."""
    for number, process in enumerate(processes):
        monkeypatch.setenv(process.port_variable, str(20_000 + number))
    monkeypatch.setenv(console_process(LocalSettings()).port_variable, "19999")
    moved = our_processes(LocalSettings())
    assert [process.port for process in moved] == [20_000 + n for n in range(len(processes))]
    assert console_process(LocalSettings()).port == 19_999


def test_tokens_are_required_by_one_setting(
    monkeypatch: pytest.MonkeyPatch, settings: LocalSettings
) -> None:
    """AUTH=1 adds the issuer, and every API takes its tokens alone; without it all is open."""
    monkeypatch.setenv("AUTH", "1")
    enforced = LocalSettings.model_validate(settings.model_dump(exclude={"auth"}))
    issuer, *others = our_processes(enforced)
    assert issuer.name == "issuer"
    assert [each.name for each in others] == [each.name for each in our_processes(settings)]
    given = read(monkeypatch, issuer, IssuerSettings)
    for open_one, process in zip(our_processes(settings), others, strict=True):
        if process.name.endswith("-api"):
            api = read(monkeypatch, process, ApiSettings)
            assert (api.auth, api.auth_issuer) == ("required", given.issuer_url)
            assert api.auth_jwks_url == f"http://127.0.0.1:{issuer.port}/.well-known/jwks.json"
            assert read(monkeypatch, open_one, ApiSettings).auth == "off"


def test_the_console_has_two_clients_of_the_issuer(
    monkeypatch: pytest.MonkeyPatch, settings: LocalSettings
) -> None:
    """One that reads, and one that tries; neither secret is in an environment."""
    enforced = settings.model_copy(update={"auth": True})
    console = read(monkeypatch, console_process(enforced), ConsoleSettings)
    folder = enforced.state_dir / "issuer" / "clients"
    assert (console.auth_client_id, console.auth_secret) == ("console", folder / "console")
    tried = (console.console_try_client_id, console.try_secret)
    assert tried == ("console-try", folder / "console-try")
    assert not any(
        scope.endswith((":write", ":cancel", ":erase", ":all"))
        for scope in CLIENTS["console"] - {"subscriptions:read:all"}
    )


def test_staff_may_do_what_any_route_asks_for() -> None:
    """A scope that the issuer does not know could be had by no one here."""
    asked = {
        scope
        for app in apps()
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
        for requirement in operation.get("security", [])
        for scopes in requirement.values()
        for scope in scopes
    }
    assert asked
    assert asked <= CLIENTS["staff"]


S = TypeVar("S", bound=Settings)


def read(monkeypatch: pytest.MonkeyPatch, process: Process, kind: type[S]) -> S:
    """The settings that a process finds in its environment."""
    with monkeypatch.context() as patch:
        for name, value in process.env.items():
            patch.setenv(name, value)
        return load(kind)


def test_ports_are_as_documented() -> None:
    """Without any setting: console on 8000, APIs on 8001 to 8003, workers from 9101 on."""
    assert console_process(LocalSettings()).port == 8000
    ports = {process.name: process.port for process in our_processes(LocalSettings())}
    assert ports["subscription-api"] == 8001
    assert ports["stock-api"] == 8002
    assert ports["payment-api"] == 8003
    assert sorted(ports.values())[3:] == list(range(9101, 9109))
    assert our_processes(LocalSettings(auth=True))[0].port == 8009


def test_the_console_finds_the_system_in_its_environment(
    monkeypatch: pytest.MonkeyPatch, settings: LocalSettings, tmp_path: Path
) -> None:
    """On loopback, at the ports of these settings, with the audit file that `streamed` writes."""
    for name, value in console_process(settings).env.items():
        monkeypatch.setenv(name, value)

    console = load(ConsoleSettings)

    assert (console.console_host, console.console_port) == ("127.0.0.1", settings.console_port)
    assert console.aws_endpoint_url == f"http://127.0.0.1:{settings.aws_port}"
    urls = {name: url for name, url in console.model_dump().items() if name.endswith("_api_url")}
    assert urls == {
        "subscription_api_url": f"http://127.0.0.1:{port_of('subscription-api', settings)}",
        "stock_api_url": f"http://127.0.0.1:{port_of('stock-api', settings)}",
        "payment_api_url": f"http://127.0.0.1:{port_of('payment-api', settings)}",
    }
    environment = DatabaseEnvironment.of_local(
        LocalEnvironmentSettings.model_validate(settings.model_dump())
    )
    assert console.streamed_audit_file == environment.audit_file == tmp_path / "operations.jsonl"


def test_an_audit_file_of_ones_own_is_for_the_console_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What STREAMED_AUDIT_FILE says is as good for `make up` as for `streamed`."""
    monkeypatch.setenv("STREAMED_AUDIT_FILE", str(tmp_path / "trail"))
    assert audit_file(LocalSettings()) == tmp_path / "trail"
    assert console_process(LocalSettings()).env["STREAMED_AUDIT_FILE"] == str(tmp_path / "trail")


@pytest.mark.parametrize(("value", "given"), [(None, False), ("0", False), ("1", True)])
def test_the_console_may_break_things_only_where_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, value: str | None, given: bool
) -> None:
    """BREAK=1 make up: without it the console is not told where `make up` listens."""
    if value is None:
        monkeypatch.delenv("BREAK", raising=False)
    else:
        monkeypatch.setenv("BREAK", value)
    settings = LocalSettings()
    told = console_process(settings).env.get("CONSOLE_BREAKING_SOCKET")
    assert told == (str(breaking_socket(settings)) if given else None)
