"""Routes and schemas of the subscription service."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Header, Path, Query, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from contracts.envelope import ReadModel, WireModel
from contracts.timestamps import Timestamp
from runtime import cursors
from runtime.callers import Caller
from runtime.http.app import cause_of
from runtime.http.auth import InsufficientScope, require
from runtime.http.etags import TaggedRoute
from runtime.http.pagination import DEFAULT_LIMIT, Cursor, Limit, PageView, page_example
from runtime.http.problem_kinds import (
    ERASED,
    INVALID,
    NOT_CANCELLED,
    NOT_FOUND,
    Kind,
)
from runtime.http.problems import ON_CHANGE, ON_CREATE, ON_LIST, ON_READ, documented
from runtime.text import CONTROLS
from services.subscription.handlers import Handlers
from services.subscription.model import (
    CancelledBy,
    DomainError,
    IdempotencyKeyReused,
    Order,
    Reason,
    Status,
    StillActive,
    Subscription,
    SubscriptionGone,
    SubscriptionNotFound,
)
from services.subscription.store import SubscriptionStore

KINDS: dict[type[Exception], Kind] = {
    SubscriptionNotFound: NOT_FOUND,
    IdempotencyKeyReused: INVALID,
    SubscriptionGone: ERASED,
    StillActive: NOT_CANCELLED,
    DomainError: INVALID,
}

READ, READ_ALL, WRITE = "subscriptions:read", "subscriptions:read:all", "subscriptions:write"
"""Scopes: one's own; everybody's, for staff; to subscribe, and to cancel one's own."""

CANCEL_ALL, ERASE = "subscriptions:cancel:all", "subscriptions:erase"
"""Scopes of staff: to cancel every customer's; to erase what is cancelled."""

_Reader = Annotated[Caller | None, Security(require, scopes=[READ, READ_ALL])]
_Writer = Annotated[Caller | None, Security(require, scopes=[WRITE])]
_Canceller = Annotated[Caller | None, Security(require, scopes=[WRITE, CANCEL_ALL])]

# What the example key leads to: the examples work one after the other, as they are.
_ID = "280d2be1-0a4c-5fe9-9a74-da3b91a9c428"
_KEY = "order-2026-11-23-0001"
# Letters, marks, digits, punctuation and spaces between them.
_Name = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=70,
        pattern=rf"^[^\s{CONTROLS}]([^{CONTROLS}]*[^\s{CONTROLS}])?$",
    ),
]
# Digits alone are a number; with one of A-Z or a-z among them it is a reference.
_AccountNumber = Annotated[
    str,
    StringConstraints(max_length=34, pattern=r"^([0-9]{6,10}|[0-9-]*[A-Za-z][A-Za-z0-9-]*)$"),
]


_SubscriptionId = Annotated[
    str, Path(description="The subscription's id.", max_length=128, examples=[_ID])
]

_StatedReason = Literal[
    Reason.NOT_STATED,
    Reason.NO_LONGER_NEEDED,
    Reason.TOO_EXPENSIVE,
    Reason.DISSATISFIED,
    Reason.MOVED_AWAY,
    Reason.OTHER,
]


class NewSubscription(ReadModel):
    """A year of razors, from today."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "accountNumber": "12345678",
                    "accountName": "A Lovelace",
                    "accountSortCode": "12-34-56",
                    "customerFirstName": "Ada",
                    "customerSurname": "Lovelace",
                    "quantity": 2,
                }
            ]
        },
    )

    account_number: _AccountNumber = Field(
        description=(
            "Bank account to debit: 6 to 10 digits, or a reference such as acc-222: up to 34 of"
            " A-Z, a-z, 0-9 and hyphens, with one of A-Z or a-z among them."
        )
    )
    account_name: _Name = Field(description="Name on the bank account.")
    account_sort_code: Annotated[
        str, StringConstraints(pattern=r"^([0-9]{6}|[0-9]{2}-[0-9]{2}-[0-9]{2})$")
    ] = Field(description="Sort code of the bank: 6 digits, with or without dashes.")
    customer_first_name: _Name = Field(description="The customer's first name.")
    customer_surname: _Name = Field(description="The customer's surname.")
    quantity: int = Field(default=1, ge=1, le=10, strict=True, description="Razors a month.")

    def to_order(self) -> Order:
        return Order(**dict(self))


class CancellationBody(ReadModel):
    """Why a subscription is cancelled; free text is not taken."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "too expensive"}]}
    )

    reason: _StatedReason = Field(default=Reason.NOT_STATED, description="Why.")


