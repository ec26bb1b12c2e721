"""What the endpoint does to a request while a fault is on: a decision for each, by chance."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runtime.verdicts import Family
from verification.chaos import halves
from verification.chaos.halves import Half
from verification.chaos.refusals import refuse
from verification.chaos.schedule import Kind, Trouble
from verification.chaos.wire import Message, answer

SLOW_BY = (0.3, 1.0, 2.0, 7.0)
"""Seconds; our clients give an answer up after 5, so the last is one that comes too late."""


@dataclass(frozen=True)
class Mischief:
    """`delay` seconds first; then an `instead` of AWS's answer, or a `half` of what was asked.

    `reset`: the request is carried out, and the connection is reset in place of the answer.
    """

    delay: float = 0
    instead: Message | None = None
    half: Half | None = None
    reset: bool = False


PASS = Mischief()

_THROTTLED = {
    "DynamoDB_20120810": "ProvisionedThroughputExceededException",
    "AmazonSQS": "RequestThrottled",
}


def decide(kind: Trouble, chance: float, request: Message, chosen: random.Random) -> Mischief:
    """Decide on one request; PASS where the fault does not hit it."""
    if kind is Kind.HALF_FAIL:  # each entry by itself, not the request
        return _half(chance, request, chosen)
    if chosen.random() >= chance:
        return PASS
    if isinstance(kind, Family):
        return Mischief(instead=refuse(request, kind, chosen))
    return _MISCHIEF[kind](request, chosen)


def _half(chance: float, request: Message, chosen: random.Random) -> Mischief:
    body = request.json
    half = body and halves.halve(request.action, body, lambda: chosen.random() < chance)
    return Mischief(half=half) if half else PASS


def _slow(_: Message, chosen: random.Random) -> Mischief:
    return Mischief(delay=chosen.choice(SLOW_BY))


def _throttled(request: Message, _: random.Random) -> Mischief:
    code = _THROTTLED.get(request.service, "ThrottlingException")
    return Mischief(instead=answer(400, {"__type": code, "message": "Rate exceeded"}))


def _failed(_: Message, chosen: random.Random) -> Mischief:
    code, status = chosen.choice((("InternalFailure", 500), ("ServiceUnavailable", 503)))
    return Mischief(instead=answer(status, {"__type": code, "message": "chaos"}))


def _dropped(_: Message, __: random.Random) -> Mischief:
    return Mischief(reset=True)


def _conflicting(request: Message, _: random.Random) -> Mischief:
    return Mischief(instead=_conflict(request)) if request.action == "TransactWriteItems" else PASS


_MISCHIEF: Mapping[Kind, Callable[[Message, random.Random], Mischief]] = {
    Kind.SLOW: _slow,
    Kind.THROTTLE: _throttled,
    Kind.ERROR: _failed,
    Kind.DROP: _dropped,
    Kind.CONFLICT: _conflicting,
}


def _conflict(request: Message) -> Message:
    """Say what AWS says to a transaction that another one got in the way of."""
    count = len((request.json or {}).get("TransactItems", []))
    reasons = [
        {"Code": "TransactionConflict", "Message": "chaos"},
        *[{"Code": "None"}] * (count - 1),
    ]
    return answer(
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled, please refer cancellation reasons for specific"
            f" reasons [{', '.join(reason['Code'] for reason in reasons)}]",
            "CancellationReasons": reasons,
        },
    )
