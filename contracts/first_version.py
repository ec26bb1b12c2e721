"""Events of the first version of this system (TypeScript, 2021), read as this version's own.

They have the same sources and detail-types, `subscriptionId` and `updated`, but neither `metadata`
nor `quantity`. What is missing is taken from the envelope, the event's type and `updated`; a
subscription is one razor a month.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from contracts.names import EventType
from contracts.timestamps import Timestamp, format_timestamp

SEQUENCES: Mapping[str, int] = {
    EventType.SUBSCRIPTION_CREATED: 1,
    EventType.SUBSCRIPTION_CANCELLED: 2,
    EventType.PAYMENT_CREATED: 1,
    EventType.PAYMENT_CANCELLED: 2,
}
"""The events that other domains read. Each aggregate is created once and cancelled once."""

QUANTITY = 1
"""Razors a month."""


class _Detail(BaseModel):
    """What every such event says of itself."""

    model_config = ConfigDict(strict=True)

    subscription_id: str = Field(alias="subscriptionId", min_length=1, max_length=128)
    updated: Timestamp


def is_of_first_version(detail_type: str, detail: Mapping[str, Any]) -> bool:
    return (
        detail_type in SEQUENCES
        and detail.keys() >= {"subscriptionId", "updated"}
        and not {"metadata", "quantity"} & detail.keys()
    )


def upcast(event_id: str, detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    """Complete the detail of such an event; any other is returned as it is.

    `event_id` is the envelope's `id`, which a second publication changes. Raises ValidationError
    where `subscriptionId` or `updated` is wrong.
    """
    if not is_of_first_version(detail_type, detail):
        return detail
    found = _Detail.model_validate(detail)
    metadata = {
        "eventId": event_id,
        "version": 1,
        "aggregateId": found.subscription_id,
        "sequence": SEQUENCES[detail_type],
        "occurredAt": format_timestamp(found.updated),
        "correlationId": event_id,
    }
    more = {"quantity": QUANTITY} if detail_type == EventType.SUBSCRIPTION_CREATED else {}
    return {**detail, **more, "metadata": metadata}
