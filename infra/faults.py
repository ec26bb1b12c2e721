"""What would make a topology fail on AWS, found before anything is created."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from infra.resources import (
    DAY,
    HOUR,
    Archive,
    Domain,
    LogGroup,
    Queue,
    Rule,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
    attributes_of,
)

LONGEST_VISIBILITY_TIMEOUT = 12 * HOUR
SHORTEST_RETENTION, LONGEST_RETENTION = 60, 14 * DAY
"""Seconds: SQS, CreateQueue, MessageRetentionPeriod."""

MOST_RECEIVES = 1000
"""SQS, maxReceiveCount."""

LONGEST_BACKUP_DAYS = 35
"""DynamoDB's point-in-time recovery, and the most that DocumentDB keeps snapshots for."""

LONGEST_ARCHIVE_NAME, LONGEST_RULE_NAME = 48, 64
"""Characters: EventBridge, CreateArchive and PutRule."""

MOST_INDEXES = 20
"""DynamoDB, global secondary indexes of a table."""

# fmt: off
LOG_RETENTIONS = frozenset([
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731,
    1096, 1827, 2192, 2557, 2922, 3288, 3653,
])
# fmt: on
"""Days: CloudWatch Logs, PutRetentionPolicy."""


def faults_in(domains: Sequence[Domain]) -> list[str]:
    """One sentence for each thing that could not work, each naming the resource."""
    return [
        *_duplicates(domains),
        *(fault for domain in domains for fault in _faults_of(domain, domains)),
        *_second_hops(domains),
    ]


def _duplicates(domains: Sequence[Domain]) -> Iterator[str]:
    """Names must differ in the whole system: by default all domains share one account."""
    named: dict[str, list[str]] = {
        "domain": [domain.name for domain in domains],
        "bus": [bus.name for domain in domains for bus in domain.buses],
        "archive": [archive.name for domain in domains for archive in domain.archives],
        "log group": [group.name for domain in domains for group in domain.log_groups],
        "rule": [rule.name for domain in domains for rule in domain.rules],
        "queue": [queue.name for domain in domains for queue in domain.queues],
        "table": [table.name for domain in domains for table in domain.tables],
        "key": [key.name for domain in domains for key in domain.keys],
        "collection": [f"{c.database}.{c.name}" for domain in domains for c in domain.collections],
    }
    for kind, names in named.items():
        for name, count in _repeated(names):
            yield f"{kind} {name} is there {count} times"


def _faults_of(domain: Domain, domains: Sequence[Domain]) -> Iterator[str]:
    queues = {queue.name: queue for queue in domain.queues}
    for archive in domain.archives:
        yield from _faults_of_archive(archive, domain)
    for group in domain.log_groups:
        yield from _faults_of_log_group(group)
    for rule in domain.rules:
        yield from _faults_of_rule(rule, domain)
        yield from _faults_of_target(rule, domain, domains)
        yield from _faults_of_rule_dlq(rule, queues)
    for queue in domain.queues:
        yield from _faults_of_queue(queue, queues)
    for table in domain.tables:
        yield from _faults_of_table(table)


def _faults_of_archive(archive: Archive, domain: Domain) -> Iterator[str]:
    if archive.bus not in {bus.name for bus in domain.buses}:
        yield f"archive {archive.name}: domain {domain.name} has no bus {archive.bus}"
    if archive.retention_days < 0:
        yield f"archive {archive.name}: a retention of {archive.retention_days} days"
    if archive.outlives_backups and 0 < archive.retention_days <= LONGEST_BACKUP_DAYS:
        yield (
            f"archive {archive.name}: a backup of {LONGEST_BACKUP_DAYS} days outlives its"
            f" {archive.retention_days}"
        )
    if len(archive.name) > LONGEST_ARCHIVE_NAME:
        yield f"archive {archive.name}: its name is longer than {LONGEST_ARCHIVE_NAME} characters"


def _faults_of_log_group(group: LogGroup) -> Iterator[str]:
    if group.retention_days not in LOG_RETENTIONS:
        yield (
            f"log group {group.name}: CloudWatch has no retention of {group.retention_days} days"
        )


