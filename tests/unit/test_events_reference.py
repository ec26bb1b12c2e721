"""The page of events: everything of the document is on it, and nothing in it is taken for HTML."""

import copy
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from console.reference.document import Document
from console.reference.markup import element
from console.reference.page import SHEETS, page
from console.reference.routes import DOCUMENT_FILE, router
from contracts.names import EventType
from infra.topology import TOPOLOGY
from tests.console_client import asking

RAW: dict[str, Any] = json.loads(DOCUMENT_FILE.read_text(encoding="utf-8"))
DOCUMENT = Document(RAW)
PAGE = Path(__file__).parent.parent.parent / "console" / "page"


class Outline(HTMLParser):
    """Ids, links, attributes and text of a page; `unclosed` is what was not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.assets: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.unclosed = self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes |= set(found)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" else []
        self.assets += (
            [found.get("href") or found.get("src") or ""] if tag in {"link", "script"} else []
        )
        if tag not in {"meta", "link"}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


OUTLINE = Outline(page(DOCUMENT))


def test_the_document_is_served_as_it_is() -> None:
    """What a tool fetches is the committed file."""
    with asking(router()) as client:
        answer = client.get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == RAW


def test_the_page_is_html() -> None:
    """Well-formed, in English, and the same each time."""
    with asking(router()) as client:
        answer, again = client.get("/asyncapi"), client.get("/asyncapi")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith('<!doctype html>\n<html lang="en">')
    assert answer.text == again.text
    assert OUTLINE.unclosed == []


def test_every_name_of_the_system_is_on_the_page() -> None:
    """Events, buses, rules, queues: whoever searches for one finds it."""
    texts = set(OUTLINE.texts)
    assert set(EventType) <= texts
    named = (TOPOLOGY.buses, TOPOLOGY.rules, TOPOLOGY.queues)
    assert {each.name for kind in named for each in kind} <= texts


@pytest.mark.parametrize("event_type", EventType)
def test_an_event_tells_all_its_fields(event_type: EventType) -> None:
    """Required are those of the example and of its metadata; each has a type and a meaning."""
    fields = {
        each.name: each for each in DOCUMENT.fields_of(DOCUMENT.schema(f"{event_type}Detail"))
    }
    detail = DOCUMENT.message(event_type)["examples"][0]["payload"]["detail"]
    required = {name for name, each in fields.items() if each.required}
    assert required == set(detail) | {f"metadata.{name}" for name in detail["metadata"]}
    assert all(each.type and each.meaning for each in fields.values())


def test_types_are_told_in_words() -> None:
    """Choices, bounds, times, and what may be null."""
    fields = {
        each.name: each.type
        for each in DOCUMENT.fields_of(DOCUMENT.schema("SubscriptionCancelledDetail"))
    }
    assert fields["status"] == '"active" or "cancelled" or "erased"'
    assert fields["quantity"] == "whole number from 1 to 10"
    assert fields["updated"] == "time"
    assert fields["cancelledReason"] == "text or null"
    assert fields["event"] == '"SubscriptionCancelled"'


def test_the_steps_of_an_event_lead_to_all_who_handle_it() -> None:
    """By hand: SubscriptionCreated goes over two other buses into two queues."""
    steps = {each.rule: each for each in DOCUMENT.steps_of("SubscriptionCreated")}
    assert steps["SubscriptionToStockRule"].target == "stock-event-bus"
    assert steps["SubscriptionToStockRule"].dlq == "subscriptions-to-stock-dlq"
    created = steps["SubscriptionCreatedRule"]
    assert (created.bus, created.target, created.receivers, created.dlq) == (
        "stock-event-bus",
        "stock-subscription-created",
        ("stock-consumer",),
        "subscriptions-created-dlq",
    )
    assert steps["CreatePaymentRule"].receivers == ("payment-consumer",)
    assert steps["SubscriptionsLogRule"].target == "log group subscriptions-event-logs"
    assert DOCUMENT.steps_of("SubscriptionCreated")[0].bus == "subscriptions-event-bus"


def test_links_lead_somewhere_and_ids_are_unique() -> None:
    """On the page itself, or to another page of the console."""
    assert len(OUTLINE.ids) == len(set(OUTLINE.ids))
    for link in OUTLINE.links:
        assert link in {"/", "/asyncapi", "/asyncapi.json"} or link.removeprefix("#") in OUTLINE.ids


def test_the_page_keeps_to_its_content_security_policy() -> None:
    """No style or handler in an attribute, no text in a script, and only files of our own."""
    assert not {each for each in OUTLINE.attributes if each == "style" or each.startswith("on")}
    assert all(each.startswith("/page/") for each in OUTLINE.assets)
    for asset in OUTLINE.assets:
        assert (PAGE / asset.removeprefix("/page/")).is_file(), asset
    assert "reference" in SHEETS


def test_a_document_cannot_write_html() -> None:
    """A meaning, a name and an example are text, whatever they hold."""
    hostile = copy.deepcopy(RAW)
    evil = '<script>alert("x")</script>'
    detail = hostile["components"]["schemas"]["StockAllocatedDetail"]
    detail["properties"][evil] = {"type": "string", "description": evil}
    hostile["components"]["messages"]["StockAllocated"]["summary"] = evil
    html = page(Document(hostile))
    assert evil not in html
    assert html.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;") == 3


def test_markup_is_escaped_once() -> None:
    """Elements nest as they are; texts and attributes are escaped; None is nothing."""
    inner = element("b", "a < b", title='"')
    assert inner == '<b title="&quot;">a &lt; b</b>'
    assert element("p", inner, None, ["&"], class_="x", data_y="1") == (
        f'<p class="x" data-y="1">{inner}&amp;</p>'
    )
