"""Each dead-letter queue's place in the system: who puts messages there, and where they belong."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.resources import Queue, Rule, ToBus, ToLogGroup
from infra.topology import Topology
from infra.workloads import Consumes, Empties, PublishesTo, SendsTo, Workload


@dataclass(frozen=True)
class BackToQueue:
    """The work queue whose consumer could not handle it, or which EventBridge could not reach."""

    queue: str

    @property
    def fifo(self) -> bool:
        return self.queue.endswith(".fifo")

    def __str__(self) -> str:
        return f"the queue {self.queue}"


@dataclass(frozen=True)
class OnToBus:
    """The bus that a rule could not put an event on: the body is that event."""

    bus: str

    def __str__(self) -> str:
        return f"the bus {self.bus}"


@dataclass(frozen=True)
class OutToBus:
    """The bus that a relay could not publish a row to: the body is that outbox record."""

    bus: str

    def __str__(self) -> str:
        return f"the bus {self.bus}"


@dataclass(frozen=True)
class IntoLog:
    """The log group that a rule could not write an event to: the body is that event."""

    log_group: str

    def __str__(self) -> str:
        return f"the log group {self.log_group}"


Destination = BackToQueue | OnToBus | OutToBus | IntoLog


@dataclass(frozen=True)
class Origin:
    """`tries` is the work queue's maxReceiveCount; `handlers` are the processes that dead-letter.

    `rules` are those whose undeliverable events EventBridge puts here.
    """

    dlq: str
    domain: str
    destination: Destination
    rules: tuple[Rule, ...] = ()
    handlers: tuple[str, ...] = ()
    tries: int | None = None


def origins(topology: Topology, workloads: Sequence[Workload]) -> dict[str, Origin]:
    """Find every dead-letter queue: a queue that has no redrive policy of its own."""
    return {
        queue.name: _origin(queue.name, domain.name, topology, workloads)
        for domain in topology.domains
        for queue in domain.queues
        if queue.redrive is None
    }


def _origin(dlq: str, domain: str, topology: Topology, workloads: Sequence[Workload]) -> Origin:
    rules = tuple(rule for rule in topology.rules if rule.dlq == dlq)
    senders = tuple(each for each in workloads if SendsTo(dlq) in each.uses)
    for work in topology.queues:
        if work.redrive is not None and work.redrive.dlq == dlq:
            consumers = (each for each in workloads if Consumes(work.name) in each.uses)
            return Origin(
                dlq=dlq,
                domain=domain,
                destination=BackToQueue(work.name),
                rules=rules,
                handlers=tuple(each.name for each in (*senders, *consumers)),
                tries=work.redrive.max_receive_count,
            )
    for rule in rules:
        match rule.target:
            case ToBus(bus):
                return Origin(dlq, domain, OnToBus(bus), rules)
            case ToLogGroup(log_group):
                return Origin(dlq, domain, IntoLog(log_group), rules)
    (relay,) = (each for each in senders if any(isinstance(use, Empties) for use in each.uses))
    bus = next(use.bus for use in relay.uses if isinstance(use, PublishesTo))
    return Origin(dlq, domain, OutToBus(bus), handlers=(relay.name,))


def work_queues(topology: Topology) -> list[Queue]:
    return [queue for queue in topology.queues if queue.redrive is not None]
