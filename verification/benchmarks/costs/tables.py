"""The model as markdown tables."""

from collections.abc import Callable, Iterable, Sequence

from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.calls.tally import Sections, total
from verification.benchmarks.costs.bill import Bill, lines
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.model import Cost

SERVICE_TITLES = {
    "dynamodb": "DynamoDB",
    "dynamodbstreams": "DynamoDB Streams",
    "events": "EventBridge",
    "sqs": "SQS",
    "mongodb": "DocumentDB (MongoDB commands, not calls to AWS)",
}


def summary(found: Sequence[Cost]) -> str:
    """US dollars of each design, all in all."""
    measures: dict[str, Callable[[Cost], float]] = {
        "a million subscriptions, none cancelled": lambda cost: cost.created_only,
        "a million subscriptions, all cancelled: full lifecycles": lambda cost: cost.full,
        f"a million subscriptions, {_share(found)} cancelled": lambda cost: cost.mixed,
        "an idle month": lambda cost: cost.idle,
    }
    rows = [[what, *(money(of(cost)) for cost in found)] for what, of in measures.items()]
    return table(["US dollars", *(cost.design for cost in found)], rows)


def variable(found: Sequence[Cost]) -> str:
    """US dollars of a million full lifecycles, by what is paid."""
    return _by_line(found, "a million full lifecycles", lambda cost: cost.created + cost.cancelled)


def fixed(found: Sequence[Cost]) -> str:
    """US dollars of an idle month, by what is paid."""
    return _by_line(found, "an idle month", lambda cost: cost.month)


def calls(sections: Sections) -> str:
    """Calls of a lifecycle by service and phase."""
    rows = []
    for service, name in SERVICE_TITLES.items():
        counts = [_calls(sections, phase, service) for phase in (CREATED, CANCELLED)]
        rows.append([name, *map(str, counts), str(sum(counts))])
    counts = [_calls(sections, phase) for phase in (CREATED, CANCELLED)]
    rows.append(["**calls to AWS**", *map(str, counts), f"**{sum(counts)}**"])
    return table(["calls at batch size 1", "created", "cancelled", "together"], rows)


def assumptions(book: Book) -> str:
    rows = [
        [name, f"{each.value:g} {each.unit}", each.why] for name, each in book.assumptions.items()
    ]
    return table(["assumption", "value", "why"], rows)


def prices(book: Book) -> str:
    rows = [
        [
            name,
            f"{each.dollars:.10f}".rstrip("0").rstrip("."),
            f"{each.per:,}: {each.unit}",
            _seen(each.source, each.edition),
            each.assumption or "",
        ]
        for name, each in book.prices.items()
    ]
    return table(["price", "US dollars", "for", "seen", "assumed"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of markdown."""
    marks = ["---" for _ in head]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))


def money(value: float) -> str:
    """Write dollars with cents below ten."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 (ten)


def _by_line(found: Sequence[Cost], title: str, bill: Callable[[Cost], Bill]) -> str:
    columns = [lines(bill(cost), cost.book.prices) for cost in found]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [
        [name, *(money(column[name]) if name in column else "" for column in columns)]
        for name in names
    ]
    sums = [f"**{money(sum(column.values()))}**" for column in columns]
    heads = [f"US dollars for {title}", *(cost.design for cost in found)]
    return table(heads, [*rows, ["**together**", *sums]])


def _calls(sections: Sections, phase: str, service: str = "") -> int:
    return total(sections, "calls", phase=f"{phase}.", service=service)


def _share(found: Sequence[Cost]) -> str:
    return f"{found[0].book.assumed('cancelled-share'):.0%}"


def _seen(source: str, edition: str) -> str:
    return f"[{source.split('/')[2]}]({source}), {edition}"
