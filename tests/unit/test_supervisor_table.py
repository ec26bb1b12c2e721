"""The table of processes against what it must agree with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.settings import ConsoleSettings
from infra.local_system.addresses import DATABASE, audit_file, breaking_socket, port_of
from infra.local_system.settings import LocalSettings
from infra.topology import TOPOLOGY
from local.process import Process
from local.process_table import console_process, our_processes
from operations.databases import DatabaseEnvironment
from operations.settings import LocalEnvironmentSettings
from runtime.settings import load
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


def test_ports_are_as_documented() -> None:
    """Without any setting: console on 8000, APIs on 8001 to 8003, workers from 9101 on."""
    assert console_process(LocalSettings()).port == 8000
    ports = {process.name: process.port for process in our_processes(LocalSettings())}
    assert ports["subscription-api"] == 8001
    assert ports["stock-api"] == 8002
    assert ports["payment-api"] == 8003
    assert sorted(ports.values())[3:] == list(range(9101, 9109))


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
