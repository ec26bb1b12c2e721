"""What can go wrong, and what an endpoint does to a request meanwhile: a decision by chance."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import Literal

from runtime.verdicts import Family
from verification.testkit.http_messages import HttpMessage, answer, error
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
    BACKLOG = "accepts more than it works off, and answers late"
    THROTTLE = "throttle"
    ERROR = "5xx"
    DROP = "answer dropped after success"
    HALF_FAIL = "partial failure behind 200"
    CONFLICT = "transaction conflict"
    ROTATE = "key rotated"


AnyFault = FaultKind | Family
"""Those of the endpoint that are named by a family answer with its errors."""


@dataclass(frozen=True)
class Late:
    """It is carried out at once, whoever waits for it, and answered after so many seconds."""

    seconds: float


@dataclass
class Turns:
    """Entries wait for their turn; `rate` of them have it in a second."""

    rate: float
    _free_at: float = 0.0

    def late(self, entries: int) -> Late:
        """Until the last of some more has had its turn."""
        now = monotonic()
        self._free_at = max(now, self._free_at) + entries / self.rate
        return Late(self._free_at - now)


InjectedFault = float | Late | HttpMessage | PartialFailure | Literal[FaultKind.DROP] | None
"""What happens to one request: nothing, seconds of delay, an answer in place of AWS's, a part of
the batch fails, it is carried out and answered late, or carried out and the connection reset in
place of the answer."""

BACKLOG_RATE = 20.0
"""Entries a second that a bus works off which answers late."""


@dataclass(frozen=True)
class FaultSource:
    """The fault that is on; `chance` is the share of the requests it hits of those it is for.

    It is for those whose target begins with `target`. A slow answer takes one of `delays` seconds.
    """

    kind: AnyFault
    chance: float = 1.0
    target: str = ""
    delays: Sequence[float] = DELAYS
    turns: Turns = field(default_factory=lambda: Turns(BACKLOG_RATE))

    def cuts(self, request: HttpMessage) -> bool:
        """Whether the request's connection is reset, and nothing carried out."""
        return self.kind is FaultKind.CUT and request.target.startswith(self.target)

    def decide(self, request: HttpMessage, chosen: random.Random) -> InjectedFault:
        """Decide on one request; None where the fault does not hit it."""
        if not request.target.startswith(self.target):
            return None
        if self.kind is FaultKind.HALF_FAIL:  # each entry by itself, not the request
            return self._partial(request, chosen)
        return None if chosen.random() >= self.chance else self._fault(request, chosen)

    def _fault(self, request: HttpMessage, chosen: random.Random) -> InjectedFault:
        fault: InjectedFault = None
        match self.kind:
            case Family() as family:
                fault = refuse(request, family, chosen)
            case FaultKind.SLOW:
                fault = chosen.choice(self.delays)
            case FaultKind.BACKLOG if request.action == "PutEvents":
                fault = self.turns.late(len((request.json or {}).get("Entries", [])))
            case FaultKind.THROTTLE:
                code = _THROTTLED.get(request.service, "ThrottlingException")
                fault = error(400, code, "Rate exceeded")
            case FaultKind.ERROR:
                code, status = chosen.choice(
                    (("InternalFailure", 500), ("ServiceUnavailable", 503))
                )
                fault = error(status, code)
            case FaultKind.DROP:
                fault = FaultKind.DROP
            case FaultKind.CONFLICT if request.action == "TransactWriteItems":
                fault = _conflict(len((request.json or {}).get("TransactItems", [])))
        return fault

    def _partial(self, request: HttpMessage, chosen: random.Random) -> PartialFailure | None:
        code = "InternalFailure" if request.action == "PutEvents" else "InternalError"

        def choose(_: Body) -> EntryFailure | None:
            return (code, "injected") if chosen.random() < self.chance else None

        body = request.json
        return fail_partially(request.action, body, choose) if body else None


_THROTTLED = {
    "DynamoDB_20120810": "ProvisionedThroughputExceededException",
    "AmazonSQS": "RequestThrottled",
}


def _conflict(items: int) -> HttpMessage:
    """What AWS says to a transaction that another one got in the way of."""
    reasons = [
        {"Code": "TransactionConflict", "HttpMessage": "injected"},
        *[{"Code": "None"}] * (items - 1),
    ]
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled, please refer cancellation reasons for specific"
        f" reasons [{', '.join(reason['Code'] for reason in reasons)}]",
        "CancellationReasons": reasons,
    }
    return answer(400, body)
