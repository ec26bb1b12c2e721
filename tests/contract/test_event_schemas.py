"""What we publish: schemas that follow the models, and samples that nobody edits."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from contracts.envelope import ReceivedEvent
from contracts.names import EventType
from contracts.timestamps import parse_timestamp
from infra.topology import LIFECYCLES
from runtime.sqs.handler import EventHandler
from services.payment import consumer as payment_consumer
from services.payment.handlers import Handlers as PaymentHandlers
from services.stock import consumer as stock_consumer
from services.stock.handlers import Handlers as StockHandlers
from services.subscription import consumer as subscription_consumer
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.model import Order
from tests.builders import ACCOUNT, START, a_cause, an_order, delivered
from tests.fake_kms import SAMPLE_SECRET, FakeKms
from tests.fakes import MemoryPayments, MemoryStock, MemorySubscriptions, opened, sealed
from tests.hostile import Odd, document_of, times
from tools import event_schemas
from tools.generated import outdated

CONTRACTS = Path(event_schemas.SCHEMAS).parent
SAMPLES = sorted((CONTRACTS / "samples").glob("*.json"))

SOURCES: dict[str, str] = {
    event: each.source for each in LIFECYCLES.values() for event in each.events
}

SUBSCRIPTION = [
    *("id", "subscriptionId", "accountNumber", "accountName", "accountSortCode"),
    *("customerFirstName", "customerSurname", "quantity", "status", "event", "updated"),
]
ERASED = ["id", "subscriptionId", "status", "event", "created", "updated"]
STOCK = [
    *("id", "subscriptionId", "stockId", "stock", "status", "event", "created", "updated"),
]
PAYMENT = [
    *("_id", "subscriptionId", "accountNumber", "status", "event", "created", "updated"),
]

DESIGN = {
    "SubscriptionCreated": ("app.subscriptions", SUBSCRIPTION),
    "SubscriptionCancelled": ("app.subscriptions", SUBSCRIPTION),
    "StockAllocated": ("app.stock", STOCK),
    "SubscriptionErased": ("app.subscriptions", ERASED),
    "StockRejected": ("app.stock", [*STOCK, "asked", "available"]),
    "StockDeallocated": ("app.stock", STOCK),
    "PaymentCreated": ("app.payments", PAYMENT),
    "PaymentCancelled": ("app.payments", PAYMENT),
}
"""Source, and what the detail has beside its metadata.

It holds the three domains; a further one is held by its samples alone.
"""

IN_TWO_VERSIONS = (
    *("SubscriptionCreated", "SubscriptionCancelled"),
    *("PaymentCreated", "PaymentCancelled"),
)
VERSIONS = [*((each, 1) for each in SOURCES), *((each, 2) for each in IN_TWO_VERSIONS)]

every_version = pytest.mark.parametrize(("event_type", "version"), VERSIONS, ids=str)

SEAL = FakeKms(secret=SAMPLE_SECRET).seal()

METADATA = [
    *("eventId", "version", "aggregateId", "sequence", "occurredAt"),
    *("correlationId", "causationId", "traceparent"),
]

WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def wire_formats() -> FormatChecker:
    """Checks `date-time` for our form, which is stricter: UTC and milliseconds."""
    checker = FormatChecker(formats=())

    @checker.checks("date-time", raises=ValueError)
    def is_wire_time(text: object) -> bool:
        return bool(WIRE_TIME.fullmatch(str(text)) and parse_timestamp(str(text)))

    return checker


def schema_of(event_type: str, version: int = 1) -> dict[str, Any]:
    path = CONTRACTS / "schemas" / f"{event_type}.v{version}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def validate(detail: Mapping[str, Any]) -> None:
    """Raise ValidationError unless the detail is as its event's schema says."""
    schema = schema_of(detail["event"], detail.get("metadata", {}).get("version", 1))
    Draft202012Validator(schema, format_checker=wire_formats()).validate(detail)


def sample_of(event_type: str, version: int = 1) -> dict[str, Any]:
    path = CONTRACTS / "samples" / f"{event_type}.v{version}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_the_committed_schemas_are_what_the_models_say() -> None:
    """Whoever changes a published model sees it in the diff, under the schema's version."""
    assert outdated(event_schemas.rendered()) == [], "`make schemas`, or mind the version"


def test_every_event_has_a_schema_and_a_sample() -> None:
    """One of each for every type and version; a schema for records, and for what is sealed."""
    every_one = {f"{event_type}.v{version}.json" for event_type, version in VERSIONS}
    assert set(SOURCES) == set(EventType)
    schemas = {path.name for path in (CONTRACTS / "schemas").iterdir()}
    assert schemas == {*every_one, "OutboxRecord.v1.json", "BankDetails.v1.json"}
    assert {path.name for path in SAMPLES} == every_one


