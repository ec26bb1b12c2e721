"""The routes of the APIs, as contracts/openapi describes them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from infra.local_system.settings import ROOT

OPENAPI = ROOT / "contracts" / "openapi"

OUTBOX = "/outbox"
"""How much waits in the outbox, for callers whose requests AWS has authenticated."""

Guard = Literal["token", "signed request", "webhook"]


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """A method and a path, with variables as in /stock/{subscription_id}, and what guards it.

    A token needs one of `scopes`; the other guards have none.
    """

    method: str
    path: str
    guard: Guard
    scopes: tuple[str, ...] = ()


class UnguardedRouteError(Exception):
    """A document has a route that names no scope."""

    def __init__(self, api: str, method: str, path: str) -> None:
        super().__init__(
            f"contracts/openapi/{api}.json: {method} {path} would be open: give it"
            " Security(require, scopes=[…]), then run `make schemas`"
        )


@cache
def routes_of(api: str, webhook: str | None = None) -> tuple[GatewayRoute, ...]:
    """Read the routes of the API of a collection; HEAD is beside each GET.

    `webhook` is the path of its webhook. Raises UnguardedRouteError.
    """
    document = json.loads((OPENAPI / f"{api}.json").read_text(encoding="utf-8"))
    return tuple(
        GatewayRoute(name, path, *_guard(api, name, path, scopes_of(operation), webhook))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        for name in _methods(method.upper())
    )


def scopes_of(operation: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the scopes of which a token needs one from an operation of an OpenAPI document."""
    alternatives = operation.get("security", ())
    return tuple(scope for each in alternatives for needed in each.values() for scope in needed)


def _methods(method: str) -> Iterator[str]:
    yield method
    if method == "GET":
        yield "HEAD"


def _guard(
    api: str, method: str, path: str, scopes: tuple[str, ...], webhook: str | None
) -> tuple[Guard, tuple[str, ...]]:
    if scopes:
        return "token", scopes
    if path == OUTBOX:
        return "signed request", ()
    if path == webhook:
        return "webhook", ()
    raise UnguardedRouteError(api, method, path)