def _faults_of_rule(rule: Rule, domain: Domain) -> Iterator[str]:
    if len(rule.name) > LONGEST_RULE_NAME:
        yield f"rule {rule.name}: its name is longer than {LONGEST_RULE_NAME} characters"
    if rule.bus not in {bus.name for bus in domain.buses}:
        yield f"rule {rule.name}: domain {domain.name} has no bus {rule.bus}"


def _faults_of_target(rule: Rule, domain: Domain, domains: Sequence[Domain]) -> Iterator[str]:
    """Only a bus may be another domain's: one door between domains, and its policy guards it."""
    match rule.target:
        case ToBus(name):
            found = name in {bus.name for each in domains for bus in each.buses}
        case ToQueue(name):
            found = name in {queue.name for queue in domain.queues}
        case ToLogGroup(name):
            found = name in {group.name for group in domain.log_groups}
    if not found:
        where = "any domain" if isinstance(rule.target, ToBus) else f"domain {domain.name}"
        yield f"rule {rule.name}: its target {name} is not in {where}"
    if name == rule.bus:
        yield f"rule {rule.name}: it sends bus {name} its own events"
    if isinstance(rule.target, ToQueue) and name.endswith(".fifo"):
        yield f"rule {rule.name}: its target {name} is FIFO, and the rule sets no message group"


def _faults_of_rule_dlq(rule: Rule, queues: dict[str, Queue]) -> Iterator[str]:
    """EventBridge wants a standard queue in the rule's own account and region."""
    if rule.dlq is None:
        return
    if rule.dlq not in queues:
        yield f"rule {rule.name}: its dead-letter queue {rule.dlq} is not in the rule's domain"
    elif queues[rule.dlq].fifo:
        yield f"rule {rule.name}: its dead-letter queue {rule.dlq} is FIFO; it must be standard"


def _faults_of_queue(queue: Queue, queues: dict[str, Queue]) -> Iterator[str]:
    if not 0 <= queue.visibility_timeout <= LONGEST_VISIBILITY_TIMEOUT:
        yield f"queue {queue.name}: a visibility timeout of {queue.visibility_timeout} s"
    if not SHORTEST_RETENTION <= queue.retention <= LONGEST_RETENTION:
        yield f"queue {queue.name}: a retention of {queue.retention} s"
    if queue.content_based_deduplication and not queue.fifo:
        yield f"queue {queue.name}: only a FIFO queue deduplicates by content"
    if queue.redrive is None:
        return
    if not 1 <= queue.redrive.max_receive_count <= MOST_RECEIVES:
        yield f"queue {queue.name}: a maxReceiveCount of {queue.redrive.max_receive_count}"
    dlq = queues.get(queue.redrive.dlq)
    if dlq is None:
        yield f"queue {queue.name}: its dead-letter queue {queue.redrive.dlq} is not in its domain"
    elif dlq.fifo != queue.fifo:
        yield f"queue {queue.name}: its dead-letter queue {dlq.name} must be of the same type"
    elif dlq.retention < queue.retention:
        # SQS counts a standard queue's retention from the first send, also after a redrive.
        yield f"queue {queue.name}: its dead-letter queue {dlq.name} forgets sooner than it does"


def _faults_of_table(table: Table) -> Iterator[str]:
    if len(table.indexes) > MOST_INDEXES:
        yield f"table {table.name}: {len(table.indexes)} indexes are more than {MOST_INDEXES}"
    for name, count in _repeated(index.name for index in table.indexes):
        yield f"table {table.name}: index {name} is there {count} times"
    for name, count in _repeated(each.name for each in attributes_of(*table.keys)):
        yield f"table {table.name}: attribute {name} has {count} types"


def _repeated(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in Counter(names).items() if count > 1)


def _second_hops(domains: Sequence[Domain]) -> Iterator[str]:
    """EventBridge carries an event from account to account once: a second hop is dropped."""
    forwards = [(r, r.target.bus) for d in domains for r in d.rules if isinstance(r.target, ToBus)]
    for (first, bus), (second, _) in product(forwards, repeat=2):
        if second.bus == bus and second.pattern.overlaps(first.pattern):
            yield f"rule {second.name}: it would forward what {first.name} forwarded to {bus}"
