"""docs/reference/failures.md: what each error of a dependency means, from the tables of runtime."""

from collections.abc import Iterable, Iterator

from operations.__main__ import AWAY, CANNOT
from runtime import aws_failures, mongodb_failures
from runtime.aws_failures import STATUSES
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.verdicts import RULES, Family, Rule, Verdict
from tools.reference.markdown import code, table

HEAD = """# Failures

What a process does about an error of AWS's or of the database's. This page is written by `make
docs` from `runtime/verdicts.py`, `runtime/aws_failures.py` and `runtime/mongodb_failures.py`; a
test holds it to them, and another holds them to every error that botocore's models list for what
is called.

| verdict | relay, forwarder | consumer | API | `./streamed` |
| --- | --- | --- | --- | --- |
"""

VERDICTS = {
    Verdict.HOLD: (
        "keeps the row or message, says so at WARN with the code, is not ready meanwhile",
        "likewise; the message stays hidden, and no receive is counted",
        f"{UNAVAILABLE.status} `{UNAVAILABLE.slug}` with Retry-After",
        f"exit code {AWAY}, or {CANNOT} where a start would exit",
    ),
    Verdict.RETRY: (
        "tries again; a stream that lost its place is opened at its end and its outbox swept",
        "decides again on what is stored now; then as dead-letter",
        "decides again on what is stored now",
        f"exit code {CANNOT}",
    ),
    Verdict.DEAD_LETTER: (
        "dead-letters the entry at once, with the reason",
        "the message goes back to its queue for a while, and is dead-lettered at its last receive",
        "500",
        f"exit code {CANNOT}",
    ),
    Verdict.EXIT: ("at start only: one sentence, and exit code 2",) * 2
    + ("likewise", "exit code 2"),
}

UNKNOWN = """
An error that is in no list holds: nothing is known that speaks against the work. But one message
or row may meet it alone, and must not stop the others:

- A consumer gives its place to another message, up to 80 of them. Once the same call has passed
  for others between five of its tries, the message goes back to its queue for 10 s, 20 s, 40 s
  and 80 s, and is dead-lettered at its last receive.
- A relay's row waits in the window for at most 5 s between two tries, with what is behind it in
  its aggregate; no publisher waits for it. It is never dead-lettered: an outbox counts no
  receives, and what its target did not refuse as the entry's own fault stays where it is.
- A forwarder's message is dead-lettered after 30 tries between which the bus took others. On
  Lambda a row is reported as failed after six tries, and the sweep takes it up.

An error of a process's own, such as a TypeError, is no dependency's: the message goes back to its
queue, and is dead-lettered at its last receive.

At start a process ends with one sentence and exit code 2 for what a setting, a role or a resource
has to be changed for. It waits for what passes by itself: a clock that is wrong and credentials
that expired are put right on a machine that goes on running. Once it has started it never ends
for either.
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
    return f"{HEAD}{verdicts}\n\n## Families\n\n{families}\n\n## Unknown errors\n{UNKNOWN}{lists}"


def _verdicts(rule: Rule) -> tuple[str, str]:
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
    yield "pymongo, exceptions", _codes(mongodb_failures.EXCEPTIONS.get(family, ()))


def _statuses(family: Family) -> Iterator[int | str]:
    yield from (status for status, its in STATUSES.items() if its is family)
    if family is Family.AWAY:
        yield "5xx"


def _codes(names: Iterable[str]) -> str:
    more = ", ".join(map(code, sorted(names)))
    return f"{more}, `KMS.*`" if "`KmsDisabled`" in more else more
