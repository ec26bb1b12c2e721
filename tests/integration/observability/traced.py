"""One lifecycle in a running system, and every span that the system sent of it."""

from dataclasses import dataclass

from tests.e2e.world import World
from tests.otlp import ReceivedSpan, Receiver


@dataclass(frozen=True)
class Traced:
    world: World
    receiver: Receiver
    trace_id: str
    span_id: str
    subscription_id: str
    spans: list[ReceivedSpan]

    def named(self, name: str, service: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if (span.name, span.service) == (name, service)]
