"""How dead letters look to a person."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from operations.dlq.choice import End, Tally
from operations.output import UNKNOWN, moment, table
from operations.sources.dead_letters import DeadLetter
from operations.sources.peeking import Peek


def letters_table(peek: Peek) -> Table:
    """A queue's letters: who and what each is, why it is there."""
    made = table(
        "message / event",
        "type / aggregate (sequence)",
        "since / tries",
        "why / from",
        title=f"{peek.origin.dlq}: {_standing(peek)}, for {peek.origin.destination}",
    )
    for letter in peek.letters:
        made.add_row(
            f"{letter.message_id}\n{letter.event.event_id or UNKNOWN}",
            f"{letter.event.event_type or UNKNOWN}\n{_aggregate(letter)}",
            f"{moment(letter.sent_at)}\n{_tries(letter)}",
            f"{letter.why}\n{letter.by}",
            end_section=True,
        )
    if peek.unseen:
        made.caption = (
            f"{peek.unseen} more: a FIFO queue gives out ten of an aggregate at a time, and what"
            " somebody holds is hidden; --limit shows more"
        )
    return made


def letter_facts(letter: DeadLetter, *, reveal: bool) -> Iterator[RenderableType]:
    """Everything about one letter."""
    facts = {
        "queue": letter.queue,
        "message id": letter.message_id,
        "event": f"{letter.event.event_type or UNKNOWN} {letter.event.event_id or ''}".strip(),
        "aggregate": _aggregate(letter),
        "why": letter.why,
        "from": letter.by,
        "tries": UNKNOWN if letter.tries is None else str(letter.tries),
        "sent": moment(letter.sent_at),
        "received": f"{letter.receives} times, by whoever looked",
        "group": letter.group or "",
        **letter.facts(reveal=reveal),
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value:
            grid.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    yield grid
    yield Text("")
    yield Text(letter.text(reveal=reveal), overflow="fold")
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
    letter = end.letter
    to = f" to {destination}" if end.moved and destination else ""
    what = letter.event.event_type or "message"
    of = f" of {_aggregate(letter)}," if letter.event.aggregate_id else ""
    return f"{end.outcome}{to}: {what}{of} {letter.message_id}"


def _aggregate(letter: DeadLetter) -> str:
    if letter.event.aggregate_id is None:
        return UNKNOWN
    sequence = UNKNOWN if letter.event.sequence is None else letter.event.sequence
    return f"{letter.event.aggregate_id} ({sequence})"


def _standing(peek: Peek) -> str:
    count = max(peek.depth.total, len(peek.letters))
    return "1 dead letter" if count == 1 else f"{count} dead letters"


def _tries(letter: DeadLetter) -> str:
    if letter.tries is None:
        return "tries not told"
    return "1 try" if letter.tries == 1 else f"{letter.tries} tries"
