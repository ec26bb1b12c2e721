"""What `streamed dlq list`, `show`, `redrive` and `drop` do, and what they print."""

import argparse
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from uuid import uuid4

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.redriving import QueueRedrive, drop, plan
from operations.dlq.senders import sender_to
from operations.dlq.tables import dead_letter_facts, dead_letters_table, ended, tallies_table
from operations.dlq.trail import Trail
from operations.environment import Environment
from operations.errors import NotConfirmed, NothingChosen
from operations.output import Output
from operations.sources.peeking import Opened, open_queues, peek

LEFT_BEHIND = 1


def run_list(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    peeks = peek(open_queues(environment, arguments.queue), most=arguments.limit)
    full = [each for each in peeks if each.depth.total or each.dead_letters]
    nothing = f"{arguments.queue or 'every dead-letter queue'} is empty"
    output.show(
        {"queues": [each.document() for each in peeks]},
        *((dead_letters_table(each) for each in full) if full else [nothing]),
    )
    return 0


def run_show(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    dead_letters = [
        dead_letter
        for each in peek(open_queues(environment, arguments.queue), most=arguments.limit)
        for dead_letter in each.dead_letters
    ]
    found = [dead_letter for dead_letter in dead_letters if dead_letter.is_called(arguments.id)]
    if not found:
        names = {
            each
            for dead_letter in dead_letters
            for each in (dead_letter.message_id, dead_letter.event.event_id)
        }
        close = get_close_matches(arguments.id, [each for each in names if each], n=1, cutoff=0.8)
        hint = f"did you mean {close[0]}?" if close else "`streamed dlq list` shows what is there"
        where = arguments.queue or "any dead-letter queue"
        raise NothingChosen(f"no message or event {arguments.id} is in {where}: {hint}")
    output.show(
        [
            {
                **dead_letter.summary(),
                "receives": dead_letter.receives,
                "group": dead_letter.group,
                "attributes": dead_letter.facts(reveal=arguments.reveal),
                "body": dead_letter.text(reveal=arguments.reveal),
            }
            for dead_letter in found
        ],
        *(
            part
            for dead_letter in found
            for part in dead_letter_facts(dead_letter, reveal=arguments.reveal)
        ),
    )
    return 0


def run_redrive(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    queues, choice = open_queues(environment, arguments.queue), _choice(arguments)
    if arguments.dry_run:
        tallies = [_planned(each, choice, arguments.limit, output) for each in queues]
        return _report(tallies, choice, queues, output, "would be sent")
    run, rate_limiter = uuid4().hex, RateLimiter(arguments.rate)
    senders = {
        each.origin.dlq: sender_to(environment, each.origin.destination, run=run) for each in queues
    }
    with Trail(environment.audit_file, "redrive") as trail:

        def redrive(queue: Opened) -> Tally:
            destination = queue.origin.destination
            with queue.lease() as lease:
                return QueueRedrive(
                    lease,
                    queue=queue.origin.dlq,
                    destination=destination,
                    sender=senders[queue.origin.dlq],
                    trail=trail,
                    rate_limiter=rate_limiter,
                    on_outcome=lambda end: output.line(ended(end, str(destination))),
                ).run(choice, arguments.limit)

        tallies = [redrive(each) for each in queues]
    return _report(tallies, choice, queues, output, "sent", audit_file=str(trail.path))


def run_drop(
    environment: Environment,
    arguments: argparse.Namespace,
    output: Output,
    *,
    ask: Callable[[str], str] | None = None,
) -> int:
    queues, choice = open_queues(environment, arguments.queue), _choice(arguments)
    if not arguments.yes:
        choice = _confirmed(queues, choice, arguments, output, ask or _asking(output))
    with Trail(environment.audit_file, "drop") as trail:

        def drop_from(queue: Opened) -> Tally:
            with queue.lease() as lease:
                return drop(
                    lease,
                    choice,
                    queue=queue.origin.dlq,
                    trail=trail,
                    most=arguments.limit,
                    on_outcome=lambda end: output.line(ended(end)),
                )

        tallies = [drop_from(each) for each in queues]
    return _report(tallies, choice, queues, output, "dropped", audit_file=str(trail.path))


def _planned(queue: Opened, choice: Choice, most: int, output: Output) -> Tally:
    """Say what a redrive would do; the queue is as before when this returns."""
    destination = queue.origin.destination
    with queue.lease() as lease:
        return plan(
            lease,
            choice,
            queue=queue.origin.dlq,
            destination=destination,
            most=most,
            on_outcome=lambda end: output.line(ended(end, str(destination))),
        )


def _confirmed(
    queues: list[Opened],
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
        answer = ask(f"Drop {_count(len(dead_letters), 'message')} for good? [y/N] ")
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


def _choice(arguments: argparse.Namespace) -> Choice:
    return Choice(
        ids=frozenset(arguments.ids or ()),
        event_type=arguments.event_type,
        aggregate_id=arguments.aggregate,
    )


def _report(
    tallies: list[Tally],
    choice: Choice,
    queues: list[Opened],
    output: Output,
    done: str,
    **more: str,
) -> int:
    """Sum up; raises NothingChosen if no message is what was asked for."""
    depths = {each.origin.dlq: each.depth().total for each in queues}
    ends = [end for tally in tallies for end in tally.ends]
    where = queues[0].origin.dlq if len(queues) == 1 else "any dead-letter queue"
    if not ends and choice != Choice():
        looked = sum(tally.seen for tally in tallies)
        there = _count(looked, "other message") if looked else "nothing at all"
        raise NothingChosen(f"nothing of {choice} is in {where}, which has {there}")
    missing = choice.missing(end.dead_letter for end in ends)
    document: Mapping[str, object] = {
        "queues": [{**tally.document(), "stillThere": depths[tally.queue]} for tally in tallies],
        "notFound": missing,
        **({"auditFile": more["audit_file"]} if "audit_file" in more else {}),
    }
    empty = f"{queues[0].origin.dlq if len(queues) == 1 else 'every dead-letter queue'} is empty"
    shown = [each for each in tallies if each.ends or each.more or depths[each.queue]]
    output.show(document, tallies_table(shown, depths, done) if shown else empty)
    for each in missing:
        output.complain(f"not there: {each}")
    if ends and "audit_file" in more:
        output.line(f"audit trail: {more['audit_file']}")
    if done == "would be sent":
        return 0
    return LEFT_BEHIND if missing or any(each.left or each.stopped for each in tallies) else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
