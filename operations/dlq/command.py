"""`streamed dlq …`: what could not be delivered or handled, and what to do about it."""

from operations.commandline import Parser, count, rate
from operations.dlq.actions import run_drop, run_list, run_redrive, run_show
from operations.sources.lease import MAX_MESSAGES

LISTED_AT_MOST = 1_000
DEFAULT_RATE = 20.0
"""Messages a second: a consumer handles hundreds, and what it cannot handle shows in time."""


def add(streamed: Parser) -> None:
    dlq = streamed.command(
        "dlq",
        "look at dead letters, send them back, or drop them",
        description="Dead letters: what could not be delivered, handled or published.\n"
        "A message that EventBridge put there names the rule; one that a consumer or a relay put\n"
        "there has the error; the rest SQS moved, after maxReceiveCount receives.",
        examples=[
            "dlq list",
            "dlq show 0d2c3f6e-…",
            "dlq redrive --queue payment-cancelled-dlq --all --dry-run",
        ],
    )
    _add_list(dlq)
    _add_show(dlq)
    _add_redrive(dlq)
    _add_drop(dlq)


def _add_list(dlq: Parser) -> None:
    command = dlq.command(
        "list",
        "every dead letter: which event, why, when, from whom, how often tried",
        description="List dead letters. Messages are hidden from others for the moment of the"
        " look,\nand visible again at its end.",
        examples=["dlq list", "dlq list --queue stock-dlq", "dlq list --json"],
    )
    command.add_argument("--queue", metavar="NAME", help="one dead-letter queue (all of them)")
    command.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=LISTED_AT_MOST,
        help=f"read at most N messages of each queue ({LISTED_AT_MOST})",
    )
    command.set_defaults(run=run_list)


def _add_show(dlq: Parser) -> None:
    command = dlq.command(
        "show",
        "everything about one dead letter, its body too",
        examples=[
            "dlq show 0d2c3f6e-55e2-4c0b-9f0e-8a1f1a2b3c4d",
            "dlq show 019ab0c0-0000-7000-8000-000000000001 --queue stock-dlq --reveal",
        ],
    )
    command.add_argument("id", metavar="MESSAGE_ID|EVENT_ID")
    command.add_argument("--queue", metavar="NAME", help="look in this queue only")
    command.add_argument(
        "--reveal", action="store_true", help="the body byte for byte, bank details too"
    )
    command.set_defaults(run=run_show, limit=MAX_MESSAGES)


def _add_redrive(dlq: Parser) -> None:
    command = dlq.command(
        "redrive",
        "send dead letters back to where they belong",
        description="Send dead letters back to where they belong: to the work queue, to the bus"
        " that\na rule could not reach, or to the bus that a relay could not publish to. In"
        " sequence\nper aggregate. Each message is sent, then written to the audit file, then"
        " deleted:\nkilled at any moment it is not lost, at worst it is sent twice, and"
        " handlers\nhandle it once. Fix the cause first, and look with --dry-run.",
        examples=[
            "dlq redrive --queue payment-cancelled-dlq --all --dry-run",
            "dlq redrive --queue payment-cancelled-dlq --all",
            "dlq redrive --all-queues --aggregate 5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11",
            "dlq redrive --queue stock-dlq --id 0d2c3f6e-55e2-4c0b-9f0e-8a1f1a2b3c4d",
            "dlq redrive --all-queues --event-type SubscriptionCreated --rate 5",
        ],
    )
    _add_choice(command, verb="redrive")
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be sent where, and change nothing"
    )
    command.add_argument(
        "--rate",
        metavar="N",
        type=rate,
        default=DEFAULT_RATE,
        help=f"messages a second ({DEFAULT_RATE:g})",
    )
    command.set_defaults(run=run_redrive)


def _add_drop(dlq: Parser) -> None:
    command = dlq.command(
        "drop",
        "delete dead letters for good; the audit file keeps them whole",
        description="Delete dead letters for good. Each is written to the audit file first, with"
        " its\nwhole body, bank details too: only its owner can read that file.",
        examples=[
            "dlq drop --queue subscriptions-dlq --id 0d2c3f6e-55e2-4c0b-9f0e-8a1f1a2b3c4d",
            "dlq drop --queue stock-dlq --all --yes",
        ],
    )
    _add_choice(command, verb="drop")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.set_defaults(run=run_drop)


def _add_choice(command: Parser, *, verb: str) -> None:
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--queue", metavar="NAME", help="in one dead-letter queue")
    where.add_argument("--all-queues", action="store_true", help="in every dead-letter queue")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--id",
        metavar="ID",
        action="append",
        dest="ids",
        help="a message id or an event id; may be given more than once",
    )
    which.add_argument("--event-type", metavar="TYPE", help="for example SubscriptionCreated")
    which.add_argument("--aggregate", metavar="ID", help="all of one subscription")
    which.add_argument("--all", action="store_true", help=f"{verb} everything")
    command.add_argument(
        "--limit",
        metavar="N",
        type=count,
        default=MAX_MESSAGES,
        help=f"read at most N messages of each queue ({MAX_MESSAGES}); run again for the rest",
    )
