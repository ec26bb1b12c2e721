"""A topology that AWS would refuse, or would drop events for, is refused before it is built."""

from dataclasses import replace
from typing import Any

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
BY_NUMBER = GlobalIndex("i", Key(Attribute("id", "N")))
TWO_TYPES = Table("t", Key(Attribute("id")), (BY_NUMBER, BY_NUMBER))


def with_rule(**changes: Any) -> Domain:
    return replace(HERE, rules=(replace(TO_Q, **changes),))


def with_queue(**how: Any) -> Domain:
    return replace(HERE, queues=(*HERE.queues, Queue("w", **how)))


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (with_rule(bus="none"), "rule R: domain here has no bus none"),
        (with_rule(target=ToQueue("far-q")), "rule R: its target far-q is not in domain here"),
        (with_rule(target=ToBus("none")), "rule R: its target none is not in any domain"),
        (with_rule(target=ToLogGroup("q")), "rule R: its target q is not in domain here"),
        (with_rule(target=ToBus("b")), "rule R: it sends bus b its own events"),
        (with_rule(target=ToQueue("q.fifo")), "rule R: its target q.fifo is FIFO"),
        (
            with_rule(dlq="q.fifo"),
            "rule R: its dead-letter queue q.fifo is FIFO; it must be standard",
        ),
        (with_rule(dlq="far-q"), "rule R: its dead-letter queue far-q is not in the rule's domain"),
        (replace(HERE, rules=(TO_Q, TO_Q)), "rule R is there 2 times"),
        (with_rule(name="R" * 65), "longer than 64"),
        (replace(HERE, archives=(Archive("a", "none", 1),)), "archive a: domain here has no bus"),
        (replace(HERE, archives=(Archive("a" * 49, "b", 1),)), "longer than 48"),
        (replace(HERE, archives=(Archive("a", "b", -1),)), "archive a: a retention of -1 days"),
        (
            replace(HERE, archives=(Archive("a", "b", 35, outlives_backups=True),)),
            "archive a: a backup of 35 days outlives its 35",
        ),
        (replace(HERE, log_groups=(LogGroup("g", 20),)), "log group g: CloudWatch has no"),
        (with_queue(redrive=RedrivePolicy("none", 5)), "queue w: its dead-letter"),
        (
            with_queue(redrive=RedrivePolicy("q.fifo", 5)),
            "queue w: its dead-letter queue q.fifo must be of the same type",
        ),
        (with_queue(redrive=RedrivePolicy("dlq", 0)), "queue w: a maxReceiveCount of 0"),
        (
            with_queue(redrive=RedrivePolicy("q", 5), retention=5 * DAY),
            "queue w: its dead-letter queue q forgets sooner",
        ),
        (with_queue(visibility_timeout=43_201), "queue w: a visibility"),
        (with_queue(retention=59), "queue w: a retention of 59 s"),
        (with_queue(content_based_deduplication=True), "queue w: only a"),
        (
            replace(HERE, tables=(TWO_TYPES,)),
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
