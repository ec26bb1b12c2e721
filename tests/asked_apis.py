"""Small APIs of a test's own, as every service puts its routes together, asked without a socket."""

import asyncio
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from runtime.http.app import create_api


def an_api(router: APIRouter, **more: Any) -> FastAPI:
    """An API with these routes; `more` is what else `create_api` takes."""
    return create_api(
        title="Any", description="Any.", router=router, kinds={}, check=lambda: None, **more
    )


async def asked(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer; an error that the application lets through is a 500."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        return await client.request(method, path, **request)


def ask(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    return asyncio.run(asked(app, method, path, **request))
