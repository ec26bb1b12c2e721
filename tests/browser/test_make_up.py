"""What `make up BREAK=1` says before there is a page; that nothing of it is left is its fixture's.

It needs no browser.
"""

from infra.local_system.addresses import addresses, console_address
from infra.topology import WORKLOADS
from tests.browser.system import Running
from verification.testkit.waiting import eventually


def test_the_address_of_the_console_is_what_is_said_first(system: Running) -> None:
    """Then those of the APIs; before it, that faults may be injected."""
    eventually(lambda: "\nCtrl-C stops it" in system.log.read_text(), what="the last line")
    # What processes say, under their names, may come between.
    lines = [line for line in system.log.read_text().splitlines() if "│" not in line]
    (ready,) = (at for at, line in enumerate(lines) if line.startswith("ready in "))
    said = [line.split() for line in lines[ready + 1 : ready + 5]]
    apis = [[name, f"{address}/docs"] for name, address in addresses(system.settings).items()]
    assert said == [["console", f"{console_address(system.settings)}/"], *apis]
    assert any(line.startswith("BREAK=1: ") for line in lines[:ready])


def test_every_process_of_ours_can_be_broken(system: Running) -> None:
    """The console has them all, by the names that `make up` prints."""
    state = system.http.get("/api/breaking").json()
    assert system.http.get("/api/about").json()["breaking"] == {"enabled": True, "why": None}
    names = {each["name"] for each in state["processes"]}
    assert names == {workload.name for workload in WORKLOADS}
    assert all(each["running"] for each in state["processes"])
