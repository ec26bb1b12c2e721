"""Routes of the subscription service."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response, Security

from runtime import cursors
from runtime.callers import Caller
from runtime.http.app import cause_of
from runtime.http.auth import InsufficientScope, require
from runtime.http.etags import TaggedRoute
from runtime.http.pagination import DEFAULT_LIMIT, Cursor, Limit
from runtime.http.problem_kinds import (
    ERASED,
    INVALID,
    NOT_CANCELLED,
    NOT_FOUND,
    Kind,
)
from runtime.http.problems import ON_CHANGE, ON_CREATE, ON_LIST, ON_READ, documented
from runtime.http.threads import in_thread
from services.subscription.handlers import Handlers
from services.subscription.model import (
    CancelledBy,
    DomainError,
    IdempotencyKeyReused,
    Reason,
    Status,
    StillActive,
    SubscriptionGone,
    SubscriptionNotFound,
)
from services.subscription.schemas import (
    EXAMPLE_KEY,
    AccountNumber,
    CancellationBody,
    CancellationView,
    NewSubscription,
    SubscriptionId,
    SubscriptionPage,
    SubscriptionView,
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
                examples=[EXAMPLE_KEY],
            ),
        ] = None,
    ) -> SubscriptionView:
        subscription = await in_thread(
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
        subscription_id: SubscriptionId,
        caller: _Reader,
    ) -> SubscriptionView:
        owner = _owner_shown_to(caller)
        found = await in_thread(handlers.get, subscription_id, owner=owner)
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
        subscription_id: SubscriptionId,
        request: Request,
        caller: _Canceller,
        body: CancellationBody | None = None,
    ) -> CancellationView:
        is_staff = caller is not None and CANCEL_ALL in caller.scopes
        cancelled = await in_thread(
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
    async def erase(subscription_id: SubscriptionId, request: Request) -> CancellationView:
        erased = await in_thread(handlers.erase, subscription_id, cause_of(request))
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
            AccountNumber | None,
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
