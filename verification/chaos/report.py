"""What a run found: numbers, a verdict, and both as markdown."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.names import EventType
from operations.audit.report import AuditReport
from operations.audit.report import FindingKind as Gap
from verification.chaos.ledger import Ledger
from verification.chaos.malformed_rows import Accounted
from verification.chaos.settling import SettledState
from verification.testkit.injected_fault import AnyFault

LOST = {Gap.NOT_PUBLISHED, Gap.NOT_ON_NEXT_BUS, Gap.NOT_HANDLED}
"""Differences that mean that an event did not get where it should."""

FINDINGS_SHOWN = 20
"""Sentences of a kind in a report; the number is beside them."""


@dataclass
class ChaosReport:
    """Filled while the run goes on: the audit, and what has a default, are known only in its end.

    `seconds` of load and faults; `unanswered` requests that were never answered. `died` are
    processes that ended without our doing, `hits` requests by the fault that hit them, `missed`
    faults that hit nothing. With `why_no_audit` the audit is empty.
    """

    command: str
    seed: int
    clocks: Mapping[str, float]
    ledger: Ledger
    audit: AuditReport
    injected: Mapping[tuple[AnyFault, str], int]
    missed: Mapping[tuple[AnyFault, str], int]
    died: Mapping[str, int]
    hits: Mapping[AnyFault | None, int]
    seconds: float = 0
    unanswered: int = 0
    settled_state: SettledState = field(default_factory=lambda: SettledState(0))
    malformed_rows: Accounted = field(default_factory=Accounted)
    why_no_audit: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return sum(self.injected.values())

    @property
    def committed(self) -> int:
        return sum(each.committed for each in self.audit.events.values())

    @property
    def published(self) -> int:
        return sum(each.published for each in self.audit.events.values())

    @property
    def lost(self) -> int:
        return sum(each.kind in LOST for each in self.audit.differences)

    @property
    def unmatched(self) -> int:
        """Subscriptions and cancellations committed twice, unasked, or not at all.

        The audit holds events against states: it does not know what was asked for.
        """
        asked = {
            EventType.SUBSCRIPTION_CREATED: len(self.ledger),
            EventType.PAYMENT_CANCELLED: sum(
                each.cancelled_by is not None or each.subscription_id in self.ledger.rejected
                for each in self.ledger
            ),
        }
        if self.unanswered or self.why_no_audit:  # those may have been carried out or not
            return 0
        events = self.audit.events
        return sum(
            abs(events[name].committed - count) for name, count in asked.items() if name in events
        )

    @property
    def wrong(self) -> int:
        return len(self.settled_state.wrong) + len(self.ledger.broken) + self.unanswered

    @property
    def dead_lettered(self) -> int:
        """Messages: whether they lie in a queue, or the audit knows them from there.

        Those of malformed rows are not among them: they have to be there.
        """
        found = Counter(self.settled_state.dead_letters)
        in_queues = (found - self.malformed_rows.messages).total()
        return max(in_queues, self.audit.dead_lettered)

    @property
    def unaccounted(self) -> int:
        """Malformed rows that are in no dead-letter queue, or are there without a reason."""
        return len(self.malformed_rows.missing) + self.malformed_rows.unexplained

    @property
    def failures(self) -> list[str]:
        """Why the verdict is what it is: empty is good."""
        found = {
            f"{self.lost} events lost": self.lost,
            f"{self.wrong} promises broken": self.wrong,
            f"{self.dead_lettered} messages dead-lettered": self.dead_lettered,
            f"{self.unaccounted} malformed rows not accounted for": self.unaccounted,
            "not settled": not self.settled_state.settled,
            f"no audit: {self.why_no_audit}": self.why_no_audit,
            "audit not clean": not self.audit.clean,
            f"{self.audit.in_flight} events still on their way": self.audit.in_flight,
            f"{self.unmatched} commits more or fewer than promises": self.unmatched,
            "nothing was promised": not len(self.ledger),
        }
        return [sentence for sentence, is_so in found.items() if is_so]

    def markdown(self) -> str:
        """Tell it for docs/reliability.md."""
        return "\n".join([*self._numbers(), "", *self._faults(), *self._findings()]) + "\n"

    def _numbers(self) -> Iterator[str]:
        ledger, promises = self.ledger, list(self.ledger)
        yield f"`{self.command}`"
        yield ""
        yield "| | |"
        yield "|---|---|"
        rows = {
            "verdict": "**" + ("; ".join(self.failures) or "nothing lost, nothing wrong") + "**",
            "seed": self.seed,
            "load and faults": f"{self.seconds:.0f} s, on {os.cpu_count() or 0} cores",
            "faults injected": f"{self.faults}, and {sum(self.missed.values())} that hit nothing",
            "requests": f"{sum(ledger.requests.values())}, of them sent again "
            f"{sum(ledger.retries.values())}",
            "subscriptions": f"{len(promises)}, of them cancelled "
            f"{sum(promise.cancelled_by is not None for promise in promises)}, and rejected by"
            f" stock {len(ledger.rejected)}",
            "events committed": self.committed,
            "events published": self.published,
            "published more than once": self.audit.duplicates,
            "dead-lettered": self.dead_lettered,
            "malformed rows written by a raw driver": len(self.malformed_rows.written),
            "of them dead-lettered": len(self.malformed_rows.written - self.malformed_rows.missing),
            "lost": self.lost,
            "wrong states and broken promises": self.wrong,
            "audit": self._audited(),
            "time to settle": f"{self.settled_state.seconds:.0f} s after the last fault",
        }
        yield from (f"| {name} | {value} |" for name, value in rows.items())

    def _audited(self) -> str:
        if self.why_no_audit:
            return "not made"
        return "clean" if self.audit.clean else f"{len(self.audit.differences)} differences"

    def _faults(self) -> Iterator[str]:
        by_kind: Counter[AnyFault] = Counter()
        for (kind, _), count in self.injected.items():
            by_kind[kind] += count
        yield "| fault | times | what it hit |"
        yield "|---|---|---|"
        for kind, count in by_kind.most_common():
            yield f"| {kind} | {count} | {self._hit(kind)} |"
        yield ""
        yield (
            f"Between our processes and AWS {self.hits.get(None, 0)} requests were left alone. "
            f"Clocks that were off: {_list(self.clocks, '{:+g} s') or 'none'}. "
            f"Ended without being killed: {_list(self.died, '{}') or 'none'}."
        )
        yield ""
        yield "Sent again: no answer, 503, or 404 for a payment that was not there yet."
        yield ""
        yield "| request | sent | of them again |"
        yield "|---|---|---|"
        for kind_of_request, count in self.ledger.requests.items():
            yield f"| {kind_of_request} | {count} | {self.ledger.retries[kind_of_request]} |"

    def _hit(self, kind: AnyFault) -> str:
        """How many requests, or each process and how often."""
        if kind in self.hits:
            return f"{self.hits[kind]} requests"
        targets = {target: n for (each, target), n in self.injected.items() if each is kind}
        return ", ".join(f"{name} {n}" for name, n in sorted(targets.items()))

    def _findings(self) -> Iterator[str]:
        differences = [
            f"{each.kind}: {each.event_type} {each.sequence} of {each.aggregate_id} ({each.place})"
            f" {each.hint}"
            for each in self.audit.differences
        ]
        findings = {
            "Note": self.notes,
            "Broken": self.ledger.broken,
            "Wrong": [f"{one}: {what}" for one, what in self.settled_state.wrong.items()],
            "Still waiting": [f"{name}: {n}" for name, n in self.settled_state.waiting.items()],
            "Dead letters": [f"{name}: {n}" for name, n in self.settled_state.dead_letters.items()],
            "Difference": differences,
        }
        for title, sentences in findings.items():
            if sentences:
                yield ""
                yield f"{title} ({len(sentences)}):"
                yield from (f"- {sentence}" for sentence in sentences[:FINDINGS_SHOWN])


def _list(values: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{name} {form.format(value)}" for name, value in values.items() if value)