@every_version
def test_a_schema_is_a_schema(event_type: str, version: int) -> None:
    """Draft 2020-12, with a name of its own, and a word on every field that needs one."""
    schema = schema_of(event_type, version)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:streamed-events:{event_type}:v{version}"
    fields = {**schema["properties"], **schema["$defs"]["Metadata"]["properties"]}
    told = {"description", "const", "$ref"}
    assert [name for name in fields if told.isdisjoint(fields[name])] == []


@every_version
def test_a_schema_requires_what_was_ever_published(event_type: str, version: int) -> None:
    """Every field of the sample, which is never edited, and all eight fields of the metadata."""
    schema = schema_of(event_type, version)
    assert sample_of(event_type, version)["detail"].keys() <= set(schema["required"])
    assert sorted(schema["$defs"]["Metadata"]["required"]) == sorted(METADATA)
    assert schema["properties"]["event"]["const"] == event_type


@pytest.mark.parametrize("event_type", DESIGN)
def test_schema_and_sample_are_as_the_design_has_them(event_type: str) -> None:
    """Source and fields by their names, and the envelope's time: that of the event, cut."""
    source, fields = DESIGN[event_type]
    sample = sample_of(event_type)
    assert SOURCES[event_type] == sample["source"] == source
    assert sample["detail"].keys() >= {*fields, "metadata"}
    assert {*fields, "metadata"} <= set(schema_of(event_type)["required"])
    occurred = ReceivedEvent.parse(json.dumps(sample)).metadata.occurred_at
    assert parse_timestamp(sample["time"]) == occurred.replace(microsecond=0)


@every_version
def test_a_sample_is_an_event_as_delivered(event_type: str, version: int) -> None:
    """The whole envelope, with the source of its domain and the one account we name."""
    sample = sample_of(event_type, version)
    assert sample.keys() == {
        *("version", "id", "detail-type", "source", "account"),
        *("time", "region", "resources", "detail"),
    }
    assert (sample["detail-type"], sample["source"]) == (event_type, SOURCES[event_type])
    assert (sample["version"], sample["account"], sample["resources"]) == ("0", ACCOUNT, [])
    event = ReceivedEvent.parse(json.dumps(sample))
    assert event.id != event.metadata.event_id
    # In whole seconds: some round, and some cut.
    assert abs(parse_timestamp(sample["time"]) - event.metadata.occurred_at) < timedelta(seconds=1)
    validate(sample["detail"])


@every_version
def test_a_detail_without_a_required_field_breaks_the_schema(event_type: str, version: int) -> None:
    """The schema does refuse: each field of the sample, left out."""
    detail = sample_of(event_type, version)["detail"]
    for missing in detail:
        if missing != "event":
            with pytest.raises(ValidationError, match=missing):
                validate({name: value for name, value in detail.items() if name != missing})
    for missing in METADATA:
        metadata = {k: value for k, value in detail["metadata"].items() if k != missing}
        with pytest.raises(ValidationError, match=missing):
            validate({**detail, "metadata": metadata})
    with pytest.raises(ValidationError, match="date-time"):
        validate({**detail, "updated": "2026-11-23T09:30:00+01:00"})


@every_version
def test_a_detail_may_grow(event_type: str, version: int) -> None:
    """A field more is no breaking change, and needs no new version."""
    validate({**sample_of(event_type, version)["detail"], "colour": "blue"})


def test_a_published_sample_is_never_edited() -> None:
    """A changed meaning is a new version, with a sample beside this one, and its checksum."""
    for path in SAMPLES:
        recorded = path.with_name(f"{path.name}.sha256").read_text(encoding="utf-8")
        assert recorded == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


