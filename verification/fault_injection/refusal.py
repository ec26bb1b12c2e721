"""Between the relays and their buses: has the buses refuse for as long as is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from infra.topology import WORKLOADS
from infra.workloads import PublishesTo
from local.process import Process
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.injected_fault import AnyFault, FaultKind

PUT_EVENTS_TARGET = "AWSEvents.PutEvents"

RELAYS = frozenset(
    each.name for each in WORKLOADS if any(isinstance(use, PublishesTo) for use in each.uses)
)
"""Those that publish."""


class Refusal:
    """While it is on, each PutEvents of a relay is refused: throttled, as by a bus over its quota.

    Or with whatever else is asked for; what holds is an outage to a relay: it waits, and nothing is
    dead-lettered.
    """

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self.refusing = False

    @classmethod
    @contextmanager
    def in_front_of(cls, endpoint: str) -> Iterator["Refusal"]:
        with FaultProxy(endpoint).running() as proxy:
            yield cls(proxy)

    def behind(self, process: Process) -> Process:
        """Have a process reach AWS through here, if it publishes."""
        if process.name not in RELAYS:
            return process
        return replace(process, env={**process.env, "AWS_ENDPOINT_URL": self._proxy.endpoint})

    def refuse(self, *, refuse: bool, trouble: AnyFault = FaultKind.THROTTLE) -> None:
        if refuse:
            self._proxy.inject(trouble, service=PUT_EVENTS_TARGET)
        else:
            self._proxy.recover()
        self.refusing = refuse
