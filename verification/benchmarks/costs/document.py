"""docs/costs.md: `python -m verification.benchmarks.costs --write` writes between its marks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.local_system.settings import ROOT
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.calls.tally import Sections, total
from verification.benchmarks.costs.book import Bill, Book, Price
from verification.benchmarks.costs.model import Cost, costs, lifecycle_of_071a447
from verification.benchmarks.drawing import drawn, write_numbers_out
from verification.benchmarks.pages import table

COSTS_PAGE = ROOT / "docs" / "costs.md"
PLOT = ROOT / "docs" / "images" / "costs.svg"

POINTS = 61
LEAST, DECADES = 1_000, 5
"""From a thousand subscriptions a month to a hundred million."""

STYLES = ("-", "--", ":", "-.")

SERVICE_TITLES = {
    "dynamodb": "DynamoDB",
    "dynamodbstreams": "DynamoDB Streams",
    "events": "EventBridge",
    "sqs": "SQS",
    "mongodb": "DocumentDB (MongoDB commands, not calls to AWS)",
}


BATCHES = (1, 10)
"""Events in a call, a message batch and an invocation: nothing else going on, and under load."""


def parts(sections: Sections, book: Book) -> Mapping[str, str]:
    """Every generated part of the page, by the name of its marks."""
    single, full = (costs(sections, book, batch) for batch in BATCHES)
    return {
        "summary": _summary(sections, book),
        "calls": _calls(sections),
        "variable": _by_line(full, "a million full lifecycles", _lifecycle),
        "batches": _by_batch(single, full),
        "story": _story(sections, book),
        "dev": _by_line(full, "an idle month of dev", lambda cost: cost.dev),
        "fixed": _by_line(full, "an idle month without lowCost", lambda cost: cost.month),
        "assumptions": _assumptions(book),
        "prices": _prices(book),
    }


def _lifecycle(cost: Cost) -> Bill:
    return cost.created + cost.cancelled


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


def _summary(sections: Sections, book: Book) -> str:
    """US dollars of each design, all in all."""
    (one, single), (ten, found) = ((batch, costs(sections, book, batch)) for batch in BATCHES)
    before = costs(lifecycle_of_071a447(), book, ten)
    share = _share(found)
    measures: list[tuple[str, Sequence[Cost], Callable[[Cost], float]]] = [
        (f"a million full lifecycles, batches of {ten}", found, lambda cost: cost.full),
        (f"the same, batches of {one}", single, lambda cost: cost.full),
        (f"that of commit 071a447, batches of {ten}", before, lambda cost: cost.full),
        (f"a million, {share} cancelled, batches of {ten}", found, lambda cost: cost.mixed),
        (f"a million, none cancelled, batches of {ten}", found, lambda cost: cost.created_only),
        ("an idle month of `dev`", found, lambda cost: cost.idle_dev),
        ("an idle month without `lowCost`", found, lambda cost: cost.idle),
        (
            f"that with a million full lifecycles, batches of {ten}",
            found,
            lambda cost: cost.million_in_a_month,
        ),
    ]
    rows = [[what, *(_money(of(cost)) for cost in some)] for what, some, of in measures]
    return table(["US dollars", *(cost.design for cost in found)], rows)


def _by_batch(single: Sequence[Cost], full: Sequence[Cost]) -> str:
    """What a batch carries together: this design's lines that change, and the sum."""
    one, ten = (cost.book.lines(_lifecycle(cost)) for cost in (single[0], full[0]))
    rows = [[name, _money(one[name]), _money(ten[name])] for name in one if one[name] != ten[name]]
    sums = [f"**{_money(cost.full)}**" for cost in (single[0], full[0])]
    head = "US dollars for a million full lifecycles"
    return table(
        [head, *(f"batches of {batch}" for batch in BATCHES)], [*rows, ["**all lines**", *sums]]
    )


def _story(sections: Sections, book: Book) -> str:
    """This design's lines of two lifecycles, and what the story has had since the earlier one."""
    before, now = (
        book.lines(_lifecycle(costs(each, book, BATCHES[-1])[0]))
        for each in (lifecycle_of_071a447(), sections)
    )
    rows = [
        [name, _money(before[name]), _money(now[name] - before[name]), _money(now[name])]
        for name in now
    ]
    sums = [sum(before.values()), sum(now.values()) - sum(before.values()), sum(now.values())]
    together = ["**together**", *(f"**{_money(value)}**" for value in sums)]
    heads = ["US dollars for a million full lifecycles", "at 071a447", "added since", "now"]
    return table(heads, [*rows, together])


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
    """Write dollars with cents."""
    return f"{value:,.2f}"


def _share(found: Sequence[Cost]) -> str:
    return f"{found[0].book.assumed('cancelled-share'):.0%}"
