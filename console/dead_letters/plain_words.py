"""Why a dead letter is where it is, for a reader who has never seen one, and what to do.

The text is plain: no markup, and the error's own message is in it where that says more.
"""

from collections.abc import Mapping

from operations.sources.dead_letters import DeadLetter
from operations.sources.origins import BackToQueue, Origin

_BY_EVENTBRIDGE: Mapping[str, tuple[str, str]] = {
    "NO_PERMISSIONS": (
        "it may not put anything there",
        "Give EventBridge the right to in the target's policy, then redrive it.",
    ),
    "NO_RESOURCE": (
        "that does not exist",
        "Provision it again, then redrive it.",
    ),
    "THROTTLING": (
        "it was too busy each time",
        "Find out what kept it busy, then redrive it.",
    ),
    "TIMEOUT": (
        "it did not answer in time",
        "See whether it answers now, then redrive it.",
    ),
    "CONNECTION_FAILURE": (
        "it could not be reached",
        "See whether it can be reached now, then redrive it.",
    ),
    "FAILED_TO_ASSUME_ROLE": (
        "EventBridge may not use the rule's role",
        "Fix the trust policy of the rule's role, then redrive it.",
    ),
    "RESOURCE_LIMIT_EXCEEDED": (
        "a quota of the target's is used up",
        "Have the quota raised, or the load lowered, then redrive it.",
    ),
}
"""What its ERROR_CODE means, and what fixes it."""

_BY_ANOTHER_CODE = ("could not", "Fix what that says, then redrive it.")
"""For the other codes: EventBridge's own message is shown."""

_ANOTHER_FIRST = (
    "Most often the event that {} it is in a dead-letter queue itself: redrive that one first, then"
    " this one."
)

_BY_CONSUMER: Mapping[str, tuple[str, str]] = {
    "NotAnEvent": (
        "could not read it as an event of this system",
        "Trying again cannot help. Find out who sent it, then drop it.",
    ),
    "UnexpectedEvent": (
        "does not know this type or version of event",
        (
            "Deploy a consumer that does and redrive it; or, if it was never meant for this queue,"
            " fix the rule and drop it."
        ),
    ),
    "SchemaViolation": (
        "could not read a field that it needs",
        (
            "Trying again cannot help while publisher and consumer disagree. Fix the one that is"
            " wrong: redrive it if the consumer can read it then, else drop it."
        ),
    ),
    "CannotOpen": (
        "could not open its sealed bank details",
        (
            "Trying again cannot help: they were changed, are another subscription's, or of a"
            " version that this consumer does not know. Deploy one that does and redrive it, else"
            " drop it."
        ),
    ),
    "EventTooLarge": (
        "handled it, and the event that follows from it would be too large for a bus",
        "Fix what makes it so large, then redrive it.",
    ),
    "SubscriptionNotFound": (
        "knows no such subscription",
        (
            "Follow the subscription to see what is missing. Redrive it once that is there, else"
            " drop it."
        ),
    ),
    "StockNotFound": (
        "has no stock for such a subscription",
        _ANOTHER_FIRST.format("allocates"),
    ),
    "PaymentNotFound": (
        "knows no such payment",
        _ANOTHER_FIRST.format("creates"),
    ),
}
"""What each errorType means that no retry fixes, and what does."""

_BY_RELAY: Mapping[str, tuple[str, str]] = {
    "MalformedRecord": (
        "could not make an event of the row",
        "Fix what wrote the row. A redrive tries once more; if it still cannot, drop it.",
    ),
    "StaysInOutbox": (
        "could neither publish the row nor set it aside, so that it stays in its outbox",
        "Repair or delete that row, then drop this: it holds the row's key alone.",
    ),
    "EventTooLarge": (
        "could not publish it: it is larger than a bus takes",
        "Fix what makes it so large. This one can only be dropped.",
    ),
    "NeverAccepted": (
        "could not publish it: the bus refused it, and always would",
        "Fix what the bus complains of. A redrive tries once more.",
    ),
}


def plain(dead_letter: DeadLetter, origin: Origin) -> str:
    """Say in a few sentences what happened to a dead letter, and what fixes it."""
    match dead_letter.putter:
        case "eventbridge":
            return _undeliverable(dead_letter, origin)
        case "handler":
            return _unhandled(dead_letter, origin)
        case "lambda":
            return (
                "Lambda gave up a batch of rows that it could not hand to the relay. The rows are"
                " still in the outbox, and the sweep brings them: nothing is lost. Drop this once"
                " the outbox is empty."
            )
        case "sqs":
            return (
                f"{dead_letter.by} received it {dead_letter.tries} times and never deleted it: it"
                " died in the middle, or its answer was lost on the way. See in its log what"
                " happened, fix that, then redrive it."
            )
    return (
        f"It has no reason with it; {dead_letter.by} may have logged one. Look at its body: redrive"
        " it if it is an event, else drop it."
    )


def _undeliverable(dead_letter: DeadLetter, origin: Origin) -> str:
    if record := dead_letter.record:
        return (
            f"The {dead_letter.by} tried{_times(dead_letter)} to deliver"
            f" ({dead_letter.why}), and this says which events. Fix the cause; then"
            f" {record.how_to_read_again}."
        )
    code = dead_letter.attributes.get("ERROR_CODE", "")
    why, fix = _BY_EVENTBRIDGE.get(code, _BY_ANOTHER_CODE)
    tried = f"EventBridge tried{_times(dead_letter)} to bring it to {origin.destination}"
    return f"{tried}, and {why} ({dead_letter.why}). {fix}"


def _unhandled(dead_letter: DeadLetter, origin: Origin) -> str:
    kind = dead_letter.attributes.get("errorType", "")
    said = dead_letter.why.removeprefix(f"{kind}: ")
    consumed = isinstance(origin.destination, BackToQueue) and not origin.destination.fifo
    known = _BY_CONSUMER if consumed else _BY_RELAY
    if kind in known:
        what, fix = known[kind]
        return f"{dead_letter.by} {what}: {said}. {fix}"
    return (
        f"{dead_letter.by} tried{_times(dead_letter)} and failed with an error that it does not"
        f" know: {dead_letter.why}. That is mostly a bug, or something it depends on: its log has"
        " more. Fix that, then redrive it."
    )


def _times(dead_letter: DeadLetter) -> str:
    return f" {dead_letter.tries} times" if dead_letter.tries and dead_letter.tries > 1 else ""
