"""The APIs' doors on AWS: each route of an OpenAPI document, with the authorizer that it needs."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.domains.payments import WEBHOOK_PATH
from infra.topology import WORKLOADS
from tests.synthesis import ROOT, Synthesize
from tests.templates import Stack

APIS = {each.path: each.domain for each in WORKLOADS if each.path}
"""The domain of each API, by the collection that it serves."""

PREFIXES = {"dev": "streamed-events/", "prod": ""}
"""What stands before each scope: Cognito's resource server in dev; in prod, what cdk.json says."""

Guard = tuple[str, frozenset[str]]
"""The type of authorization, and the scopes of which a token needs one."""

SIGNED: Guard = ("AWS_IAM", frozenset())
OPEN: Guard = ("NONE", frozenset())

ON_EACH_STAGE = pytest.mark.parametrize("stage", PREFIXES)
OF_EACH_API = pytest.mark.parametrize("api", APIS)


@ON_EACH_STAGE
@OF_EACH_API
def test_the_gateway_has_the_routes_of_the_openapi_document_and_no_other(
    synthesized: Synthesize, stage: str, api: str
) -> None:
    """With and without a slash at the end, HEAD for each GET, guarded as the document says."""
    expected = {
        f"{method} {path}{below}": guard
        for method, path, guard in documented(api, PREFIXES[stage])
        for below in ("", "/{below+}")
    }
    assert rendered(stack_of(synthesized, stage, api)) == expected


@ON_EACH_STAGE
def test_only_a_webhook_is_open_and_has_a_throttle_of_its_own(
    synthesized: Synthesize, stage: str
) -> None:
    """A bank brings no token; its flood takes nothing from the API's other routes."""
    stacks = {api: stack_of(synthesized, stage, api) for api in APIS}
    paths = {f"POST {WEBHOOK_PATH}", f"POST {WEBHOOK_PATH}/{{below+}}"}
    found = {
        key for one in stacks.values() for key, guard in rendered(one).items() if guard == OPEN
    }
    assert found == paths
    throttle = {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}
    assert stage_of(stacks["payments"])["RouteSettings"] == dict.fromkeys(paths, throttle)
    (gateway,) = stacks["payments"].resources("AWS::ApiGatewayV2::Stage")
    waits_for = stacks["payments"].template["Resources"][gateway.logical_id]["DependsOn"]
    routes = stacks["payments"].resources("AWS::ApiGatewayV2::Route")
    assert {each.logical_id for each in routes if each.properties["RouteKey"] in paths} <= {
        *waits_for
    }


@OF_EACH_API
def test_a_door_lets_in_only_so_many_and_logs_each(synthesized: Synthesize, api: str) -> None:
    """The status is logged, and why an authorizer refused; no header, so no token, and no query."""
    settings = stage_of(stack_of(synthesized, "dev", api))
    assert settings["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True,
        "ThrottlingBurstLimit": 200,
        "ThrottlingRateLimit": 100,
    }
    logged = json.loads(settings["AccessLogSettings"]["Format"])
    assert {"status", "authorizer.error"} <= logged.keys()
    assert [each for each in logged if "header" in each or "query" in each.lower()] == []


@ON_EACH_STAGE
@OF_EACH_API
def test_the_gateway_and_the_service_take_the_same_tokens(
    synthesized: Synthesize, stage: str, api: str
) -> None:
    """Issuer, audiences and prefix; and the service is never without its own check."""
    stack = stack_of(synthesized, stage, api)
    (authorizer,) = stack.resources("AWS::ApiGatewayV2::Authorizer")
    configuration = authorizer.properties["JwtConfiguration"]
    environment = environment_of(stack)
    audiences = list(map(str, configuration["Audience"]))

    assert environment["AUTH"] == "required"
    assert str(environment["AUTH_ISSUER"]) == str(configuration["Issuer"])
    assert environment["AUTH_AUDIENCE"] == ",".join(audiences)
    assert environment["AUTH_SCOPE_PREFIX"] == PREFIXES[stage]
    assert authorizer.properties["IdentitySource"] == ["$request.header.Authorization"]


def test_another_issuer_is_as_the_stage_says(synthesized: Synthesize) -> None:
    """prod names one, and has no user pool beside it."""
    environment = environment_of(stack_of(synthesized, "prod", "stock"))
    assert environment["AUTH_ISSUER"] == "https://login.example.com/"
    assert environment["AUTH_AUDIENCE"] == "https://api.example.com/"
    assert environment["AUTH_JWKS_URL"] == "https://login.example.com/.well-known/jwks.json"
    assert list(synthesized("prod").resources("AWS::Cognito::UserPool")) == []


def documented(api: str, prefix: str) -> Iterator[tuple[str, str, Guard]]:
    """Method and path of each route, with what guards it."""
    document = json.loads((ROOT / "contracts" / "openapi" / f"{api}.json").read_text())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            scopes = frozenset(
                prefix + scope for one in operation["security"] for scope in one["bearer"]
            )
            unscoped = {"/outbox": SIGNED, WEBHOOK_PATH: OPEN}
            guard = ("JWT", scopes) if scopes else unscoped[path]
            yield method.upper(), path, guard
            if method == "get":
                yield "HEAD", path, guard


def rendered(stack: Stack) -> dict[str, Guard]:
    """What guards each route of a stack's gateway."""
    found: dict[str, Guard] = {}
    for route in stack.resources("AWS::ApiGatewayV2::Route"):
        properties = route.properties
        scopes = frozenset(properties.get("AuthorizationScopes", ()))
        found[properties["RouteKey"]] = (properties["AuthorizationType"], scopes)
        assert ("AuthorizerId" in properties) == bool(scopes), properties
    return found


def stack_of(synthesized: Synthesize, stage: str, api: str) -> Stack:
    return synthesized(stage).stacks[f"streamed-events-{stage}-{APIS[api]}"]


def stage_of(stack: Stack) -> Mapping[str, Any]:
    (found,) = stack.resources("AWS::ApiGatewayV2::Stage")
    return found.properties


def environment_of(stack: Stack) -> Mapping[str, Any]:
    """Of the API's own container."""
    (found,) = (
        {each["Name"]: each["Value"] for each in container["Environment"]}
        for definition in stack.resources("AWS::ECS::TaskDefinition")
        for container in definition.properties["ContainerDefinitions"]
        if container["Name"].endswith("-api")
    )
    return found
