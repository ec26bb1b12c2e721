"""What the page of events is put together from: tables, folds, names that lead somewhere."""

from collections.abc import Iterable, Sequence

from console.reference.document import Document, Field
from console.reference.markup import Child, Markup, element


def fields_table(caption: str, fields: Iterable[Field]) -> Markup:
    rows = [
        (element("code", each.name), each.type, "yes" if each.required else "no", each.meaning)
        for each in fields
    ]
    return table(caption, ("field", "type", "required", "meaning"), rows)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Child]]) -> Markup:
    head = element("tr", [element("th", each, scope="col") for each in columns])
    body = [
        element(
            "tr",
            [
                element("td", cell, data_column=name)
                for name, cell in zip(columns, row, strict=True)
            ],
        )
        for row in rows
    ]
    table = element(
        "table", element("caption", caption), element("thead", head), element("tbody", body)
    )
    return element(
        "div", table, class_="table-box", tabindex="0", role="region", aria_label=caption
    )


def folded(label: str, summary: str, inside: Markup) -> Markup:
    return element("details", element("summary", summary, aria_label=f"{label}: {summary}"), inside)


def code_block(name: str, text: str) -> Markup:
    return element(
        "pre", text, class_="code", tabindex="0", role="region", aria_label=f"Example of {name}"
    )


def codes(names: Iterable[str]) -> Child:
    return _listed(element("code", name) for name in names)


def links(names: Iterable[str], document: Document) -> Child:
    """Names of messages; those that have a place on the page lead there."""
    return _listed(
        element("a", name, href=f"#{name}")
        if document.publishers_of(name)
        else element("span", name)
        for name in names
    )


def _listed(parts: Iterable[Markup]) -> Child:
    return [(", " if index else "", part) for index, part in enumerate(parts)]
