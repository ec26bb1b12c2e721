"""What is on AWS whether or not anything happens: stage `dev`, one account, one of each.

infra/ imports CDK, so what it decides is said again here; tests/unit/test_costs_deployment.py holds
it to the synthesized templates.
"""

from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import Consumes
from relay.__main__ import FORWARDERS
from runtime.settings import ConsumerSettings

TASK_NAMES = tuple(each.name for each in WORKLOADS if not each.empties)
"""Fargate services: what is not the relay of a DynamoDB outbox."""

FUNCTION_NAMES = tuple(each.name for each in WORKLOADS if each.empties)
"""Relays of DynamoDB outboxes: each is a function that publishes and one that sweeps."""

TASK_PROCESSORS, TASK_GIGABYTES = 0.25, 0.5
"""Of a task: vCPUs and GB."""

NAT_DISK_GIGABYTES = 8
"""Of a NAT instance: what Amazon Linux's image comes with."""

FUNCTION_GIGABYTES = 0.5
"""GB."""

SWEEPS_AN_HOUR = 15
"""Of each sweeping function."""

OUTBOX_LOOKS_AN_HOUR = 3 * 120
"""GetQueueAttributes of the change-stream relay: three for each sweep, a sweep every 30 s."""

KEY_COUNT = 1 + len(TOPOLOGY.domains) + len(TOPOLOGY.keys)
"""One for what domains share, one for each domain, and that of bank details."""

SECRET_COUNT = 1 + sum(each.webhook is not None for each in WORKLOADS)
"""The database's, and that of each webhook."""

ALARMS_OF_A_FUNCTION = 4
"""Errors of both functions, how far behind, and whether the sweep runs."""

OUTBOX_COUNT = sum(each.relays_outbox for each in WORKLOADS)
"""Each has a metric of its own, its oldest row's age, and an alarm on it."""

API_COUNT = sum(each.path is not None for each in WORKLOADS)

QUEUE_COUNT = len(TOPOLOGY.queues)

WAIT_SECONDS = ConsumerSettings.model_fields["queue_wait_seconds"].default
"""Of a long poll."""

POLLERS = sum(
    isinstance(use, Consumes) and not use.queue.endswith(".fifo")
    for each in WORKLOADS
    for use in each.uses
)
FIFO_POLLERS = FORWARDERS


def alarm_metrics() -> int:
    """Metrics that alarms watch: an API's alarm divides one by another."""
    functions = len(FUNCTION_NAMES) * ALARMS_OF_A_FUNCTION
    return QUEUE_COUNT + len(TASK_NAMES) + OUTBOX_COUNT + functions + 2 * API_COUNT