_EXAMPLE: JsonDict = {
    "id": _ID,
    "subscriptionId": _ID,
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
    "status": "active",
    "created": "2026-11-23T09:30:00.000Z",
    "updated": "2026-11-23T09:30:00.000Z",
    "version": 1,
}


class SubscriptionView(WireModel):
    """The current state of a subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="Names the subscription in all three services.")
    account_number: str | None = Field(
        default=None, description="Bank account that is debited; null once erased."
    )
    account_name: str | None = Field(
        default=None, description="Name on the bank account; null once erased."
    )
    account_sort_code: str | None = Field(
        default=None, description="Sort code of the bank; null once erased."
    )
    customer_first_name: str | None = Field(
        default=None, description="The customer's first name; null once erased."
    )
    customer_surname: str | None = Field(
        default=None, description="The customer's surname; null once erased."
    )
    quantity: int | None = Field(default=None, description="Razors a month; null once erased.")
    status: Status = Field(description="active, then perhaps cancelled, then perhaps erased.")
    cancelled_by: CancelledBy | None = Field(
        default=None, description="Who ended it; null while active.", examples=["customer"]
    )
    reason: Reason | None = Field(
        default=None, description="Why it ended; null while active.", examples=["too expensive"]
    )
    cancelled_reason: Reason | None = Field(
        default=None,
        validation_alias="reason",
        description="The same as reason.",
        examples=["too expensive"],
    )
    created: Timestamp = Field(description="When it was created.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1, and one more with each change.")

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        return cls.from_fields_of(subscription.order, subscription)


class CancellationView(WireModel):
    """How a subscription ended, without personal data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "subscriptionId": _ID,
                    "status": "cancelled",
                    "cancelledBy": "customer",
                    "reason": "too expensive",
                    "updated": "2026-11-24T09:30:00.000Z",
                    "version": 2,
                }
            ]
        }
    )

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="The subscription.")
    status: Status = Field(description="cancelled, or erased.")
    cancelled_by: CancelledBy = Field(description="Who ended it.")
    reason: Reason = Field(description="Why it ended.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1, and one more with each change.")

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        return cls.from_fields_of(subscription)


class SubscriptionPage(PageView[SubscriptionView]):
    """Some subscriptions, and where to go on."""

    model_config = page_example(_EXAMPLE)


ON_SUBSCRIBE = {**ON_CREATE, **documented(ERASED)}
ON_ERASURE = {**ON_READ, **documented(NOT_CANCELLED)}


def _owner_shown_to(caller: Caller | None) -> str | None:
    """Whose subscriptions a caller may see; None for everybody's."""
    return None if caller is None or READ_ALL in caller.scopes else caller.owner


