"""A topology that AWS would refuse, or would drop events for, is refused before it is built."""

from dataclasses import replace

import pytest

from infra.resources import (
    DAY,
    Archive,
    Attribute,
    Bus,
    Domain,
    EventPattern,
    GlobalIndex,
    Key,
    LogGroup,
    Queue,
    RedrivePolicy,
    Rule,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
)
from infra.topology import Topology, TopologyError

HERE = Domain(
    "here",
    buses=(Bus("b"),),
    queues=(Queue("q"), Queue("q.fifo"), Queue("dlq", retention=14 * DAY)),
)
THERE = Domain("there", buses=(Bus("far-b"),), queues=(Queue("far-q"),))
TO_Q = Rule("R", "b", EventPattern(), ToQueue("q"))


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (replace(HERE, rules=(replace(TO_Q, bus="none"),)), "rule R: domain here has no bus none"),
        (
            replace(HERE, rules=(replace(TO_Q, target=ToQueue("far-q")),)),
            "rule R: its target far-q is not in domain here",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, target=ToBus("none")),)),
            "rule R: its target none is not in any domain",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, target=ToLogGroup("q")),)),
            "rule R: its target q is not in domain here",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, target=ToBus("b")),)),
            "rule R: it sends bus b its own events",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, target=ToQueue("q.fifo")),)),
            "rule R: its target q.fifo is FIFO",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, dlq="q.fifo"),)),
            "rule R: its dead-letter queue q.fifo is FIFO; it must be standard",
        ),
        (
            replace(HERE, rules=(replace(TO_Q, dlq="far-q"),)),
            "rule R: its dead-letter queue far-q is not in the rule's domain",
        ),
        (replace(HERE, rules=(TO_Q, TO_Q)), "rule R is there 2 times"),
        (replace(HERE, rules=(replace(TO_Q, name="R" * 65),)), "longer than 64"),
        (replace(HERE, archives=(Archive("a", "none", 1),)), "archive a: domain here has no bus"),
        (replace(HERE, archives=(Archive("a" * 49, "b", 1),)), "longer than 48"),
        (replace(HERE, archives=(Archive("a", "b", -1),)), "archive a: a retention of -1 days"),
        (replace(HERE, log_groups=(LogGroup("g", 20),)), "log group g: CloudWatch has no"),
        (
            replace(HERE, queues=(Queue("w", redrive=RedrivePolicy("none", 5)),)),
            "queue w: its dead-letter",
        ),
        (
            replace(HERE, queues=(*HERE.queues, Queue("w", redrive=RedrivePolicy("q.fifo", 5)))),
            "queue w: its dead-letter queue q.fifo must be of the same type",
        ),
        (
            replace(HERE, queues=(*HERE.queues, Queue("w", redrive=RedrivePolicy("dlq", 0)))),
            "queue w: a maxReceiveCount of 0",
        ),
        (
            replace(
                HERE,
                queues=(*HERE.queues, Queue("w", redrive=RedrivePolicy("q", 5), retention=5 * DAY)),
            ),
            "queue w: its dead-letter queue q forgets sooner",
        ),
        (replace(HERE, queues=(Queue("w", visibility_timeout=43_201),)), "queue w: a visibility"),
        (replace(HERE, queues=(Queue("w", retention=59),)), "queue w: a retention of 59 s"),
        (replace(HERE, queues=(Queue("w", content_based_deduplication=True),)), "queue w: only a"),
        (
            replace(
                HERE,
                tables=(
                    Table(
                        "t",
                        Key(Attribute("id")),
                        (GlobalIndex("i", Key(Attribute("id", "N"))),) * 2,
                    ),
                ),
            ),
            "table t: attribute id has 2 types",
        ),
    ],
)
def test_what_could_not_work_is_named(wrong: Domain, fault: str) -> None:
    """The error names the resource that could not work, and why."""
    with pytest.raises(TopologyError) as refused:
        Topology((wrong, THERE))
    assert fault in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    """Nobody mends a topology one error at a time."""
    rules = (replace(TO_Q, dlq="none"), replace(TO_Q, name="S", bus="none"))
    with pytest.raises(TopologyError) as refused:
        Topology((replace(HERE, rules=rules),))
    assert len(refused.value.faults) == 2


def test_a_second_hop_between_domains_is_refused() -> None:
    """EventBridge drops an event that crosses accounts twice, so no rule may ask for it."""
    first = Rule("First", "b", EventPattern(("s",), ("T", "U")), ToBus("far-b"))
    second = Rule("Second", "far-b", EventPattern((), ("U",)), ToBus("b"))
    with pytest.raises(TopologyError, match="Second: it would forward what First forwarded"):
        Topology((replace(HERE, rules=(first,)), replace(THERE, rules=(second,))))
    other = replace(second, pattern=EventPattern(("s",), ("V",)))
    Topology((replace(HERE, rules=(first,)), replace(THERE, rules=(other,))))


def test_names_are_unique_over_all_domains() -> None:
    """One account is the default, so two domains cannot both own a queue of one name."""
    with pytest.raises(TopologyError, match="queue q is there 2 times"):
        Topology((HERE, Domain("other", queues=(Queue("q"),))))
