"""How a queue's inbox reads: type, version and schema have to be right."""

import json
from typing import Any

import pytest

from contracts.causes import Cause
from contracts.envelope import NotAnEvent, ReadModel
from contracts.names import EventType
from runtime.sqs.inbox import Inbox, SchemaViolation, UnexpectedEvent, reads
from tests import builders


class Wanted(ReadModel):
    quantity: int


def an_inbox(seen: list[int]) -> Inbox:
    def handle(event: Wanted, _: Cause) -> None:
        seen.append(event.quantity)

    return Inbox({EventType.SUBSCRIPTION_CREATED: reads(Wanted, handle)}, ())


def a_body(detail: dict[str, Any], detail_type: str = "SubscriptionCreated") -> str:
    return json.dumps(
        builders.an_envelope(detail, detail_type=detail_type, source="app.subscriptions")
    )


def test_a_reader_takes_its_fields_and_ignores_the_others() -> None:
    """What a publisher adds later is none of this reader's business."""
    seen: list[int] = []
    an_inbox(seen).handle(a_body(builders.a_detail(quantity=3, addedLater="x")))
    assert seen == [3]


def test_two_versions_of_an_event_are_each_read_by_their_own_reader() -> None:
    """While a breaking change is rolled out, both are in the queue; a third is refused."""
    seen: list[str] = []
    first = reads(Wanted, lambda _, __: seen.append("v1"))
    second = reads(Wanted, lambda _, __: seen.append("v2"), version=2)
    inbox = Inbox({EventType.SUBSCRIPTION_CREATED: (first, second)}, ())
    for version in (2, 1):
        detail = builders.a_detail()
        inbox.handle(a_body(detail | {"metadata": detail["metadata"] | {"version": version}}))
    assert seen == ["v2", "v1"]
    with pytest.raises(UnexpectedEvent, match=r"version 3 .* version 1, .* version 2"):
        inbox.handle(a_body(detail | {"metadata": detail["metadata"] | {"version": 3}}))


def test_a_field_under_its_python_name_is_no_field() -> None:
    """The wire's names are camelCase; another spelling is a mistake of the publisher's."""
    detail = builders.a_detail()
    detail["metadata"]["event_id"] = detail["metadata"].pop("eventId")
    with pytest.raises(NotAnEvent, match=r"metadata\.eventId"):
        an_inbox([]).handle(a_body(detail))


@pytest.mark.parametrize("quantity", ["2", 2.5, True, None])
def test_a_value_of_another_type_is_not_bent_into_shape(quantity: object) -> None:
    """The schema says integer: text, fractions and truth values break it, however they look."""
    seen: list[int] = []
    with pytest.raises(SchemaViolation, match="quantity"):
        an_inbox(seen).handle(a_body(builders.a_detail(quantity=quantity)))
    assert seen == []


def test_a_version_that_is_not_understood_is_refused_by_its_number() -> None:
    """A breaking change comes as a new version; guessing at it would be worse than stopping."""
    detail = builders.a_detail()
    detail["metadata"]["version"] = 2
    with pytest.raises(UnexpectedEvent, match="SubscriptionCreated version 2 is not handled here"):
        an_inbox([]).handle(a_body(detail))


def test_another_type_is_refused_by_its_name() -> None:
    """A rule that lets too much in shows in the dead letter's reason."""
    with pytest.raises(UnexpectedEvent, match=r"StockAllocated version 1 .* only SubscriptionCr"):
        an_inbox([]).handle(a_body(builders.a_detail(), "StockAllocated"))
