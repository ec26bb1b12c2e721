"""What a lifecycle's trace tells: who, as what, does what, and whose child that is."""

from tests.otlp import ReceivedSpan

CLIENT = "the test's own span"

STORY = {
    # the request, and what committed it
    ("subscription-api", "SERVER", "POST /subscriptions", CLIENT),
    ("subscription-api", "CLIENT", "TransactWriteItems subscriptions", "POST /subscriptions"),
    ("subscriptions-relay", "PRODUCER", "send subscriptions-event-bus", "POST /subscriptions"),
    # both that react to it are its children
    ("stock-consumer", "CONSUMER", "process stock-subscription-created", "POST /subscriptions"),
    (
        "payment-consumer",
        "CONSUMER",
        "process payments-subscription-created",
        "POST /subscriptions",
    ),
    # and so on with what they commit
    (
        "stock-consumer",
        "CLIENT",
        "TransactWriteItems stock",
        "process stock-subscription-created",
    ),
    ("stock-relay", "PRODUCER", "send stock-event-bus", "process stock-subscription-created"),
    (
        "payment-consumer",
        "CLIENT",
        "commitTransaction payments",
        "process payments-subscription-created",
    ),
    # payments' way to the bus has a queue in it
    (
        "payments-change-stream",
        "PRODUCER",
        "send payment-events.fifo",
        "process payments-subscription-created",
    ),
    (
        "payments-forward",
        "PRODUCER",
        "send payments-event-bus",
        "process payments-subscription-created",
    ),
    # the second request of the same client
    ("payment-api", "SERVER", "PATCH /payments/{payment_id}", CLIENT),
    ("payment-api", "CLIENT", "commitTransaction payments", "PATCH /payments/{payment_id}"),
    (
        "payments-change-stream",
        "PRODUCER",
        "send payment-events.fifo",
        "PATCH /payments/{payment_id}",
    ),
    ("payments-forward", "PRODUCER", "send payments-event-bus", "PATCH /payments/{payment_id}"),
    (
        "stock-consumer",
        "CONSUMER",
        "process stock-payment-cancelled",
        "PATCH /payments/{payment_id}",
    ),
    (
        "subscription-consumer",
        "CONSUMER",
        "process subscriptions-payment-cancelled",
        "PATCH /payments/{payment_id}",
    ),
    ("stock-consumer", "CLIENT", "TransactWriteItems stock", "process stock-payment-cancelled"),
    ("stock-relay", "PRODUCER", "send stock-event-bus", "process stock-payment-cancelled"),
    (
        "subscription-consumer",
        "CLIENT",
        "TransactWriteItems subscriptions",
        "process subscriptions-payment-cancelled",
    ),
    (
        "subscriptions-relay",
        "PRODUCER",
        "send subscriptions-event-bus",
        "process subscriptions-payment-cancelled",
    ),
}


def story(spans: list[ReceivedSpan], client: str) -> set[tuple[str, str, str, str]]:
    """Each span with its parent's name; a failed try is no part of it."""
    names = {span.span_id: span.name for span in spans} | {client: CLIENT}
    return {
        (span.service, span.kind, span.name, names.get(span.parent_id, "a span that did not come"))
        for span in spans
        if not span.has_failed
    }


def missing(spans: list[ReceivedSpan], client: str) -> list[tuple[str, str, str, str]]:
    return sorted(STORY - story(spans, client))
