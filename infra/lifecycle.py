"""What happens to the aggregates of a domain, in which order, and where their state is kept."""

from dataclasses import dataclass

from contracts.names import EventType, Source


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`events` are a domain's, by sequence: each aggregate begins, and may end.

    `about` says in a sentence what the domain is for; `kept_in` is the table or collection of its
    rows. `may_begin_ended`: the end may come first, and then there is no beginning; such a row
    begins at the last version.
    """

    domain: str
    about: str
    source: Source
    events: tuple[EventType, EventType]
    kept_in: str
    may_begin_ended: bool = False
