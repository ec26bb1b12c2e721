"""Routes and schemas of the payment service."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Request, Security
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import ReadModel, WireModel
from contracts.timestamps import Timestamp
from runtime import cursors
from runtime.http.app import cause_of
from runtime.http.auth import require
from runtime.http.etags import TaggedRoute
from runtime.http.pagination import DEFAULT_LIMIT, Cursor, Limit, PageView, page_example
from runtime.http.problem_kinds import INVALID, NOT_FOUND, Kind
from runtime.http.problems import ON_CHANGE, ON_LIST, ON_READ
from runtime.http.threads import in_thread
from runtime.outbox.commit import AggregateStore
from services.payment.handlers import Handlers
from services.payment.model import (
    DomainError,
    Payment,
    PaymentNotFound,
    ReasonCode,
    Status,
    SubscriptionMismatch,
)

KINDS: dict[type[Exception], Kind] = {
    PaymentNotFound: NOT_FOUND,
    SubscriptionMismatch: INVALID,
    DomainError: INVALID,
}

_READS = Security(require, scopes=["payments:read"])
_CANCELS = Security(require, scopes=["payments:cancel"])

# The id of the subscription in the subscription service's examples.
_ID = "280d2be1-0a4c-5fe9-9a74-da3b91a9c428"
_PaymentId = Annotated[
    str,
    Path(
        description="The payment's id: that of its subscription.",
        max_length=128,
        examples=[_ID],
    ),
]


class PaymentPatch(ReadModel):
    """What a third party may change of a payment: it may cancel it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"status": "cancelled"}]}
    )

    status: Literal["cancelled"] = Field(description="The only change there is.")
    subscription_id: str | None = Field(
        default=None, description="If sent, it must be the id in the path."
    )


_EXAMPLE: JsonDict = {
    "id": _ID,
    "subscriptionId": _ID,
    "accountNumber": "12345678",
    "status": "active",
    "created": "2026-11-23T09:30:00.000Z",
    "updated": "2026-11-23T09:30:00.000Z",
    "version": 1,
}


class PaymentView(WireModel):
    """The current state of a direct debit."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="The subscription that it pays for.")
    account_number: str | None = Field(
        description="Bank account that is debited; null where no debit was made, or it was erased."
    )
    status: Status = Field(description="active, and later perhaps cancelled.")
    created: Timestamp = Field(description="When it was set up.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1, and one more with each change.")
    reason_code: ReasonCode | None = Field(
        default=None,
        description="Why the bank cancelled it, a reason code of Bacs' ADDACS; null if it did not.",
    )

    erased_at: Timestamp | None = Field(
        default=None, description="When the account number was erased; null if it was not."
    )

    @classmethod
    def of(cls, payment: Payment) -> Self:
        return cls.from_fields_of(payment)


class PaymentPage(PageView[PaymentView]):
    """Some payments, and where to go on."""

    model_config = page_example(_EXAMPLE)


def routes(handlers: Handlers, store: AggregateStore[Payment]) -> APIRouter:
    router = APIRouter(prefix="/payments", tags=["payments"], route_class=TaggedRoute)

    @router.get(
        "/{payment_id}",
        summary="Read one payment",
        description="Reads what was last committed.",
        response_description="The payment.",
        responses=ON_READ,
        dependencies=[_READS],
    )
    async def get(payment_id: _PaymentId) -> PaymentView:
        return PaymentView.of(await in_thread(handlers.get, payment_id))

    @router.patch(
        "/{payment_id}",
        summary="Cancel a payment",
        description=(
            "Cancels the direct debit; the subscription and its stock follow by themselves. "
            "Cancelling again answers the same and raises no second event."
        ),
        response_description="The payment, cancelled.",
        responses=ON_CHANGE,
        dependencies=[_CANCELS],
    )
    async def patch(payment_id: _PaymentId, body: PaymentPatch, request: Request) -> PaymentView:
        if body.subscription_id not in {None, payment_id}:
            raise SubscriptionMismatch(payment_id)
        payment = await in_thread(handlers.cancel, payment_id, cause_of(request))
        return PaymentView.of(payment)

    @router.get(
        "",
        summary="List payments",
        description="Lists the payments with one status, or all, in order of their ids.",
        response_description="A page of payments.",
        responses=ON_LIST,
        dependencies=[_READS],
    )
    def page(
        status: Annotated[
            Status | None, Query(description="Only payments with this status.", examples=["active"])
        ] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> PaymentPage:
        scope = f"payments?status={status}"
        found = store.page(where=status, limit=limit, after=cursors.decode(scope, cursor))
        return PaymentPage.of(found, PaymentView.of, scope)

    return router