def consumers() -> dict[str, tuple[str, EventHandler]]:
    """Each queue, the event that its rule lets in, and the handler that reads it.

    Subscription and payment of the samples exist: their consumers would refuse a stranger's.
    """
    subscriptions, stock, payments = MemorySubscriptions(), MemoryStock(), MemoryPayments()
    subscription_handlers = SubscriptionHandlers(subscriptions)
    subscription_handlers.subscribe(an_order(), a_cause(), key="sample")
    stock_handlers, payment_handlers = StockHandlers(stock), PaymentHandlers(payments)
    return {
        "subscriptions-payment-cancelled": (
            "PaymentCancelled",
            subscription_consumer.payment_cancelled(subscription_handlers),
        ),
        "stock-subscription-created": (
            "SubscriptionCreated",
            stock_consumer.subscription_created(stock_handlers),
        ),
        "stock-payment-cancelled": (
            "PaymentCancelled",
            stock_consumer.payment_cancelled(stock_handlers),
        ),
        "subscriptions-stock-rejected": (
            "StockRejected",
            subscription_consumer.stock_rejected(subscription_handlers),
        ),
        "payments-subscription-created": (
            "SubscriptionCreated",
            payment_consumer.subscription_created(payment_handlers, SEAL.open),
        ),
        "payments-subscription-cancelled": (
            "SubscriptionCancelled",
            payment_consumer.subscription_cancelled(payment_handlers),
        ),
        "payments-subscription-erased": (
            "SubscriptionErased",
            payment_consumer.subscription_erased(payment_handlers),
        ),
    }


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("queue", consumers())
def test_every_consumer_reads_the_samples_it_gets(queue: str, version: int) -> None:
    """What was ever published is still handled by whoever receives it, today's code included."""
    event_type, handler = consumers()[queue]
    if (event_type, version) in VERSIONS:
        handler.handle(json.dumps(sample_of(event_type, version)))


def test_what_the_sample_seals_is_as_its_schema_says() -> None:
    """Opened, it is the subscription's own; beyond it no second version has personal data."""
    detail = sample_of("SubscriptionCreated", 2)["detail"]
    details = json.loads(SEAL.open(detail["bankDetails"]))
    Draft202012Validator(schema_of("BankDetails")).validate(details)
    assert details["subscriptionId"] == detail["subscriptionId"]
    for event_type in IN_TWO_VERSIONS:
        text = (CONTRACTS / "samples" / f"{event_type}.v2.json").read_text()
        assert not any(each in text for each in ("1234567", "Lovelace", "Ada", "12-34"))
        fields = schema_of(event_type, 2)["properties"].keys()
        assert not [each for each in fields if each.startswith(("account", "customer"))]


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70)
orders = st.builds(
    Order,
    account_number=st.text("0123456789", min_size=6, max_size=10),
    account_name=texts,
    account_sort_code=st.text("0123456789", min_size=6, max_size=6),
    customer_first_name=texts,
    customer_surname=texts,
    quantity=st.integers(1, 10),
)


@settings(deadline=None)
@given(orders, st.sampled_from([1, 2]))
def test_whatever_is_ordered_every_event_of_its_life_keeps_its_schema(
    order: Order, version: int
) -> None:
    """From the order to the last cancellation, each published detail is as its schema says."""
    subscriptions, stock, payments = MemorySubscriptions(), MemoryStock(), MemoryPayments()
    subscription_handlers, payment_handlers = (
        SubscriptionHandlers(subscriptions, event_version=version, seal=sealed),
        PaymentHandlers(payments, event_version=version),
    )
    stock_handlers = StockHandlers(stock)
    subscription = subscription_handlers.subscribe(order, a_cause())
    created = delivered(subscriptions.outbox[-1])
    stock_consumer.subscription_created(stock_handlers).handle(created)
    payment_consumer.subscription_created(payment_handlers, opened).handle(created)
    payment_handlers.cancel(subscription.subscription_id, a_cause())
    cancelled = delivered(payments.outbox[-1])
    stock_consumer.payment_cancelled(stock_handlers).handle(cancelled)
    subscription_consumer.payment_cancelled(subscription_handlers).handle(cancelled)
    subscription_handlers.erase(subscription.subscription_id, a_cause())
    payment_consumer.subscription_erased(payment_handlers).handle(
        delivered(subscriptions.outbox[-1])
    )
    published = [*subscriptions.outbox, *stock.outbox, *payments.outbox]
    lifecycles = [LIFECYCLES[domain] for domain in ("subscriptions", "stock", "payments")]
    assert {record.event_type for record in published} == {
        event for each in lifecycles for event in each.events
    } - {EventType.STOCK_REJECTED}
    for record in published:
        detail = json.loads(record.detail)
        validate(detail)
        assert detail["metadata"]["version"] == (
            version if record.event_type in IN_TWO_VERSIONS else 1
        )
        assert record.source == SOURCES[record.event_type]


@pytest.mark.parametrize("odd", times(START), ids=repr)
def test_the_outbox_records_schema_takes_what_a_relay_takes(odd: Odd) -> None:
    """Time for time, but for days that no calendar has: a pattern cannot count those."""
    document = document_of("a", odd, START)
    schema = event_schemas.outbox_record_schema()
    Draft202012Validator.check_schema(schema)
    valid = Draft202012Validator(schema).is_valid(document)
    looks_like_a_time = ("9999-02-30", "2027-13-01", ":60.000Z", "0000-01-01", "0001-01", "9999-12")
    if not any(each in str(odd.value) for each in looks_like_a_time):
        assert valid is not odd.is_malformed