def routes(handlers: Handlers, store: SubscriptionStore) -> APIRouter:
    router = APIRouter(prefix="/subscriptions", tags=["subscriptions"], route_class=TaggedRoute)

    @router.post(
        "",
        status_code=201,
        summary="Subscribe",
        description=(
            "Creates a subscription, which is its caller's. Stock and a direct debit follow by "
            "themselves."
        ),
        response_description="The subscription; its address is in Location.",
        responses=ON_SUBSCRIBE,
    )
    async def subscribe(
        body: NewSubscription,
        request: Request,
        response: Response,
        caller: _Writer,
        idempotency_key: Annotated[
            str | None,
            Header(
                description=(
                    "Makes a repeated request safe: the same key and body give the same "
                    "subscription, the same key with another body 422. A caller's keys are its own."
                ),
                min_length=1,
                max_length=255,
                pattern=r"^[\x20-\x7e]+$",
                examples=[_KEY],
            ),
        ] = None,
    ) -> SubscriptionView:
        subscription = await run_in_threadpool(
            handlers.subscribe,
            body.to_order(),
            cause_of(request),
            key=idempotency_key,
            caller=caller,
        )
        response.headers["Location"] = f"/subscriptions/{subscription.subscription_id}"
        return SubscriptionView.of(subscription)

    @router.get(
        "/{subscription_id}",
        summary="Read one subscription",
        description=(
            "Reads what was last committed. Another customer's is not found, but with the scope "
            f"{READ_ALL}."
        ),
        response_description="The subscription.",
        responses=ON_READ,
    )
    async def get(
        subscription_id: _SubscriptionId,
        caller: _Reader,
    ) -> SubscriptionView:
        owner = _owner_shown_to(caller)
        found = await run_in_threadpool(handlers.get, subscription_id, owner=owner)
        return SubscriptionView.of(found)

    @router.post(
        "/{subscription_id}/cancellation",
        summary="Cancel a subscription",
        description=(
            "Ends it; its direct debit and its stock follow by themselves. One that has ended"
            " already answers the same, with its first reason, and raises no second event. With"
            f" the scope {CANCEL_ALL} it is staff that cancels, for any customer; without it"
            " another customer's is not found."
        ),
        response_description="How it ended.",
        responses=ON_CHANGE,
    )
    async def cancel(
        subscription_id: _SubscriptionId,
        request: Request,
        caller: _Canceller,
        body: CancellationBody | None = None,
    ) -> CancellationView:
        is_staff = caller is not None and CANCEL_ALL in caller.scopes
        cancelled = await run_in_threadpool(
            handlers.cancel,
            subscription_id,
            CancelledBy.STAFF if is_staff else CancelledBy.CUSTOMER,
            body.reason if body else Reason.NOT_STATED,
            cause_of(request),
            owner=None if is_staff or caller is None else caller.owner,
        )
        return CancellationView.of(cancelled)

    @router.post(
        "/{subscription_id}/erasure",
        summary="Erase a subscription's personal data",
        description=(
            "Blanks bank details and names, here and in payments, once the subscription has ended;"
            " its id and how it ended stay. One that is erased already answers the same, and raises"
            " no second event."
        ),
        response_description="How it ended.",
        responses=ON_ERASURE,
        dependencies=[Security(require, scopes=[ERASE])],
    )
    async def erase(subscription_id: _SubscriptionId, request: Request) -> CancellationView:
        erased = await run_in_threadpool(handlers.erase, subscription_id, cause_of(request))
        return CancellationView.of(erased)

    @router.get(
        "",
        summary="List subscriptions",
        description=(
            "Lists the subscriptions of one bank account, oldest first; without accountNumber all, "
            "in no particular order; with status those of them that have it, and then a page may "
            "be short, or empty, with others behind it. A change shows here up to a second after "
            "it was made. Without "
            f"the scope {READ_ALL} it lists the caller's own, oldest first, and takes no "
            "accountNumber."
        ),
        response_description="A page of subscriptions.",
        responses=ON_LIST,
    )
    def page(
        caller: _Reader,
        account_number: Annotated[
            _AccountNumber | None,
            Query(
                alias="accountNumber",
                description="Only this bank account's.",
                examples=["12345678"],
            ),
        ] = None,
        status: Annotated[
            Status | None,
            Query(description="Only subscriptions with this status.", examples=["active"]),
        ] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> SubscriptionPage:
        if (owner := _owner_shown_to(caller)) is None:
            scope = f"subscriptions?accountNumber={account_number}&status={status}"
            after = cursors.decode(scope, cursor)
            found = store.page(where=account_number, status=status, limit=limit, after=after)
        elif account_number is None:
            scope = f"subscriptions?owner={owner}&status={status}"
            after = cursors.decode(scope, cursor)
            found = store.page_of(owner, status=status, limit=limit, after=after)
        else:
            raise InsufficientScope([READ_ALL])
        return SubscriptionPage.of(found, SubscriptionView.of, scope)

    return router
