"""Cognito, where a stage names no issuer: who may get which scopes."""

from typing import Any

import pytest

from infra.routes import routes_of
from infra.topology import WORKLOADS
from tests.synthesis import Synthesize
from tests.templates import Stack

PREFIX = "streamed-events/"

ASKED_FOR = {
    scope
    for api in WORKLOADS
    if api.path
    for route in routes_of(api.path, api.webhook)
    for scope in route.scopes
}
"""Every scope that a route wants."""

CUSTOMERS = {"subscriptions:write", "subscriptions:read"}


@pytest.fixture(scope="module")
def shared(synthesized: Synthesize) -> Stack:
    return synthesized("dev").stacks["streamed-events-dev-shared"]


@pytest.fixture(scope="module")
def clients(shared: Stack) -> dict[str, Any]:
    found = shared.resources("AWS::Cognito::UserPoolClient")
    return {each.properties["ClientName"]: each.properties for each in found}


def test_every_scope_of_a_route_can_be_had(shared: Stack, clients: dict[str, Any]) -> None:
    """The resource server has those, and no client is granted another."""
    (server,) = shared.resources("AWS::Cognito::UserPoolResourceServer")
    assert server.properties["Identifier"] == PREFIX.rstrip("/")
    assert {each["ScopeName"] for each in server.properties["Scopes"]} == ASKED_FOR
    granted = {scope for each in clients.values() for scope in _scopes(each)}
    assert granted == ASKED_FOR


def test_a_person_who_signs_in_gets_a_customers_scopes_alone(clients: dict[str, Any]) -> None:
    """Cognito grants a client's scopes to each of its users: all others need a secret."""
    assert clients.keys() == {"customer", "staff", "console"}
    for name, client in clients.items():
        signs_in = name == "customer"
        assert (_scopes(client) == CUSTOMERS) is signs_in
        assert client["GenerateSecret"] is not signs_in
        assert client["AllowedOAuthFlows"] == ["code" if signs_in else "client_credentials"]
    assert all(scope.partition(":")[2].startswith("read") for scope in _scopes(clients["console"]))


def test_the_pool_is_closed_and_wants_a_second_factor(shared: Stack) -> None:
    """Nobody signs up unasked, and a guessed or stolen password is not enough."""
    (pool,) = shared.resources("AWS::Cognito::UserPool")
    assert pool.properties["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool.properties["MfaConfiguration"] == "ON"
    assert pool.properties["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]
    assert pool.properties["UserPoolAddOns"] == {"AdvancedSecurityMode": "ENFORCED"}


def _scopes(client: dict[str, Any]) -> set[str]:
    """Without what the resource server puts before them."""
    return {scope.partition("/")[2] for scope in client["AllowedOAuthScopes"]}
