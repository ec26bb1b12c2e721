"""What happens to the aggregates of a domain, in which order, and where their state is kept."""

from dataclasses import dataclass

from contracts.names import EventType, Source


@dataclass(frozen=True, slots=True)
class Transition:
    """An event, the version that an aggregate has after it, and its status then.

    `ends`: razors and money no longer flow.
    """

    event: EventType
    sequence: int
    status: str
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`transitions` are a domain's, by sequence; two with one number are alternatives.

    `about` says in a sentence what the domain is for; `kept_in` is the table or collection of its
    rows. `may_begin_ended`: an end may come before the beginning, and then there is none.
    """

    domain: str
    about: str
    source: Source
    transitions: tuple[Transition, ...]
    kept_in: str
    may_begin_ended: bool = False

    @property
    def events(self) -> tuple[EventType, ...]:
        return tuple(each.event for each in self.transitions)
