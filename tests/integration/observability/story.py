"""What a lifecycle's trace tells: who, as what, does what, and whose child that is."""

from dataclasses import dataclass

from tests.e2e.world import World
from tests.otlp import ReceivedSpan, Receiver

CLIENT = "the test's own span"

SUBSCRIBE, CANCEL = "POST /subscriptions", "PATCH /payments/{payment_id}"
PUT_ASIDE, GIVE_BACK = "process stock-subscription-created", "process stock-payment-cancelled"
SET_UP = "process payments-subscription-created"
END = "process subscriptions-payment-cancelled"

_CHILDREN = {
    CLIENT: {
        ("subscription-api", "SERVER", SUBSCRIBE),
        ("payment-api", "SERVER", CANCEL),
    },
    SUBSCRIBE: {
        ("subscription-api", "CLIENT", "TransactWriteItems subscriptions"),
        ("subscriptions-relay", "PRODUCER", "send subscriptions-event-bus"),
        # both that react to it
        ("stock-consumer", "CONSUMER", PUT_ASIDE),
        ("payment-consumer", "CONSUMER", SET_UP),
    },
    PUT_ASIDE: {
        ("stock-consumer", "CLIENT", "TransactWriteItems stock"),
        ("stock-relay", "PRODUCER", "send stock-event-bus"),
    },
    SET_UP: {
        ("payment-consumer", "CLIENT", "commitTransaction payments"),
        # payments' way to the bus has a queue in it
        ("payments-change-stream", "PRODUCER", "send payment-events.fifo"),
        ("payments-forward", "PRODUCER", "send payments-event-bus"),
    },
    CANCEL: {
        ("payment-api", "CLIENT", "commitTransaction payments"),
        ("payments-change-stream", "PRODUCER", "send payment-events.fifo"),
        ("payments-forward", "PRODUCER", "send payments-event-bus"),
        ("stock-consumer", "CONSUMER", GIVE_BACK),
        ("subscription-consumer", "CONSUMER", END),
    },
    GIVE_BACK: {
        ("stock-consumer", "CLIENT", "TransactWriteItems stock"),
        ("stock-relay", "PRODUCER", "send stock-event-bus"),
    },
    END: {
        ("subscription-consumer", "CLIENT", "TransactWriteItems subscriptions"),
        ("subscriptions-relay", "PRODUCER", "send subscriptions-event-bus"),
    },
}
"""By the span that it is a child of: the two requests of one client, and what each leads to."""

STORY = {(*span, parent) for parent, spans in _CHILDREN.items() for span in spans}


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


@dataclass(frozen=True)
class Traced:
    """One lifecycle in a running system, and every span that the system sent of it."""

    world: World
    receiver: Receiver
    trace_id: str
    span_id: str
    subscription_id: str
    spans: list[ReceivedSpan]

    def named(self, name: str, service: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if (span.name, span.service) == (name, service)]
