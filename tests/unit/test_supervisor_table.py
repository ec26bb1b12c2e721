"""The table of processes against what it must agree with."""

from pathlib import Path

import pytest

from infra.topology import TOPOLOGY
from local.process import Process
from local.processes import DATABASE, our_processes
from local.settings import LocalSettings

NAMED = {
    "_TABLE": {table.name for table in TOPOLOGY.tables},
    "_QUEUE": {queue.name for queue in TOPOLOGY.queues},
    "_BUS": {bus.name for bus in TOPOLOGY.buses},
    "_COLLECTION": {collection.name for collection in TOPOLOGY.collections},
    "_DATABASE": {collection.database for collection in TOPOLOGY.collections},
}


@pytest.fixture
def processes(tmp_path: Path) -> list[Process]:
    return our_processes(LocalSettings.on_free_ports(tmp_path))


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
    without_aws = {process.name for process in processes if "ministack" not in process.needs}
    with_mongod = {process.name for process in processes if "mongod" in process.needs}
    assert without_aws == {"payment-api"}
    assert with_mongod == {"payment-api", "payment-consumer", "payments-change-stream"}


def test_the_variable_of_a_port_moves_it(
    monkeypatch: pytest.MonkeyPatch, processes: list[Process]
) -> None:
    """Whatever a taken port's sentence says to set is a setting, and moves that process."""
    for number, process in enumerate(processes):
        monkeypatch.setenv(process.port_variable, str(20_000 + number))
    moved = our_processes(LocalSettings())
    assert [process.port for process in moved] == [20_000 + n for n in range(len(processes))]


def test_ports_are_as_documented() -> None:
    """Without any setting: the three APIs on 8001 to 8003, the workers from 9101 on."""
    ports = {process.name: process.port for process in our_processes(LocalSettings())}
    assert ports["subscription-api"] == 8001
    assert ports["stock-api"] == 8002
    assert ports["payment-api"] == 8003
    assert sorted(ports.values())[3:] == list(range(9101, 9109))
