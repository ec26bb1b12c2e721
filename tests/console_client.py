"""A console over a system; or its actions alone over HTTP: no token, no page, no taps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from console.parts import Parts
from console.refusals import KINDS
from console.settings import ConsoleSettings
from runtime.http import problems
from tests.system import Name, System, serving


def a_console(system: System, apis: Mapping[Name, httpx.Client], **settings: Any) -> Parts:
    """A console that has not started."""
    urls = {f"{name}_api_url": str(client.base_url) for name, client in apis.items()}
    where = {"aws_region": system.region, "aws_endpoint_url": system.endpoint}
    return Parts(ConsoleSettings.model_validate(where | urls | settings))


@contextmanager
def asking(router: APIRouter) -> Iterator[httpx.Client]:
    """Serve these routes, with the console's problems, and ask them."""
    app = FastAPI()
    problems.install(app, KINDS)
    app.include_router(router)
    with (
        serving(app) as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        yield client
