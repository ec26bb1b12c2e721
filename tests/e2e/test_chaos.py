"""The chaos run in small: the code of `make chaos` with a schedule of its own."""

from pathlib import Path

import pytest

from local.console import Console
from runtime.process.shutdown import Stop
from verification.chaos.clients import ClientLoad
from verification.chaos.run import ChaosPlan, run
from verification.chaos.schedule import AWS, MONGOD, Fault
from verification.testkit.injected_fault import FaultKind

FAULTS = (
    Fault(FaultKind.KILL, "stock-consumer", start=1, duration=0.5),  # early: it costs half a minute
    Fault(FaultKind.HALF_FAIL, AWS, start=0.5, duration=4.5, chance=0.6),
    Fault(FaultKind.KILL, MONGOD, start=3, duration=1),
    Fault(FaultKind.DROP, AWS, start=5.2, duration=2.5, chance=0.6),
    Fault(FaultKind.KILL, "subscriptions-relay", start=6, duration=1),
    Fault(FaultKind.CUT, AWS, start=8, duration=1.5),
    Fault(FaultKind.FREEZE, "payments-forward", start=9, duration=1),
    Fault(FaultKind.THROTTLE, AWS, start=10, duration=1.5, chance=0.8),
    Fault(FaultKind.CONFLICT, AWS, start=12, duration=1),
    Fault(FaultKind.ERROR, AWS, start=13.5, duration=1, chance=0.8),
)
SURE_TO_HIT = {
    FaultKind.HALF_FAIL,
    FaultKind.DROP,
    FaultKind.CUT,
    FaultKind.THROTTLE,
    FaultKind.ERROR,
}
"""Polls there are all the time, and batches while customers subscribe; transactions perhaps not
in the one second of a conflict."""

CLOCKS = {"subscription-api": -20.0, "payments-change-stream": 20.0}


@pytest.mark.timeout(600)  # a busy machine is given the time that a real run is given
def test_nothing_is_lost_while_processes_are_killed_and_aws_fails(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten faults in a quarter of a minute: every promise and every event is accounted for.

    The APIs require tokens, several of which end meanwhile.
    """
    monkeypatch.setenv("AUTH", "1")
    monkeypatch.setenv("ISSUER_TOKEN_SECONDS", "5")
    if request.config.getoption("--system") == "compose":
        pytest.skip("it puts a proxy into the system of `make up`")
    heard, said = Lines(), Lines()
    report = run(
        ChaosPlan(
            seed=1,
            seconds=15,
            faults=FAULTS,
            clocks=CLOCKS,
            load=ClientLoad(subscribers=2),
            on_hand=240,
        ),
        tmp_path,
        command="tests/e2e/test_chaos.py",
        console=Console(heard, coloured=False),  # type: ignore[arg-type]
        processes=Console(said, coloured=False),  # type: ignore[arg-type]
        stop=Stop(),
    )
    assert report.failures == [], report.markdown()
    assert report.faults + sum(report.missed.values()) == len(FAULTS), heard.lines
    assert report.hits.keys() >= SURE_TO_HIT
    assert len(report.ledger) > 5
    assert report.audit.events["StockRejected"].committed > 0  # razors ran out
    assert len(report.malformed_rows.written) >= 3  # one for each outbox
    assert report.committed == report.published > 15
    assert sum('"/token"' in line for line in said.lines) > 3  # for clients, and for what checks


class Lines:
    """Keeps what the run said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)

    def flush(self) -> None: ...
