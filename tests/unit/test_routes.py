"""The APIs' routes, read from their OpenAPI documents."""

import pytest

from infra.domains.payments import WEBHOOK_PATH
from infra.routes import GatewayRoute, UnguardedRouteError, routes_of


def test_a_routes_scopes_are_alternatives_and_head_is_beside_get() -> None:
    """As a service answers it, and with what its GET needs."""
    scopes = ("subscriptions:read", "subscriptions:read:all")
    found = routes_of("subscriptions")
    for method in ("GET", "HEAD"):
        assert GatewayRoute(method, "/subscriptions", "token", scopes) in found
    assert GatewayRoute("HEAD", "/outbox", "signed request") in found
    assert [each for each in found if (each.method, each.guard) == ("POST", "token")]


def test_a_route_without_a_scope_is_refused_but_for_the_webhook() -> None:
    """Whoever forgets the scope of a new route hears of it before anything is deployed."""
    assert GatewayRoute("POST", WEBHOOK_PATH, "webhook") in routes_of("payments", WEBHOOK_PATH)
    with pytest.raises(UnguardedRouteError) as refused:
        routes_of("payments")
    assert str(refused.value) == (
        "contracts/openapi/payments.json: POST /webhooks/direct-debit would be open:"
        " give it Security(require, scopes=[…]), then run `make schemas`"
    )
