"""POST /api/try/…: use the system as its clients do, and see the exact request and answer."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from console.apis import Apis
from console.requests.attempts import send


class OrderForm(BaseModel):
    """What was typed; nothing is checked here, the API's own answer is shown."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    idempotency_key: str | None = None

    def body(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def router(apis: Apis) -> APIRouter:
    routes = APIRouter(prefix="/api/try")

    @routes.post("/subscriptions")
    def subscribe(order: OrderForm) -> dict[str, Any]:
        api = apis["subscription"]
        key = order.idempotency_key
        headers = {"Idempotency-Key": key} if key else {}
        return send(api, "POST", f"{api.url}/{api.path}", order.body(), headers).document()

    @routes.post("/payments/{payment_id}/cancel")
    def cancel(payment_id: str) -> dict[str, Any]:
        api = apis["payment"]
        return send(api, "PATCH", api.resource(payment_id), {"status": "cancelled"}).document()

    return routes
