"""The kinds of AWS resource this system is made of, as plain values.

A renderer (infra.local, and AWS CDK) turns them into calls or templates. A resource knows no
account and no region: infra.arns adds those, so that each domain can have an account of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

HOUR = 3600
DAY = 24 * HOUR
"""Seconds."""


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Which events a rule or an archive wants: one of `sources` and one of `detail_types`.

    `detail` is pairs of a field of the detail and the values that it may have. An empty tuple asks
    for nothing; all empty is every event.
    """

    sources: tuple[str, ...] = ()
    detail_types: tuple[str, ...] = ()
    detail: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def as_json(self) -> Mapping[str, Any]:
        """EventBridge's form; it has no empty pattern, so everything is "any source at all"."""
        wanted = {"source": self.sources, "detail-type": self.detail_types}
        pattern: dict[str, Any] = {
            field: [*map(str, values)] for field, values in wanted.items() if values
        }
        if self.detail:
            pattern["detail"] = {field: [*map(str, values)] for field, values in self.detail}
        return pattern or {"source": [{"prefix": ""}]}

    def overlaps(self, other: "EventPattern") -> bool:
        """Whether an event could match both, by its source and its type."""
        return _meet(self.sources, other.sources) and _meet(self.detail_types, other.detail_types)

    def wants(self, detail: Mapping[str, object]) -> bool:
        """Whether an event of its sources and types matches, by its detail."""
        return all(detail.get(field) in values for field, values in self.detail)


def _meet(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    return not mine or not theirs or not set(mine).isdisjoint(theirs)


@dataclass(frozen=True, slots=True)
class Bus:
    name: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Keeps a bus's events for replay, for `retention_days` (0: for ever): all, or a pattern's.

    `outlives_backups`: what it keeps is applied again to a database that was restored.
    """

    name: str
    bus: str
    retention_days: int
    pattern: EventPattern | None = None
    outlives_backups: bool = False

    def keeps(self, events: EventPattern) -> bool:
        """Whether it has any of these events."""
        return self.pattern is None or self.pattern.overlaps(events)


@dataclass(frozen=True, slots=True)
class LogGroup:
    name: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class ToBus:
    bus: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    queue: str


@dataclass(frozen=True, slots=True)
class ToLogGroup:
    log_group: str


Target = ToBus | ToQueue | ToLogGroup


def kind_and_name(target: Target) -> tuple[Literal["bus", "queue", "log group"], str]:
    match target:
        case ToBus(bus):
            return "bus", bus
        case ToQueue(queue):
            return "queue", queue
        case ToLogGroup(log_group):
            return "log group", log_group


TARGET_ID = "target"
"""A rule here has one target, so this id always names it and PutTargets replaces it in place."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends a bus's events that match `pattern` to one target.

    `dlq` is the standard queue that takes what EventBridge could not deliver for 24 hours.
    """

    name: str
    bus: str
    pattern: EventPattern
    target: Target
    dlq: str | None = None

    @property
    def role(self) -> str | None:
        """The role EventBridge assumes to put events on another bus; other targets need none."""
        return f"{self.name}Role" if isinstance(self.target, ToBus) else None


@dataclass(frozen=True, slots=True)
class RedrivePolicy:
    """After `max_receive_count` receives without a delete, SQS moves a message to `dlq`."""

    dlq: str
    max_receive_count: int


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue; `visibility_timeout` and `retention` are seconds.

    A FIFO queue is known by its name, as SQS does. `content_based_deduplication` is for FIFO only.
    """

    name: str
    visibility_timeout: int = 30
    retention: int = 4 * DAY
    redrive: RedrivePolicy | None = None
    content_based_deduplication: bool = False

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")


AttributeType = Literal["S", "N", "B"]


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    type: AttributeType = "S"


@dataclass(frozen=True, slots=True)
class Key:
    hash: Attribute
    range: Attribute | None = None

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return (self.hash,) if self.range is None else (self.hash, self.range)


KEY_TYPES: tuple[Literal["HASH", "RANGE"], ...] = ("HASH", "RANGE")
"""What DynamoDB calls the attributes of a key, in their order."""


def attributes_of(*keys: Key) -> tuple[Attribute, ...]:
    """Every attribute of these keys once."""
    return tuple(dict.fromkeys(attribute for key in keys for attribute in key.attributes))


@dataclass(frozen=True, slots=True)
class GlobalIndex:
    """A global secondary index that holds every attribute (projection ALL)."""

    name: str
    key: Key


StreamView = Literal["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"]


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table, billed on demand; `stream` None is no stream."""

    name: str
    key: Key
    indexes: tuple[GlobalIndex, ...] = ()
    stream: StreamView | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Its own, and those of its indexes."""
        return (self.key, *(index.key for index in self.indexes))


@dataclass(frozen=True, slots=True)
class CollectionIndex:
    """`keys`: field and direction (1 up, -1 down), in order."""

    name: str
    keys: tuple[tuple[str, Literal[1, -1]], ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A DocumentDB collection; `change_stream` says that it has a change stream."""

    database: str
    name: str
    indexes: tuple[CollectionIndex, ...] = ()
    change_stream: bool = False


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A KMS key for sealed texts of one encryption `context`, known by its alias."""

    name: str
    context: Mapping[str, str] = field(hash=False)

    @property
    def alias(self) -> str:
        return f"alias/{self.name}"


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """EventBridge may send to `queue` on behalf of `rules`, which are of the queue's own domain."""

    queue: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class LogGroupPolicy:
    """EventBridge may write to `log_group` on behalf of `rules`, which are of its own domain."""

    log_group: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class BusPolicy:
    """The domains of `rules` may put on `bus`, which is another domain's, what the rules match."""

    bus: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """What one domain owns, and what can move to an AWS account of its own with it."""

    name: str
    buses: tuple[Bus, ...] = ()
    archives: tuple[Archive, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()
    rules: tuple[Rule, ...] = ()
    queues: tuple[Queue, ...] = ()
    tables: tuple[Table, ...] = ()
    collections: tuple[Collection, ...] = ()
    keys: tuple[SealingKey, ...] = ()
