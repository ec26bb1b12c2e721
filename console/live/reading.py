"""What one look at the system found, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from operations.sources.depths import Depth
from runtime.ids import utc_now
from runtime.outbox.stats import OutboxStats


@dataclass(frozen=True)
class Reading:
    """`outboxes` and `apis` are by domain and by process; a text is why it could not be read.

    An API's None is that it is ready. `still` is how long queues stand still, in seconds.
    """

    depths: Mapping[str, Depth] = field(default_factory=dict)
    still: Mapping[str, float] = field(default_factory=dict)
    outboxes: Mapping[str, OutboxStats | str] = field(default_factory=dict)
    apis: Mapping[str, str | None] = field(default_factory=dict)
    trouble: str | None = None
    read_at: datetime = field(default_factory=utc_now)
