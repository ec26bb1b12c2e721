"""The AsyncAPI document and its page: GET /asyncapi.json and GET /asyncapi."""

import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from console.reference.document import Document
from console.reference.page import page

DOCUMENT_FILE = Path(__file__).parents[2] / "contracts" / "asyncapi.json"


def router(file: Path = DOCUMENT_FILE) -> APIRouter:
    """Both are made once, when they are first asked for; they only change with the code."""
    routes = APIRouter(include_in_schema=False)

    @cache
    def text() -> str:
        return file.read_text(encoding="utf-8")

    @cache
    def html() -> str:
        return page(Document(json.loads(text())))

    @routes.get("/asyncapi.json")
    async def document() -> Response:
        return Response(text(), media_type="application/json")

    @routes.get("/asyncapi")
    async def reference() -> HTMLResponse:
        return HTMLResponse(html())

    return routes
