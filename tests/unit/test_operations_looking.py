"""When what is missing becomes a difference, and when an audit stops looking."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from operations.audit.command import looking
from operations.audit.report import AuditReport, Difference, EventCount, FindingKind
from tests.audited import SINCE, UNTIL

LOST = Difference(FindingKind.NOT_PUBLISHED, "StockAllocated", "lost", 1, "stock-outbox")
LATE = Difference(FindingKind.NOT_PUBLISHED, "StockAllocated", "late", 1, "stock-outbox")


@dataclass
class Looks:
    """Answers look after look, the last one for ever; time passes only by waiting."""

    reports: list[AuditReport]
    now: float = 0.0
    said: list[str] = field(default_factory=list)

    def look(self) -> AuditReport:
        return self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def audit(self, *, settle: float = 0.0, patience: float = 10.0) -> AuditReport:
        return looking(
            self.look,
            settle=settle,
            patience=patience,
            say=self.said.append,
            clock=lambda: self.now,
            wait=self.wait,
        )


def a_report(*differences: Difference, pending: int = 0) -> AuditReport:
    events = {"StockAllocated": EventCount(committed=9, pending=pending)}
    return AuditReport(SINCE, UNTIL, events, (), differences)


def names(differences: Iterable[Difference]) -> set[str]:
    return {each.aggregate_id for each in differences}


def test_one_look_is_enough_where_nothing_is_missing() -> None:
    """What waits in an outbox is in flight, and nobody asked to wait for it."""
    report = Looks([a_report(pending=3)]).audit()

    assert (report.looks, report.clean, report.in_flight) == (1, True, 3)


def test_what_was_only_between_two_places_is_no_difference() -> None:
    """Missing in the first look and there in the second: it moved."""
    looks = Looks([a_report(LATE), a_report()])

    report = looks.audit()

    assert (report.looks, report.clean, report.in_flight) == (2, True, 0)
    assert looks.now < 10


def test_what_stays_missing_is_a_difference_once_patience_is_over() -> None:
    """Not before, and then at once."""
    looks = Looks([a_report(LOST)])

    report = looks.audit()

    assert (names(report.differences), report.suspects) == ({"lost"}, ())
    assert 10 <= looks.now < 12


def test_what_comes_and_goes_was_not_missing_all_the_time() -> None:
    """A redrive moves messages back: only what was missing in every look is lost."""
    looks = Looks([a_report(LOST, LATE), *[a_report(LOST)] * 4, a_report(LOST, LATE)])

    report = looks.audit()

    assert names(report.differences) == {"lost"}
    assert names(report.suspects) == {"late"}
    assert report.in_flight == 1


def test_a_busy_system_does_not_keep_the_audit_for_ever() -> None:
    """Each look finds something new on its way; patience with the first look's is enough."""
    always_new = [
        a_report(Difference(FindingKind.NOT_PUBLISHED, "StockAllocated", str(n), 1, "stock-outbox"))
        for n in range(100)
    ]
    looks = Looks(always_new)

    report = looks.audit()

    assert (report.clean, len(report.suspects)) == (True, 1)
    assert looks.now < 12


def test_settling_waits_until_nothing_is_in_flight() -> None:
    """It looks again as long as outboxes or queues hold anything, and says so."""
    looks = Looks([a_report(pending=2), a_report(pending=1), a_report()])

    report = looks.audit(settle=60)

    assert (report.looks, report.in_flight, len(looks.said)) == (3, 0, 2)


def test_settling_has_a_bound() -> None:
    """What never moves ends the wait when its time is over, and is still in flight."""
    looks = Looks([a_report(pending=1)])

    report = looks.audit(settle=5)

    assert (report.in_flight, report.clean) == (1, True)
    assert 5 <= looks.now < 7
