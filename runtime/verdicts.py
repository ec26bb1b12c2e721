"""What a failure means: one table for every process, from its family to what is done about it.

`runtime.aws_failures` and `runtime.mongodb_failures` say which family an error code or an exception
belongs to; `docs/reference/failures.md` is written from all three.

An error of a dependency that is in no list is UNKNOWN, and holds: it is not the work that is to
blame for what nothing is known of. Where others pass meanwhile it is the work after all: see
`runtime.retry`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What is done about work that met a failure."""

    HOLD = "hold"
    """Keep it, back off, stay; say so at WARN with the code; not ready meanwhile."""

    RETRY = "retry"
    """Try it again, decided afresh; a message goes back to its queue, and is dead-lettered at its
    last receive."""

    DEAD_LETTER = "dead-letter"
    """Set it aside with the reason: a relay at once, a consumer at its last receive."""

    EXIT = "exit"
    """End with one sentence and exit code 2."""


class Family(StrEnum):
    """What a failure is about."""

    AWAY = "away"
    THROTTLED = "throttled"
    CLOCK = "clock"
    EXPIRED = "expired credentials"
    CREDENTIALS = "credentials"
    RIGHTS = "rights"
    KEYS = "encryption keys"
    MISSING = "missing resource"
    CONFIGURATION = "configuration"
    RACE = "race"
    POSITION = "position"
    ENTRY = "entry"
    REQUEST = "request"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FamilyRule:
    """The verdict on a family: while a process runs, and before it has started."""

    means: str
    verdict: Verdict
    at_start: Verdict


_HOLD, _RETRY, _EXIT = Verdict.HOLD, Verdict.RETRY, Verdict.EXIT

RULES: Mapping[Family, FamilyRule] = {
    Family.AWAY: FamilyRule("no answer, a 5xx, no primary: it passes by itself", _HOLD, _HOLD),
    Family.THROTTLED: FamilyRule("too fast, or past a quota", _HOLD, _HOLD),
    Family.CLOCK: FamilyRule("a clock is wrong: signatures are too old or too new", _HOLD, _HOLD),
    Family.EXPIRED: FamilyRule(
        "credentials that were good have expired; their source is asked again", _HOLD, _HOLD
    ),
    Family.CREDENTIALS: FamilyRule("no credentials, or none that are accepted", _HOLD, _EXIT),
    Family.RIGHTS: FamilyRule("a role or a policy does not allow the call", _HOLD, _EXIT),
    Family.KEYS: FamilyRule("the key that encrypts a resource cannot be used", _HOLD, _HOLD),
    Family.MISSING: FamilyRule("a resource is not there, or is being changed", _HOLD, _EXIT),
    Family.CONFIGURATION: FamilyRule("a setting of the driver cannot be used", _HOLD, _EXIT),
    Family.RACE: FamilyRule(
        "another writer was first, or the state is another one", _RETRY, _RETRY
    ),
    Family.POSITION: FamilyRule(
        "a place in a stream, a list or a queue is no longer valid", _RETRY, _RETRY
    ),
    Family.ENTRY: FamilyRule(
        "the entry, row or document itself is refused", Verdict.DEAD_LETTER, Verdict.DEAD_LETTER
    ),
    Family.REQUEST: FamilyRule("the request is wrong: a bug of this system", _RETRY, _RETRY),
    Family.UNKNOWN: FamilyRule("an error that is in no list", _HOLD, _HOLD),
}


def holds(family: Family) -> bool:
    """Whether work that meets this is kept while a process runs."""
    return RULES[family].verdict is Verdict.HOLD


def family_of_class(kind: type[BaseException], families: Mapping[str, Family]) -> Family | None:
    """The family of the nearest base of an exception that is named; None if none is."""
    names = (each.__name__ for each in kind.__mro__)
    return next((families[name] for name in names if name in families), None)


HELD = tuple(family for family in Family if holds(family))
"""The families that say nothing against the work."""
