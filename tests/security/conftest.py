"""The three services with AUTH=required, over real engines, and the issuer that they take."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from tests.integration.conftest import system
from tests.system import NAMES, Name, System, asking
from tests.token_issuer import KeyServer
from verification.testkit.waiting import eventually

__all__ = ["system"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[KeyServer]:
    with KeyServer().serving() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def enforced(system: System, issuer: KeyServer) -> System:
    return replace(system, more=issuer.settings)


@pytest.fixture(scope="module")
def guarded(enforced: System) -> Iterator[Mapping[Name, httpx.Client]]:
    """A client without a token for each API, once it has the issuer's keys."""
    with ExitStack() as stack:
        clients = {name: stack.enter_context(asking(enforced.app(name))) for name in NAMES}
        for client in clients.values():
            eventually(lambda api=client: api.get("/readyz").is_success, what="ready")  # type: ignore[misc]
        yield clients
