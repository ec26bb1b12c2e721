"""The errors that mean the same in every process.

RuntimeFault
├── Unavailable   a dependency is away, throttles or refuses for now: try again later
├── Conflict      another writer was first: load and decide again
├── CannotOpen    a sealed text is none, was changed, or is not for its reader: never try again
└── Misconfigured a setting or a resource is missing: the process cannot start

Whatever else reaches the edge of a process is a bug, or a domain's own error.
"""

from runtime.verdicts import Family


class RuntimeFault(Exception):
    """Root of this family."""


class Unavailable(RuntimeFault):
    """`dependency` did not answer, or refused in a way that says nothing against the work.

    `family` is why, `call` what was asked of it, where that is known; `is_lost`: it has given no
    answer, and may have done what it was asked.
    """

    def __init__(
        self,
        dependency: str,
        reason: str,
        family: Family = Family.AWAY,
        *,
        call: str = "",
        is_lost: bool = False,
    ) -> None:
        super().__init__(f"{dependency} is unavailable: {reason}")
        self.dependency, self.reason = dependency, reason
        self.family, self.call, self.is_lost = family, call, is_lost

    @property
    def is_unknown(self) -> bool:
        """Whether its error is in no list: it may be the work's fault after all."""
        return self.family is Family.UNKNOWN


class Conflict(RuntimeFault):
    """The row is not at the version that this change was decided on."""

    def __init__(self, aggregate_id: str) -> None:
        super().__init__(f"{aggregate_id} was changed by another writer")
        self.aggregate_id = aggregate_id


class CannotOpen(RuntimeFault):
    """A sealed text is none, was changed, or is not for its reader; never says what it has."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a sealed text cannot be opened: {reason}")


class Misconfigured(RuntimeFault):
    """What stops a process at start; the message names everything that must be fixed."""
