"""docs/reference/failures.md: what each error of a dependency means, from the tables of runtime."""

from collections.abc import Iterable, Iterator

from operations.__main__ import AWAY, CANNOT
from runtime import aws_failures, mongodb_failures
from runtime.aws_failures import STATUSES
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.verdicts import RULES, Family, FamilyRule, Verdict
from tools.reference.markdown import code, table

HEAD = """# Failures

*What does a process do about an error of AWS or of the database?* `make docs` writes this page from
`runtime/verdicts.py`, `runtime/aws_failures.py` and `runtime/mongodb_failures.py`, and a test
compares them. Another test checks that every error in botocore's models of the operations that are
called has a verdict.

| verdict | relay, forwarder | consumer | API | `./streamed` |
| --- | --- | --- | --- | --- |
"""

VERDICTS = {
    Verdict.HOLD: (
        "keeps the row or message, logs a warning with the code, is not ready until it is over",
        "the same; the message stays hidden, and no receive is counted",
        f"{UNAVAILABLE.status} `{UNAVAILABLE.slug}` with Retry-After",
        f"exit code {AWAY}, or {CANNOT} where a start would exit",
    ),
    Verdict.RETRY: (
        "retries; a stream whose position was lost is opened at its end and its outbox swept",
        "decides again on what is stored now; after that as dead-letter",
        "decides again on what is stored now",
        f"exit code {CANNOT}",
    ),
    Verdict.DEAD_LETTER: (
        "dead-letters the entry at once, with the reason",
        "returns the message to its queue with a delay, and dead-letters it at its last receive",
        "500",
        f"exit code {CANNOT}",
    ),
    Verdict.EXIT: ("at start only: one sentence, and exit code 2",) * 2
    + ("the same", "exit code 2"),
}

UNLISTED_ERRORS = """
An unlisted error has the verdict hold: it is not known to be the message's fault. But only one
message or row may meet it, and it must not block the others:

- A consumer gives its thread to another message; up to 80 messages can wait like this. If the same
  call succeeds for other messages between five of its attempts, the message returns to its queue
  for 10 s, 20 s, 40 s and 80 s, and is dead-lettered at its last receive. The count begins again
  when another message met such an error of the call and got over it: the error is then one that
  passes, as that of a server which is overloaded and refuses some.
- A relay's row waits in the window for at most 5 s between two attempts, with later rows of its
  aggregate; no publisher waits for it. It is never dead-lettered: an outbox counts no receives, and
  a row stays there unless its target refuses the entry itself.
- A forwarder's message is dead-lettered after 30 attempts between which the bus accepted others. On
  Lambda a row is reported as failed after six attempts, and the sweep publishes it later.

An error in a process itself, such as a TypeError, is not an error of a dependency: the message
returns to its queue, and is dead-lettered at its last receive.

At start a process ends with one sentence and exit code 2 if a setting, a role or a resource has to
be changed. It waits if the error can end by itself: a wrong clock or expired credentials are fixed
on a running machine. After its start a process never ends because of these errors.
"""


def page() -> str:
    verdicts = "\n".join(
        f"| {verdict} | {' | '.join(texts)} |" for verdict, texts in VERDICTS.items()
    )
    families = table(
        ("family", "what it is", "while it runs", "at start"),
        ((family, rule.means, *_verdicts(rule)) for family, rule in RULES.items()),
    )
    lists = "".join(_section(family) for family in RULES if family is not Family.UNKNOWN)
    families = f"## Families\n\n{families}\n\n## Unknown errors\n{UNLISTED_ERRORS}"
    return f"{HEAD}{verdicts}\n\n{families}{lists}"


def _verdicts(rule: FamilyRule) -> tuple[str, str]:
    at_start = "wait" if rule.at_start is Verdict.HOLD else rule.at_start
    return rule.verdict, at_start


def _section(family: Family) -> str:
    rows = [(name, listed) for name, listed in _lists(family) if listed]
    return f"\n## {family.capitalize()}\n\n{table(('of', 'errors'), rows)}\n"


def _lists(family: Family) -> Iterator[tuple[str, str]]:
    yield "AWS, codes", _codes(aws_failures.CODES.get(family, ()))
    yield "AWS, statuses", _codes(str(each) for each in _statuses(family))
    yield "botocore, exceptions", _codes(aws_failures.EXCEPTIONS.get(family, ()))
    named = mongodb_failures.CODES.get(family, {}).items()
    yield "MongoDB, codes", ", ".join(f"{number} {name}" for number, name in sorted(named))
    labels = (label for label, its in mongodb_failures.LABELS.items() if its is family)
    yield "MongoDB, labels", _codes(labels)
    texts = (text for text, its in mongodb_failures.MESSAGES.items() if its is family)
    yield "DocumentDB, messages", _codes(texts)
    yield "pymongo, exceptions", _codes(mongodb_failures.EXCEPTIONS.get(family, ()))


def _statuses(family: Family) -> Iterator[int | str]:
    yield from (status for status, its in STATUSES.items() if its is family)
    if family is Family.AWAY:
        yield "5xx"


def _codes(names: Iterable[str]) -> str:
    more = ", ".join(map(code, sorted(names)))
    return f"{more}, `KMS.*`" if "`KmsDisabled`" in more else more
