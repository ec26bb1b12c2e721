"""How dead letters look to a person."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from operations.dlq.choice import End, Tally
from operations.output import UNKNOWN_VALUE, counted, moment, table
from operations.sources.dead_letters import DeadLetter
from operations.sources.peeking import Peek
from runtime.text import printable


def dead_letters_table(peek: Peek) -> Table:
    """A queue's dead letters: who and what each is, why it is there."""
    count = counted(max(peek.depth.total, len(peek.dead_letters)), "dead letter")
    made = table(
        "message / event",
        "type / aggregate (sequence)",
        "since / tries",
        "why / from",
        title=f"{peek.origin.dlq}: {count}, for {peek.origin.destination}",
    )
    for dead_letter in peek.dead_letters:
        made.add_row(
            f"{dead_letter.message_id}\n{dead_letter.event.event_id or UNKNOWN_VALUE}",
            f"{dead_letter.event.event_type or UNKNOWN_VALUE}\n{_aggregate(dead_letter)}",
            f"{moment(dead_letter.sent_at)}\n{_tries(dead_letter)}",
            f"{dead_letter.why}\n{dead_letter.by}",
            end_section=True,
        )
    if peek.unseen:
        made.caption = (
            f"{peek.unseen} more: a FIFO queue gives out ten of an aggregate at a time, and what"
            " is in flight elsewhere is hidden; --limit shows more"
        )
    return made


def dead_letter_facts(dead_letter: DeadLetter, *, reveal: bool) -> Iterator[RenderableType]:
    """Everything about one dead letter."""
    inside = dead_letter.event
    facts = {
        "queue": dead_letter.queue,
        "message id": dead_letter.message_id,
        "event": f"{inside.event_type or UNKNOWN_VALUE} {inside.event_id or ''}".strip(),
        "aggregate": _aggregate(dead_letter),
        "why": dead_letter.why,
        "from": dead_letter.by,
        "tries": UNKNOWN_VALUE if dead_letter.tries is None else str(dead_letter.tries),
        "sent": moment(dead_letter.sent_at),
        "received": f"{dead_letter.receives} times, by any reader",
        "group": dead_letter.group or "",
        **dead_letter.facts(reveal=reveal),
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value:
            grid.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    yield grid
    yield Text("")
    yield Text(dead_letter.text(reveal=reveal), overflow="fold")
    yield Text("")


def tallies_table(tallies: Sequence[Tally], depths: Mapping[str, int], done: str) -> Table:
    """What a command did, queue by queue."""
    numbers = ("looked at", done, "left behind", "still there")
    made = table("queue", *numbers, "", numbers=numbers)
    for tally in tallies:
        remark = tally.stopped or ("the limit is reached: run it again" if tally.more else "")
        made.add_row(
            tally.queue,
            str(tally.seen),
            str(tally.moved),
            str(tally.left),
            str(depths[tally.queue]),
            remark,
        )
    return made


def ended(end: End, destination: str | None = None) -> str:
    """One line of progress."""
    dead_letter = end.dead_letter
    to = f" to {destination}" if end.moved and destination else ""
    what = dead_letter.event.event_type or "message"
    of = f" of {_aggregate(dead_letter)}," if dead_letter.event.aggregate_id else ""
    return printable(f"{end.outcome}{to}: {what}{of} {dead_letter.message_id}")


def _aggregate(dead_letter: DeadLetter) -> str:
    if dead_letter.event.aggregate_id is None:
        return UNKNOWN_VALUE
    sequence = UNKNOWN_VALUE if dead_letter.event.sequence is None else dead_letter.event.sequence
    return f"{dead_letter.event.aggregate_id} ({sequence})"


def _tries(dead_letter: DeadLetter) -> str:
    if dead_letter.tries is None:
        return "tries unknown"
    return "1 try" if dead_letter.tries == 1 else f"{dead_letter.tries} tries"
