"""What a bank sends to the payment API, and what a test sees of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from contracts.names import EventType
from infra.domains.payments import WEBHOOK_PATH
from runtime.signatures import new_secret, signed_headers
from services.payment.main import create_app
from services.payment.settings import PaymentApiSettings
from tests.integration.test_api_bad_input import problem
from tests.system import System, asking

SECRET, OTHER, UNKNOWN = new_secret(), new_secret(), new_secret()
JSON = {"Content-Type": "application/json"}
CANCELLED = [EventType.PAYMENT_CREATED, EventType.PAYMENT_CANCELLED]


@contextmanager
def api_of(system: System, *secrets: str) -> Iterator[httpx.Client]:
    """The payment API with these secrets, served over a socket."""
    settings = PaymentApiSettings.model_validate(
        {
            "mongodb_uri": system.mongodb_uri,
            "mongodb_database": system.database,
            "http_port": 0,
            "event_version": 2,
            "webhook_secrets": ",".join(secrets) or None,
        }
    )
    with asking(create_app(settings)) as client:
        yield client


def body_of(payment_id: str, code: str = "1") -> bytes:
    content = {
        "type": "mandate.cancelled",
        "timestamp": "2026-11-29T09:30:00.000Z",
        "data": {"paymentId": payment_id, "reasonCode": code},
    }
    return json.dumps(content).encode()


def signed(body: bytes, *, secret: str = SECRET, ago: float = 0) -> dict[str, str]:
    sent = datetime.now(UTC) - timedelta(seconds=ago)
    return signed_headers(secret, body, message_id="msg_1", sent=sent)


def send(api: httpx.Client, body: bytes, headers: dict[Any, Any]) -> httpx.Response:
    return api.post(WEBHOOK_PATH, content=body, headers=JSON | headers)


def refused(api: httpx.Client, body: bytes, headers: dict[Any, Any]) -> str:
    """The detail of a 401, which has the challenge that RFC 9110 asks for."""
    answer = send(api, body, headers)
    assert answer.headers["www-authenticate"] == "Webhook-Signature"
    return str(problem(answer, 401, "invalid-signature")["detail"])


def types(system: System, payment_id: str) -> list[str]:
    return [record["eventType"] for record in system.outbox("payment", payment_id)]
