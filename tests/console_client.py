"""The console's actions over HTTP, without what stands around them: no token, no page, no taps."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import APIRouter, FastAPI

from console.refusals import KINDS
from runtime.http import problems
from tests.system import serving


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
