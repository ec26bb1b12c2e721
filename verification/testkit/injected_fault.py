"""What can go wrong, and what an endpoint does to a request meanwhile: a decision by chance."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runtime.verdicts import Family
from verification.testkit.http_messages import HttpMessage, answer
from verification.testkit.partial_failures import Body, EntryFailure, PartialFailure, fail_partially
from verification.testkit.refusals import refuse

DELAYS = (0.3, 1.0, 2.0, 7.0)
"""Seconds; our clients give an answer up after 5, so the last is one that comes too late."""


class FaultKind(StrEnum):
    """What can be done to a process, or to the endpoint between the processes and AWS."""

    KILL = "kill -9"
    FREEZE = "freeze"
    CUT = "cut"
    SLOW = "slow"
    THROTTLE = "throttle"
    ERROR = "5xx"
    DROP = "answer dropped after success"
    HALF_FAIL = "partial failure behind 200"
    CONFLICT = "transaction conflict"
    ROTATE = "key rotated"


AnyFault = FaultKind | Family
"""Those of the endpoint that are named by a family answer with its errors."""


@dataclass(frozen=True)
class InjectedFault:
    """`delay` seconds first; then an `instead` of AWS's answer, or a `partial` failure.

    `reset`: the request is carried out, and the connection is reset in place of the answer.
    """

    delay: float = 0
    instead: HttpMessage | None = None
    partial: PartialFailure | None = None
    reset: bool = False


NO_FAULT = InjectedFault()


@dataclass(frozen=True)
class FaultSource:
    """The fault that is on; `chance` is the share of the requests it hits of those it is for.

    It is for those whose target begins with `target`. A slow answer takes one of `delays` seconds.
    """

    kind: AnyFault
    chance: float = 1.0
    target: str = ""
    delays: Sequence[float] = DELAYS

    def cuts(self, request: HttpMessage) -> bool:
        """Whether the request's connection is reset, and nothing carried out."""
        return self.kind is FaultKind.CUT and request.target.startswith(self.target)

    def decide(self, request: HttpMessage, chosen: random.Random) -> InjectedFault:
        """Decide on one request; NO_FAULT where the fault does not hit it."""
        if not request.target.startswith(self.target):
            return NO_FAULT
        if self.kind is FaultKind.HALF_FAIL:  # each entry by itself, not the request
            return self._partial(request, chosen)
        if chosen.random() >= self.chance:
            return NO_FAULT
        if isinstance(self.kind, Family):
            return InjectedFault(instead=refuse(request, self.kind, chosen))
        if self.kind is FaultKind.SLOW:
            return InjectedFault(delay=chosen.choice(self.delays))
        return _FAULTS[self.kind](request, chosen)

    def _partial(self, request: HttpMessage, chosen: random.Random) -> InjectedFault:
        code = "InternalFailure" if request.action == "PutEvents" else "InternalError"

        def choose(_: Body) -> EntryFailure | None:
            return (code, "injected") if chosen.random() < self.chance else None

        body = request.json
        return InjectedFault(partial=fail_partially(request.action, body, choose) if body else None)


_THROTTLED = {
    "DynamoDB_20120810": "ProvisionedThroughputExceededException",
    "AmazonSQS": "RequestThrottled",
}


def _throttled(request: HttpMessage, _: random.Random) -> InjectedFault:
    code = _THROTTLED.get(request.service, "ThrottlingException")
    return InjectedFault(instead=answer(400, {"__type": code, "message": "Rate exceeded"}))


def _failed(_: HttpMessage, chosen: random.Random) -> InjectedFault:
    code, status = chosen.choice((("InternalFailure", 500), ("ServiceUnavailable", 503)))
    return InjectedFault(instead=answer(status, {"__type": code, "message": "injected"}))


def _dropped(_: HttpMessage, __: random.Random) -> InjectedFault:
    return InjectedFault(reset=True)


def _conflicting(request: HttpMessage, _: random.Random) -> InjectedFault:
    """Say what AWS says to a transaction that another one got in the way of."""
    if request.action != "TransactWriteItems":
        return NO_FAULT
    count = len((request.json or {}).get("TransactItems", []))
    reasons = [
        {"Code": "TransactionConflict", "HttpMessage": "injected"},
        *[{"Code": "None"}] * (count - 1),
    ]
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled, please refer cancellation reasons for specific"
        f" reasons [{', '.join(reason['Code'] for reason in reasons)}]",
        "CancellationReasons": reasons,
    }
    return InjectedFault(instead=answer(400, body))


_FAULTS: Mapping[FaultKind, Callable[[HttpMessage, random.Random], InjectedFault]] = {
    FaultKind.THROTTLE: _throttled,
    FaultKind.ERROR: _failed,
    FaultKind.DROP: _dropped,
    FaultKind.CONFLICT: _conflicting,
}
