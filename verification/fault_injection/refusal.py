"""Stands between the relays and their buses, and has the buses refuse for as long as is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from infra.local_system.ports import LOOPBACK
from infra.topology import WORKLOADS
from infra.workloads import PublishesTo
from local.process import Process
from verification.chaos.proxy import Proxy
from verification.chaos.schedule import Kind, Trouble

PUT_EVENTS = "AWSEvents.PutEvents"

RELAYS = frozenset(
    each.name for each in WORKLOADS if any(isinstance(use, PublishesTo) for use in each.uses)
)
"""Those that publish."""


class Refusal:
    """While it is on, each PutEvents of a relay is refused: throttled, as by a bus over its quota.

    Or with whatever else is asked for; what holds is an outage to a relay: it waits, and nothing is
    dead-lettered.
    """

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.refusing = False

    @classmethod
    @contextmanager
    def in_front_of(cls, aws_port: int) -> Iterator["Refusal"]:
        with Proxy(aws_port).running() as proxy:
            yield cls(proxy)

    def behind(self, process: Process) -> Process:
        """Have a process reach AWS through here, if it publishes."""
        if process.name not in RELAYS:
            return process
        endpoint = f"http://{LOOPBACK}:{self._proxy.port}"
        return replace(process, env={**process.env, "AWS_ENDPOINT_URL": endpoint})

    def refuse(self, *, refuse: bool, trouble: Trouble = Kind.THROTTLE) -> None:
        if refuse:
            self._proxy.misbehave(trouble, service=PUT_EVENTS)
        else:
            self._proxy.behave()
        self.refusing = refuse
