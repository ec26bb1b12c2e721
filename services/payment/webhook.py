"""The bank's callback: what it says of a mandate, signed as Standard Webhooks has it."""

from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Body, Request
from pydantic import ConfigDict, Discriminator, Field, Tag

from contracts.envelope import ReadModel
from contracts.timestamps import Timestamp
from runtime.http.app import cause_of
from runtime.http.problems import ON_WEBHOOK
from runtime.http.signed_route import SIGNED, signed_route
from runtime.http.threads import in_thread
from runtime.signatures import Signatures
from services.payment.handlers import Handlers
from services.payment.model import ReasonCode

log = structlog.get_logger(__name__)

PATH = "/webhooks/direct-debit"
MANDATE_CANCELLED = "mandate.cancelled"

_DATA: Any = {"paymentId": "280d2be1-0a4c-5fe9-9a74-da3b91a9c428", "reasonCode": "1"}
_EXAMPLE: Any = {"type": MANDATE_CANCELLED, "timestamp": "2026-11-29T09:30:00.000Z", "data": _DATA}


class Mandate(ReadModel):
    """Which direct debit, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DATA]})

    payment_id: str = Field(
        description="The payment's id: that of its subscription.", min_length=1, max_length=128
    )
    reason_code: str = Field(
        description="Reason code of Bacs' ADDACS: 0, 1, 2, B and D cancel; others have no effect.",
        max_length=32,
    )


class MandateCancelled(ReadModel):
    """The bank cancelled a direct debit instruction, or says what else became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    type: Literal["mandate.cancelled"] = Field(description="What happened.")
    timestamp: Timestamp = Field(description="When it happened.")
    data: Mandate = Field(description="What it happened to.")


class OtherWebhook(ReadModel):
    """What the bank sends beside that: it is logged, and has no effect."""

    type: str = Field(description="What happened.", max_length=128, examples=["mandate.reinstated"])


def _kind(body: Any) -> str:
    """A body without a type is the one that we know, and is refused field by field."""
    kind = body.get("type", MANDATE_CANCELLED) if isinstance(body, dict) else MANDATE_CANCELLED
    return MANDATE_CANCELLED if kind == MANDATE_CANCELLED else "other type"


_Known = Annotated[MandateCancelled, Tag(MANDATE_CANCELLED)]
_Other = Annotated[OtherWebhook, Tag("other type")]
Webhook = Annotated[_Known | _Other, Discriminator(_kind), Body(examples=[_EXAMPLE])]


def routes(handlers: Handlers, signatures: Signatures) -> APIRouter:
    router = APIRouter(tags=["webhooks"], route_class=signed_route(signatures))

    @router.post(
        PATH,
        status_code=204,
        summary="Take a bank's callback",
        description=(
            "Cancels the direct debit for reason codes 0, 1, 2, B and D. Other codes and types are"
            " logged and have no effect. A repetition raises no second event."
        ),
        response_description="It is taken; a repetition would change nothing.",
        responses=ON_WEBHOOK,
        openapi_extra=SIGNED,
    )
    async def direct_debit(webhook: Webhook, request: Request) -> None:
        match webhook:
            case MandateCancelled(data=mandate) if mandate.reason_code in set(ReasonCode):
                reason = ReasonCode(mandate.reason_code)
                cause = cause_of(request)
                await in_thread(handlers.cancel, mandate.payment_id, cause, reason)
            case MandateCancelled(data=mandate):
                log.info("webhook without effect", type=webhook.type, **vars(mandate))
            case OtherWebhook():
                log.info("webhook without effect", type=webhook.type)

    return router
