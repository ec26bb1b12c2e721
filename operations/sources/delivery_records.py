"""What a subscriber of a Custom Event Bus dead-letters: a record of events, without the events.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-retry.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class DeliveryRecord:
    """`bus` and `subscriber` are names; `tries` counts the first; times are as AWS writes them.

    `ids` are the bus's own; `event_ids` are ours, which were sent as deduplication ids.
    """

    bus: str
    subscriber: str
    code: str | None
    message: str | None
    tries: int | None
    ids: tuple[str, ...]
    event_ids: tuple[str, ...]
    aggregate_ids: tuple[str, ...]
    times: tuple[str, ...]

    @property
    def event_id(self) -> str | None:
        return self.event_ids[0] if len(self.event_ids) == 1 else None

    @property
    def aggregate_id(self) -> str | None:
        """Of all its events; None where they are of several."""
        return self.aggregate_ids[0] if len({*self.aggregate_ids}) == 1 else None

    @property
    def how_to_read_again(self) -> str:
        """Where its events are, and what brings them."""
        when = f" from {self.times[0]} to {self.times[-1]}" if self.times else ""
        which = f", of which it wants aws:EventId {', '.join(self.ids)}" if self.ids else ""
        return (
            f"the bus {self.bus} retains them: create a subscriber like {self.subscriber} that"
            f" starts at that point in time{when}{which}; delete it once they have arrived, and"
            " drop this record"
        )


def record_in(body: Mapping[str, Any]) -> DeliveryRecord | None:
    """Read a record leniently: it is a dead letter. None for any other body."""
    failed = body.get("failedMessages")
    if not isinstance(failed, list) or "subscriberArn" not in body:
        return None
    retries = body.get("retryAttempts")
    messages = [each for each in failed if isinstance(each, dict)]
    return DeliveryRecord(
        bus=_name(body.get("busArn")),
        subscriber=_name(body.get("subscriberArn")),
        code=readable(body.get("errorCode")),
        message=readable(body.get("errorMessage")),
        tries=1 + retries if isinstance(retries, int) else None,
        ids=tuple(_texts(messages, "eventId")),
        event_ids=tuple(_texts(messages, "deduplicationId")),
        aggregate_ids=tuple(_texts(messages, "eventGroupId")),
        times=tuple(sorted(_texts(messages, "timestamp"))),
    )


def readable(value: object) -> str | None:
    """A name that can be shown: what steers a terminal, or half a surrogate pair, is none."""
    return value if isinstance(value, str) and value and value.isprintable() else None


def _name(arn: object) -> str:
    """The name in an ARN that ends in an id that AWS made."""
    parts = (readable(arn) or "").split("/")
    return parts[1] if len(parts) > 1 else "of no name"


def _texts(messages: list[dict[str, Any]], name: str) -> Iterator[str]:
    for each in messages:
        if text := readable(each.get(name)):
            yield text
