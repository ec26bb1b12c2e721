"""What an audit says to people: counts, then each kind of difference in a table of its own."""

from dataclasses import astuple
from itertools import groupby

from rich.console import RenderableType
from rich.text import Text

from operations.audit.report import AuditReport, Difference
from operations.output import Output, moment, table


def show(report: AuditReport, output: Output, *, limit: int) -> None:
    """Print a report; a kind's differences past `limit` are counted only."""
    renderables: list[RenderableType] = [_events(report), _deliveries(report)]
    for kind, same in groupby(report.differences, key=lambda each: each.kind):
        differences = list(same)
        renderables.append(_differences(kind, differences, limit))
        if len(differences) > limit:
            more = len(differences) - limit
            renderables.append(Text(f"and {more} more: --limit, or --json for all of them"))
    if report.first_version:
        counts = (f"{count} {name}" for name, count in sorted(report.first_version.items()))
        renderables.append(Text(f"of the first version, counted apart: {', '.join(counts)}"))
    ended = Text(verdict(report), "green" if report.clean else "red")
    output.show(report.as_document(), *renderables, ended)


def verdict(report: AuditReport) -> str:
    """Say in one sentence how the audit ended."""
    committed = sum(count.committed for count in report.events.values())
    flying = f", {report.in_flight} in flight" if report.in_flight else ""
    dead = f", {report.dead_lettered} dead-lettered" if report.dead_lettered else ""
    lost = len(report.differences)
    found = (
        "every event is accounted for"
        if report.clean
        else f"{lost} difference{'s' * (lost > 1)}, above"
    )
    return (
        f"{moment(report.since)} to {moment(report.until)}:"
        f" {committed} events committed{flying}{dead}; {found}"
    )


def _events(report: AuditReport) -> RenderableType:
    numbers = (
        "committed",
        "in outbox",
        "to the bus",
        "dead-lettered",
        "published",
        "duplicates",
        "replayed",
    )
    rows = table("event", *numbers, title="committed = published + pending", numbers=numbers)
    for name, count in report.events.items():
        rows.add_row(name, *map(str, astuple(count)))
    return rows


def _deliveries(report: AuditReport) -> RenderableType:
    numbers = ("expected", "arrived", "dead-lettered", "queued", "queue holds")
    rows = table(
        "event",
        "rule",
        "to",
        *numbers,
        title="published = handled + queued + dead-lettered",
        numbers=numbers,
    )
    for count in report.deliveries:
        rows.add_row(*map(str, astuple(count)))
    return rows


def _differences(kind: str, differences: list[Difference], limit: int) -> RenderableType:
    rows = table(
        "event",
        "aggregate",
        "sequence",
        "event id",
        "where",
        "",
        title=f"{kind}: {len(differences)}",
        numbers=("sequence",),
    )
    for each in differences[:limit]:
        _, *cells = astuple(each)
        rows.add_row(*("" if cell is None else str(cell) for cell in cells))
    return rows
