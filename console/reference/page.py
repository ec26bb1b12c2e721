"""The page of every event: what it holds, who publishes it, and where it goes."""

import json
from collections.abc import Iterable, Sequence

from console.reference.document import Document, Step
from console.reference.markup import Child, Markup, element, together
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
    links = element(
        "ul",
        element("li", element("a", "Console", href="/")),
        element("li", element("a", "Events", href="/asyncapi", aria_current="page")),
    )
    inner = element(
        "div",
        element("a", "streamed events", class_="brand", href="/"),
        element("nav", links, aria_label="Views"),
        element(
            "div",
            element("button", id="theme", class_="quiet icon", type="button", aria_label="Colours"),
            class_="top-state",
        ),
        class_="top-inner",
    )
    return element("header", inner, class_="top")


def _content(document: Document) -> Iterable[Child]:
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
            element(
                "ul",
                *(
                    element("li", element("a", event, href=f"#{event}"))
                    for event in document.events_of(name)
                ),
            ),
            class_=colours[name],
        )
        for name, _ in document.domains
    ]
    more = element(
        "li",
        element("span", "around them", class_="type"),
        element(
            "ul",
            element("li", element("a", "The envelope", href="#envelope")),
            element("li", element("a", "Queues", href="#queues")),
            element("li", element("a", "Dead letters", href="#dead-letters")),
        ),
    )
    return element("nav", element("ul", *groups, more), aria_label="Contents", class_="contents")


def _domain(document: Document, name: str, meaning: str, colour: str) -> Markup:
    facts = [
        _fact(
            bus,
            f"kept for {about['x-archive']['retentionDays']} days in {about['x-archive']['name']}; "
            f"all that passes is in the log group {about['x-log-group']}.",
        )
        for bus, about in document.buses_of(name).items()
    ]
    guests = document.guests_of(name)
    also: Child = (
        element("p", "Rules also bring it ", links(guests), ".", class_="muted") if guests else None
    )
    return element(
        "section",
        element("h2", name.capitalize(), id=f"heading-{name}"),
        element("p", meaning),
        facts,
        also,
        *(_event(document, event) for event in document.events_of(name)),
        id=name,
        class_=f"domain {colour}",
        aria_labelledby=f"heading-{name}",
    )


def _fact(bus: str, words: str) -> Markup:
    return element("p", "Bus ", element("code", bus), ": ", words)


def _event(document: Document, name: str) -> Markup:
    message = document.message(name)
    publishers = [
        together(element("code", process), " publishes it on ", element("code", bus), ". ")
        for process, bus in document.publishers_of(name)
    ]
    fields = list(document.fields_of(document.schema(f"{name}Detail")))
    example = json.dumps(message["examples"][0]["payload"], indent=2, ensure_ascii=False)
    return element(
        "article",
        element("h3", name, class_="type", id=name),
        element("p", message["summary"]),
        element("p", *publishers),
        _steps(name, document.steps_of(name)),
        folded(
            f"Fields of {name}",
            f"{len(fields)} fields of its detail",
            fields_table(f"Fields of {name}", fields),
        ),
        folded(
            f"Example of {name}", "an example, as a queue receives it", code_block(name, example)
        ),
        class_="card",
        aria_labelledby=name,
    )


def _steps(event: str, steps: Sequence[Step]) -> Markup:
    return table(
        f"Where {event} goes",
        ("rule", "from", "to", "handled by", "what it cannot deliver"),
        [
            (
                element("code", step.rule),
                element("code", step.bus),
                element("code", step.target),
                codes(step.receivers) if step.receivers else "—",
                element("code", step.dlq) if step.dlq else "—",
            )
            for step in steps
        ],
    )


def _envelope(document: Document) -> Markup:
    schema = document.schema("EventBridgeEvent")
    fields = [each for each in document.fields_of(schema) if "." not in each.name]
    return element(
        "section",
        element("h2", "The envelope", id="heading-envelope"),
        element("p", schema["description"]),
        fields_table("Fields of the envelope", fields),
        id="envelope",
        aria_labelledby="heading-envelope",
    )


def _queues(document: Document) -> Markup:
    rows = []
    for name, channel in document.channels("queue").items():
        queue = channel["bindings"]["sqs"]["queue"]
        redrive = queue["redrivePolicy"]
        senders = [each.name for each in document.senders_to(name)]
        rows.append(
            (
                element("code", name),
                links(channel["messages"], document),
                codes(senders),
                codes(document.receivers_of(name)),
                f"{queue['visibilityTimeout']} s",
                together(
                    f"{redrive['maxReceiveCount']} receives, then ",
                    element("code", redrive["deadLetterQueue"]["name"]),
                ),
            )
        )
    columns = ("queue", "messages", "from", "received by", "unseen while handled", "redrive")
    return element(
        "section",
        element("h2", "Queues", id="heading-queues"),
        table("Queues between buses and processes", columns, rows),
        id="queues",
        aria_labelledby="heading-queues",
    )


def _dead_letters(document: Document) -> Markup:
    rows = [
        (
            element("code", name) if first else "",
            element("code", sender.name),
            links(sender.messages, document),
            sender.because,
        )
        for name in document.channels("dead-letter queue")
        for first, sender in (
            (index == 0, each) for index, each in enumerate(document.senders_to(name))
        )
    ]
    attributes = [
        folded(
            f"Attributes {name}",
            f"attributes of what is {words}",
            fields_table(
                f"Message attributes: {words}", list(document.fields_of(document.schema(name)))
            ),
        )
        for name, words in (
            ("PutByEventBridge", "put there by a rule"),
            ("PutByConsumer", "put there by a consumer"),
            ("PutByRelay", "put there by a relay"),
        )
    ]
    return element(
        "section",
        element("h2", "Dead letters", id="heading-dead-letters"),
        element("p", "What could not go on waits 14 days, with the reason in its attributes."),
        table("Who puts what where", ("queue", "put by", "what", "when"), rows),
        attributes,
        id="dead-letters",
        aria_labelledby="heading-dead-letters",
    )
