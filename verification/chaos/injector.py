"""Carries a schedule out: kills, freezes and brings back, and injects faults into the endpoint."""

import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Event

from local.console import Console
from local.errors import Stopped
from local.supervisor import Supervisor
from runtime.process.shutdown import Stop
from verification.chaos.keys import Keys
from verification.chaos.schedule import ENDPOINTS, Fault
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.injected_fault import AnyFault, FaultKind
from verification.testkit.meanwhile import meanwhile

WATCH_INTERVAL = 0.5
"""Seconds between two looks for processes that died."""

CANNOT_RETURN = "ministack"
"""Its state is gone with it: where it dies, a run has nothing more to say."""


class Injector:
    """Injects faults by their time; `injected` counts by kind and target what really was done.

    `missed` counts those that did nothing: a fault of an endpoint that no request
    met, a process that had died before it was killed.

    `died` counts the processes that ended without our doing; like those that we killed they are
    started again, as an orchestrator would.
    """

    def __init__(
        self, supervisor: Supervisor, proxy: FaultProxy, keys: Keys, *, console: Console, stop: Stop
    ) -> None:
        self._supervisor, self._proxy, self._keys = supervisor, proxy, keys
        self._console, self._stop = console, stop
        self.injected: Counter[tuple[AnyFault, str]] = Counter()
        self.missed: Counter[tuple[AnyFault, str]] = Counter()
        self.died: Counter[str] = Counter()
        self._began = time.monotonic()

    def watching(self) -> AbstractContextManager[None]:
        """Start again what dies until the block ends."""
        return meanwhile(self._watch)

    def run(self, faults: Iterable[Fault], *, seconds: float) -> None:
        """Inject each fault at its time, and return after `seconds`, or at a stop.

        Then every fault is over, and what was killed is started (and perhaps not ready).
        """
        self._began = time.monotonic()
        ordered = sorted(faults, key=lambda fault: fault.start)
        of_processes = [fault for fault in ordered if fault.target not in ENDPOINTS]
        of_endpoints = [fault for fault in ordered if fault.target in ENDPOINTS]
        with ThreadPoolExecutor(2) as pool:
            lanes = pool.map(self._inject_all, (of_processes, of_endpoints))
            self._stop.wait(max(0, self._began + seconds - time.monotonic()))
        list(lanes)  # raises what they did

    def _inject_all(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            if self._stop.wait(max(0, self._began + fault.start - time.monotonic())):
                return
            with self._on(fault):
                self._stop.wait(fault.duration)

    @contextmanager
    def _on(self, fault: Fault) -> Iterator[None]:
        at = time.monotonic() - self._began
        partly = fault.target in ENDPOINTS and fault.kind not in {FaultKind.CUT, FaultKind.ROTATE}
        chance = f", {fault.chance:.0%} of requests" if partly else ""
        self._console.say(
            f"chaos {at:6.1f} s: {fault.kind} {fault.target} for {fault.duration:g} s{chance}"
        )
        hits = self._proxy.hits[fault.kind]
        was_alive = fault.target not in self._supervisor.dead()
        self._begin(fault)
        try:
            yield
        finally:
            self._end(fault)
            hit = self._proxy.hits[fault.kind] > hits if fault.target in ENDPOINTS else was_alive
            (self.injected if hit else self.missed)[fault.kind, fault.target] += 1

    def _begin(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.KILL:
                self._supervisor.hold(fault.target, kill=True)
            case FaultKind.FREEZE:  # it comes back believing that no time has passed
                self._supervisor.kill(fault.target, signal.SIGSTOP)
            case FaultKind.ROTATE:  # the key that all processes have, before they can have the next
                self._proxy.trust(self._keys.rotate())
            case _:
                self._proxy.inject(fault.kind, fault.chance, service=ENDPOINTS[fault.target])

    def _end(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.KILL:
                self._supervisor.start(fault.target)
            case FaultKind.FREEZE:
                self._supervisor.kill(fault.target, signal.SIGCONT)
            case FaultKind.ROTATE:
                self._keys.hand_out()
            case _:
                self._proxy.recover()

    def _watch(self, ended: Event) -> None:
        while not ended.wait(WATCH_INTERVAL):
            for name, lines in self._supervisor.dead().items():
                self.died[name] += 1
                self._console.say("\n    ".join([f"{name} died; its last lines:", *lines]))
                if name == CANNOT_RETURN:
                    self._stop.request()
                    return
                try:
                    self._supervisor.start(name)
                except Stopped:
                    return
