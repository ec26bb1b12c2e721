"""The page of every event: what it holds, who publishes it, and where it goes."""

import json
from collections.abc import Iterable, Iterator

from console.reference.document import Document, Json
from console.reference.markup import Child, Markup, element
from console.reference.parts import code_block, codes, fields_table, folded, links, table

SHEETS = ("tokens", "base", "controls", "shell", "reference")


def page(document: Document) -> str:
    """The whole page. It needs no script; the one there is keeps the console's colours."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Events · streamed events"),
        element("link", rel="icon", type="image/svg+xml", href="/page/favicon.svg"),
        [element("link", rel="stylesheet", href=f"/page/css/{each}.css") for each in SHEETS],
        element("script", type="module", src="/page/js/reference.js"),
    )
    body = element(
        "body",
        element("a", "Skip to the content", class_="skip", href="#content"),
        _header(),
        element("main", *_content(document), id="content", tabindex="-1", class_="reference"),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _header() -> Markup:
    views = element(
        "ul",
        element("li", element("a", "Console", href="/")),
        element("li", element("a", "Events", href="/asyncapi", aria_current="page")),
    )
    theme = element("button", id="theme", class_="quiet icon", type="button", aria_label="Colours")
    inner = element(
        "div",
        element("a", "streamed events", class_="brand", href="/"),
        element("nav", views, aria_label="Views"),
        element("div", theme, class_="top-state"),
        class_="top-inner",
    )
    return element("header", inner, class_="top")


def _content(document: Document) -> Iterator[Child]:
    colours = {name: f"d{index}" for index, (name, _) in enumerate(document.domains)}
    yield element(
        "div",
        element("h1", "Events"),
        element(
            "p",
            "Every event between the services: what it holds, who publishes it, and by which "
            "rules it reaches whom. All of it is in ",
            element("a", "asyncapi.json", href="/asyncapi.json"),
            ", an AsyncAPI 3 document that is made from the code.",
            class_="lede",
        ),
        class_="intro-text",
    )
    yield _contents(document, colours)
    for name, meaning in document.domains:
        yield _domain(document, name, meaning, colours[name])
    yield _envelope(document)
    yield _queues(document)
    yield _dead_letters(document)


def _contents(document: Document, colours: dict[str, str]) -> Markup:
    groups = [
        element(
            "li",
            element("a", name, href=f"#{name}", class_="type"),
            _entries((event, event) for event in document.events_of(name)),
            class_=colour,
        )
        for name, colour in colours.items()
    ]
    around = (("envelope", "The envelope"), ("queues", "Queues"), ("dead-letters", "Dead letters"))
    more = element("li", element("span", "around them", class_="type"), _entries(around))
    return element("nav", element("ul", *groups, more), aria_label="Contents", class_="contents")


def _entries(places: Iterable[tuple[str, str]]) -> Markup:
    return element(
        "ul", [element("li", element("a", name, href=f"#{id_}")) for id_, name in places]
    )


def _domain(document: Document, name: str, meaning: str, colour: str) -> Markup:
    buses = [
        element(
            "p",
            "Bus ",
            element("code", bus),
            f": kept for {about['x-archive']['retentionDays']} days in {about['x-archive']['name']}"
            f"; all that passes is in the log group {about['x-log-group']}.",
        )
        for bus, about in document.buses_of(name).items()
    ]
    guests = links(document.events_of(name, own=False), document)
    return _section(
        name,
        name.capitalize(),
        element("p", meaning),
        buses,
        element("p", "Rules also bring it ", guests, ".", class_="muted") if guests else None,
        [_event(document, event) for event in document.events_of(name)],
        class_=f"domain {colour}",
    )


def _section(name: str, title: str, *children: Child, class_: str | None = None) -> Markup:
    heading = f"heading-{name}"
    inside = (element("h2", title, id=heading), *children)
    return element("section", *inside, id=name, class_=class_, aria_labelledby=heading)


def _event(document: Document, name: str) -> Markup:
    message = document.message(name)
    publishers = [
        (element("code", process), " publishes it on ", element("code", bus), ". ")
        for process, bus in document.publishers_of(name)
    ]
    details = document.details_of(name)
    versions = [
        _version(document, name + ("" if number == 1 else f", version {number}"), *each)
        for number, each in enumerate(zip(details, message["examples"], strict=True), 1)
    ]
    return element(
        "article",
        element("h3", name, class_="type", id=name),
        element("p", message["summary"]),
        element("p", publishers),
        _steps(document, name),
        versions,
        class_="card",
        aria_labelledby=name,
    )


def _version(document: Document, name: str, schema: str, example: Json) -> list[Markup]:
    fields = list(document.fields_of(document.schema(schema)))
    text = json.dumps(example["payload"], indent=2, ensure_ascii=False)
    version = f" in version {name[-1]}" if " " in name else ""
    return [
        folded(
            f"Fields of {name}",
            f"{len(fields)} fields of its detail{version}",
            fields_table(f"Fields of {name}", fields),
        ),
        folded(
            f"Example of {name}",
            f"an example{version}, as a queue receives it",
            code_block(name, text),
        ),
    ]


def _steps(document: Document, event: str) -> Markup:
    rows = [
        (
            element("code", step.rule),
            element("code", step.bus),
            element("code", step.target),
            codes(step.receivers) or "—",
            element("code", step.dlq) if step.dlq else "—",
        )
        for step in document.steps_of(event)
    ]
    columns = ("rule", "from", "to", "handled by", "what it cannot deliver")
    return table(f"Where {event} goes", columns, rows)


def _envelope(document: Document) -> Markup:
    schema = document.schema("EventBridgeEvent")
    fields = [each for each in document.fields_of(schema) if "." not in each.name]
    meaning = element("p", schema["description"])
    table = fields_table("Fields of the envelope", fields)
    return _section("envelope", "The envelope", meaning, table)


def _queues(document: Document) -> Markup:
    rows = []
    for name, channel in document.channels("queue").items():
        queue = channel["bindings"]["sqs"]["queue"]
        redrive = queue["redrivePolicy"]
        rows.append(
            (
                element("code", name),
                links(channel["messages"], document),
                codes(each.actor for each in document.senders_to(name)),
                codes(document.receivers_of(name)),
                f"{queue['visibilityTimeout']} s",
                (
                    f"{redrive['maxReceiveCount']} receives, then ",
                    element("code", redrive["deadLetterQueue"]["name"]),
                ),
            )
        )
    columns = ("queue", "messages", "from", "received by", "unseen while handled", "redrive")
    found = table("Queues between buses and processes", columns, rows)
    return _section("queues", "Queues", found)


def _dead_letters(document: Document) -> Markup:
    rows = [
        (
            "" if index else element("code", name),
            element("code", each.actor),
            links(each.messages, document),
            each.because,
        )
        for name in document.channels("dead-letter queue")
        for index, each in enumerate(document.senders_to(name))
    ]
    attributes = [
        folded(
            f"Attributes {name}",
            f"attributes of what is {words}",
            fields_table(f"Message attributes: {words}", document.fields_of(document.schema(name))),
        )
        for name, words in (
            ("PutByEventBridge", "put there by a rule"),
            ("PutByConsumer", "put there by a consumer"),
            ("PutByRelay", "put there by a relay"),
        )
    ]
    return _section(
        "dead-letters",
        "Dead letters",
        element("p", "What could not go on waits 14 days, with the reason in its attributes."),
        table("Who puts what where", ("queue", "put by", "what", "when"), rows),
        attributes,
    )
