"""docs/costs.md: `python -m verification.benchmarks.costs --write` writes between its marks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.local_system.settings import ROOT
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.calls.tally import Sections, total
from verification.benchmarks.costs.book import Bill, Book, Price
from verification.benchmarks.costs.model import Cost, costs
from verification.benchmarks.drawing import drawn, write_numbers_out
from verification.benchmarks.pages import table

COSTS_PAGE = ROOT / "docs" / "costs.md"
PLOT = ROOT / "docs" / "images" / "costs.svg"

POINTS = 61
LEAST, DECADES = 1_000, 5
"""From a thousand subscriptions a month to a hundred million."""

STYLES = ("-", "--", ":")

SERVICE_TITLES = {
    "dynamodb": "DynamoDB",
    "dynamodbstreams": "DynamoDB Streams",
    "events": "EventBridge",
    "sqs": "SQS",
    "mongodb": "DocumentDB (MongoDB commands, not calls to AWS)",
}


def parts(sections: Sections, book: Book) -> Mapping[str, str]:
    """Every generated part of the page, by the name of its marks."""
    found = costs(sections, book)
    return {
        "summary": _summary(found),
        "calls": _calls(sections),
        "variable": _by_line(
            found, "a million full lifecycles", lambda cost: cost.created + cost.cancelled
        ),
        "fixed": _by_line(found, "an idle month", lambda cost: cost.month),
        "assumptions": _assumptions(book),
        "prices": _prices(book),
    }


def draw(found: Sequence[Cost], path: Path = PLOT) -> None:
    """Draw dollars a month over new subscriptions a month, the same byte for byte each time."""
    volumes = [LEAST * 10 ** (DECADES * n / (POINTS - 1)) for n in range(POINTS)]
    with drawn(path) as axes:
        for cost, style in zip(found, STYLES, strict=True):
            axes.plot(
                volumes, [cost.monthly(volume) for volume in volumes], style, label=cost.design
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(100, 10_000)
        write_numbers_out(axes)
        axes.set_xlabel(f"new subscriptions a month, {_share(found)} of them cancelled in the end")
        axes.set_ylabel("US dollars a month")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False)


def _summary(found: Sequence[Cost]) -> str:
    """US dollars of each design, all in all."""
    measures: dict[str, Callable[[Cost], float]] = {
        "a million subscriptions, none cancelled": lambda cost: cost.created_only,
        "a million subscriptions, all cancelled: full lifecycles": lambda cost: cost.full,
        f"a million subscriptions, {_share(found)} cancelled": lambda cost: cost.mixed,
        "an idle month": lambda cost: cost.idle,
    }
    rows = [[what, *(_money(of(cost)) for cost in found)] for what, of in measures.items()]
    return table(["US dollars", *(cost.design for cost in found)], rows)


def _calls(sections: Sections) -> str:
    """Calls of a lifecycle by service and phase."""

    def counts(service: str) -> list[int]:
        return [
            total(sections, "calls", phase=f"{phase}.", service=service)
            for phase in (CREATED, CANCELLED)
        ]

    rows = [
        [name, *map(str, counts(service)), str(sum(counts(service)))]
        for service, name in SERVICE_TITLES.items()
    ]
    rows.append(["**calls to AWS**", *map(str, counts("")), f"**{sum(counts(''))}**"])
    return table(["calls at batch size 1", "created", "cancelled", "together"], rows)


def _by_line(found: Sequence[Cost], title: str, bill: Callable[[Cost], Bill]) -> str:
    """US dollars by what is paid."""
    columns = [cost.book.lines(bill(cost)) for cost in found]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [
        [name, *(_money(column[name]) if name in column else "" for column in columns)]
        for name in names
    ]
    sums = [f"**{_money(sum(column.values()))}**" for column in columns]
    heads = [f"US dollars for {title}", *(cost.design for cost in found)]
    return table(heads, [*rows, ["**together**", *sums]])


def _assumptions(book: Book) -> str:
    rows = [
        [name, f"{each.value:g} {each.unit}", each.why] for name, each in book.assumptions.items()
    ]
    return table(["assumption", "value", "why"], rows)


def _prices(book: Book) -> str:
    rows = [_price_cells(name, each) for name, each in book.prices.items()]
    return table(["price", "US dollars", "for", "seen", "assumed"], rows)


def _price_cells(name: str, price: Price) -> Sequence[str]:
    dollars = f"{price.dollars:.10f}".rstrip("0").rstrip(".")
    seen = f"[{price.source.split('/')[2]}]({price.source}), {price.edition}"
    return (name, dollars, f"{price.per:,}: {price.unit}", seen, price.assumption or "")


def _money(value: float) -> str:
    """Write dollars with cents below ten."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 (ten)


def _share(found: Sequence[Cost]) -> str:
    return f"{found[0].book.assumed('cancelled-share'):.0%}"
