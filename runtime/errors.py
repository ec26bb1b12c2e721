"""The errors that mean the same in every process.

RuntimeFault
├── Unavailable   a dependency is away or throttles: try the same thing again later
├── Conflict      another writer was first: load and decide again
└── Misconfigured a setting or a resource is missing: the process cannot start

Whatever else reaches the edge of a process is a bug, or a domain's own error.
"""


class RuntimeFault(Exception):
    """Root of this family."""


class Unavailable(RuntimeFault):
    """`dependency` did not answer, refused for now, or answered 5xx; nothing is wrong with us."""

    def __init__(self, dependency: str, reason: str) -> None:
        super().__init__(f"{dependency} is unavailable: {reason}")
        self.dependency, self.reason = dependency, reason


class Conflict(RuntimeFault):
    """The row is not at the version that this change was decided on."""

    def __init__(self, aggregate_id: str) -> None:
        super().__init__(f"{aggregate_id} was changed by another writer")
        self.aggregate_id = aggregate_id


class Misconfigured(RuntimeFault):
    """What stops a process at start; the message names everything that must be mended."""
