"""What `streamed dlq list`, `show`, `redrive` and `drop` do, and what they print."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from uuid import uuid4

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.redriving import QueueRedrive, drop, plan
from operations.dlq.senders import sender_to
from operations.dlq.tables import dead_letter_facts, dead_letters_table, ended, tallies_table
from operations.dlq.trail import Trail
from operations.environment import Environment
from operations.errors import NotConfirmed, NothingChosen
from operations.output import Output, counted
from operations.sources.dead_letters import DeadLetter
from operations.sources.lease import Lease, Opened
from operations.sources.peeking import open_queue, open_queues, peek

LEFT_BEHIND = 1


def run_list(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    peeks = peek(_opened(environment, arguments.queue), most=arguments.limit)
    full = [each for each in peeks if each.depth.total or each.dead_letters]
    nothing = f"{arguments.queue or 'every dead-letter queue'} is empty"
    output.show(
        {"queues": [each.document() for each in peeks]},
        *((dead_letters_table(each) for each in full) if full else [nothing]),
    )
    return 0


def run_show(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    peeks = peek(_opened(environment, arguments.queue), most=arguments.limit)
    dead_letters = [dead_letter for each in peeks for dead_letter in each.dead_letters]
    found = [dead_letter for dead_letter in dead_letters if dead_letter.is_called(arguments.id)]
    if not found:
        where = arguments.queue or "any dead-letter queue"
        hint = _close_to(arguments.id, dead_letters)
        raise NothingChosen(f"no message or event {arguments.id} is in {where}: {hint}")
    documents = [
        {
            **dead_letter.summary(),
            "receives": dead_letter.receives,
            "group": dead_letter.group,
            "attributes": dead_letter.facts(reveal=arguments.reveal),
            "body": dead_letter.text(reveal=arguments.reveal),
        }
        for dead_letter in found
    ]
    facts = [dead_letter_facts(dead_letter, reveal=arguments.reveal) for dead_letter in found]
    output.show(documents, *(part for each in facts for part in each))
    return 0


def _close_to(name: str, dead_letters: Iterable[DeadLetter]) -> str:
    names = {each for dead_letter in dead_letters for each in dead_letter.names}
    close = get_close_matches(name, filter(None, names), n=1, cutoff=0.8)
    return f"did you mean {close[0]}?" if close else "`streamed dlq list` shows what is there"


def run_redrive(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    queues, choice = _opened(environment, arguments.queue), _choice(arguments)
    if arguments.dry_run:
        tallies = _planned(queues, choice, arguments, output)
        return _report(queues, tallies, choice, arguments, output, done="would be sent")
    run, rate_limiter = uuid4().hex, RateLimiter(arguments.rate)
    senders = {
        each.origin.dlq: sender_to(environment, each.origin.destination, run=run) for each in queues
    }
    with Trail(environment.audit_file, "redrive") as trail:
        tallies = _in_each(
            queues,
            lambda queue, lease: QueueRedrive(
                lease,
                queue=queue.origin.dlq,
                destination=queue.origin.destination,
                sender=senders[queue.origin.dlq],
                trail=trail,
                rate_limiter=rate_limiter,
                on_outcome=lambda end: output.line(ended(end, str(queue.origin.destination))),
            ).run(choice, arguments.limit),
        )
    file = trail.path
    return _report(queues, tallies, choice, arguments, output, done="sent", audit_file=file)


def _planned(
    queues: Sequence[Opened], choice: Choice, arguments: argparse.Namespace, output: Output
) -> list[Tally]:
    """Say what a redrive would do; the queues are as before when this returns."""
    return _in_each(
        queues,
        lambda queue, lease: plan(
            lease,
            choice,
            queue=queue.origin.dlq,
            destination=queue.origin.destination,
            most=arguments.limit,
            on_outcome=lambda end: output.line(ended(end, str(queue.origin.destination))),
        ),
    )


def run_drop(
    environment: Environment,
    arguments: argparse.Namespace,
    output: Output,
    *,
    ask: Callable[[str], str] | None = None,
) -> int:
    queues, choice = _opened(environment, arguments.queue), _choice(arguments)
    if not arguments.yes:
        choice = _confirmed(queues, choice, arguments, output, ask or _asking(output))
    with Trail(environment.audit_file, "drop") as trail:
        tallies = _in_each(
            queues,
            lambda queue, lease: drop(
                lease,
                choice,
                queue=queue.origin.dlq,
                trail=trail,
                most=arguments.limit,
                on_outcome=lambda end: output.line(ended(end)),
            ),
        )
    file = trail.path
    return _report(queues, tallies, choice, arguments, output, done="dropped", audit_file=file)


def _in_each(queues: Sequence[Opened], act: Callable[[Opened, Lease], Tally]) -> list[Tally]:
    """Lease one queue after the other; what is left of it is visible again before the next."""
    tallies: list[Tally] = []
    for queue in queues:
        with queue.lease() as lease:
            tallies.append(act(queue, lease))
    return tallies


def _confirmed(
    queues: Sequence[Opened],
    choice: Choice,
    arguments: argparse.Namespace,
    output: Output,
    ask: Callable[[str], str],
) -> Choice:
    """Show what would be dropped and ask; the answer is for these messages and no others."""
    looked = peek(queues, most=arguments.limit)
    dead_letters = [
        dead_letter for each in looked for dead_letter in each.dead_letters if dead_letter in choice
    ]
    if not dead_letters:
        # What arrives meanwhile, or is in flight elsewhere, was not shown and is not confirmed.
        held = sum(each.unseen for each in looked)
        rest = f" that is visible: {held} are in flight elsewhere" if held else ""
        raise NothingChosen(f"there is nothing of {choice} to drop{rest}")
    for dead_letter in dead_letters:
        output.line(ended(End(dead_letter, moved=False, outcome="would be dropped")))
    try:
        answer = ask(f"Drop {counted(len(dead_letters), 'message')} for good? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing was dropped")
    return Choice(ids=frozenset(dead_letter.message_id for dead_letter in dead_letters))


def _asking(output: Output) -> Callable[[str], str]:
    if output.as_json or not sys.stdin.isatty():
        raise NotConfirmed(
            "a drop deletes for good: say --yes, or run it in a terminal to be asked"
        )
    return input


def _opened(environment: Environment, queue: str | None) -> list[Opened]:
    """Find the queue that is named, or all."""
    return open_queues(environment) if queue is None else [open_queue(environment, queue)]


def _choice(arguments: argparse.Namespace) -> Choice:
    return Choice(
        ids=frozenset(arguments.ids or ()),
        event_type=arguments.event_type,
        aggregate_id=arguments.aggregate,
    )


def _report(
    queues: Sequence[Opened],
    tallies: Sequence[Tally],
    choice: Choice,
    arguments: argparse.Namespace,
    output: Output,
    *,
    done: str,
    audit_file: Path | None = None,
) -> int:
    """Sum up; without an audit file nothing was done. Raises NothingChosen if no message fits."""
    depths = {each.origin.dlq: each.depth().total for each in queues}
    ends = [end for tally in tallies for end in tally.ends]
    if not ends and choice != Choice():
        looked = sum(tally.seen for tally in tallies)
        there = counted(looked, "other message") if looked else "nothing at all"
        where = arguments.queue or "any dead-letter queue"
        raise NothingChosen(f"nothing of {choice} is in {where}, which has {there}")
    missing = choice.missing(end.dead_letter for end in ends)
    document = {
        "queues": [{**tally.document(), "stillThere": depths[tally.queue]} for tally in tallies],
        "notFound": missing,
        **({"auditFile": str(audit_file)} if audit_file else {}),
    }
    empty = f"{arguments.queue or 'every dead-letter queue'} is empty"
    shown = [each for each in tallies if each.ends or each.more or depths[each.queue]]
    output.show(document, tallies_table(shown, depths, done) if shown else empty)
    for each in missing:
        output.complain(f"not there: {each}")
    if audit_file is None:
        return 0
    if ends:
        output.line(f"audit trail: {audit_file}")
    return LEFT_BEHIND if missing or any(each.left or each.stopped for each in tallies) else 0
