"""Runs the table of processes: starts, watches, restarts and stops them.

honcho was considered: it can neither restart one process nor wait until one is ready.
"""

import queue
import signal
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from threading import Lock

from infra.local_system.ports import is_taken
from infra.local_system.settings import ROOT
from local.child import CHILD_STOPS_WITHIN, signal_child, start_child
from local.console import Console
from local.errors import (
    LocalError,
    ProcessDied,
    Silent,
    Stopped,
    how_it_died,
    last_words,
)
from local.probes import Health
from local.process import Process
from local.running import Running
from runtime.errors import Misconfigured
from runtime.process.shutdown import Stop

START_PATIENCE = 60.0
"""Seconds that a process which is not ready yet may give no sign of life. A start is as long as
it takes: a busy machine takes minutes, and shows lines, answers and work meanwhile."""

SAY_EVERY = 10.0
"""Seconds of waiting after which we say for which processes, and then again."""

FIRST_RESTART_AFTER = 0.5
LAST_RESTART_AFTER = 30.0
ENGINES_STOP_WITHIN = 60.0
"""Seconds at least: an engine writes its state at its end, which is lost where it is killed."""

STEADY_AFTER = 60.0
"""Seconds: a process that lived this long starts its back-off again."""


class Supervisor(AbstractContextManager["Supervisor"]):
    """Owns the processes from `start` to `stop`; use it as a context manager and none is left.

    `stop` asks it from outside (a signal, a test) to end; `restart_ours` starts a process that died
    again instead of ending, an engine excepted.
    """

    def __init__(
        self,
        processes: Iterable[Process],
        *,
        console: Console,
        stop: Stop | None = None,
        restart_ours: bool = False,
        stop_within: float = CHILD_STOPS_WITHIN,
    ) -> None:
        self._table = {process.name: process for process in processes}
        self._console = console
        self._stop = stop or Stop()
        self._restart_ours = restart_ours
        self._stop_within = stop_within
        self._running: dict[str, Running] = {}
        self._held: set[str] = set()
        self._starting = Lock()  # guards the two above: a test restarts what a thread supervises
        self._ended: queue.SimpleQueue[Running] = queue.SimpleQueue()
        # A child dies with the *thread* that started it (see start_child): this one lives as long
        # as the supervisor, whichever thread asks.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="spawner")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check_ports(self) -> None:
        """Raises LocalError or Misconfigured for the first process that cannot have its port."""
        wanted: dict[int, str] = {}
        for process in self._table.values():
            if process.port in wanted:
                raise Misconfigured(
                    f"{wanted[process.port]} and {process.name} both want port {process.port}: set"
                    f" {process.port_variable} to another"
                )
            wanted[process.port] = process.name
            if is_taken(process.port):
                raise LocalError(
                    f"port {process.port} is taken, and {process.name} needs it: stop whatever"
                    f" listens there, or set {process.port_variable} to a free port"
                )

    def start(self, *names: str) -> None:
        """Start these processes, or all of them; one that runs already is left alone.

        Raises Stopped once a stop was requested.
        """
        for name in names or self._table:
            with self._starting:
                self._held.discard(name)
                self._start(name)

    def wait_ready(
        self,
        *names: str,
        patience: float = START_PATIENCE,
        say_every: float = SAY_EVERY,
    ) -> None:
        """Return when these processes, or all that were started, are ready.

        Raises ProcessDied as soon as one of them is dead, Silent for one that gave no sign of life
        for `patience` seconds, and Stopped when a stop was requested meanwhile.
        """
        waiting = set(names or self._running)
        began = time.monotonic()
        said = began
        while waiting:
            for name in sorted(waiting):
                if self._stop.requested:
                    raise Stopped
                running = self._running[name]
                if (returncode := running.child.poll()) is not None:
                    raise ProcessDied(running.process, returncode, running.last_lines())
                if running.look():
                    waiting.discard(name)
                elif min(running.progress.silence(), time.monotonic() - began) > patience:
                    raise Silent(
                        running.process, running.health.text, patience, running.last_lines()
                    )
            now = time.monotonic()
            if waiting and now - said > say_every:
                said = now
                self._console.say(f"waiting for {', '.join(map(self._seen, sorted(waiting)))}")
            self._stop.wait(0.05 if waiting else 0)

    def _seen(self, name: str) -> str:
        health = self._running[name].health
        return name if health == Health(is_ready=False) else f"{name} ({health.text})"

    def supervise(self) -> None:
        """Watch until a stop is requested.

        Raises ProcessDied when a process died: an engine, or any where restarting is off.
        """
        failures: dict[str, int] = {}
        due: dict[str, float] = {}
        while not self._stop.requested:
            with suppress(queue.Empty):
                running = self._ended.get(timeout=0.2)
                # One that we stopped or replaced is no longer in the table.
                if self._running.get(running.process.name) is running:
                    due[running.process.name] = self._restart_at(running, failures)
            for name in [name for name, when in due.items() if when <= time.monotonic()]:
                del due[name]
                with suppress(Stopped), self._starting:
                    if name not in self._held:
                        self._start(name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL the process is gone when this returns."""
        child = self._running[name].child
        signal_child(child, number)
        if number == signal.SIGKILL:
            child.wait()

    def hold(self, name: str, *, kill: bool = False) -> None:
        """Stop a process, by SIGKILL if `kill`, until it is started again; it is not restarted.

        Raises KeyError for one that is not in the table.
        """
        process = self._table[name]
        with self._starting:
            self._held.add(process.name)
            running = self._running.pop(name, None)
        if running and kill:
            signal_child(running.child, signal.SIGKILL)
        self._stop_all([running] if running else [])

    def runs(self, name: str) -> bool:
        """Whether a process was started and has not ended."""
        running = self._running.get(name)
        return running is not None and not running.has_died

    def restart(self, name: str) -> None:
        """Stop the process, if it runs, and start it again."""
        self.hold(name)
        self.start(name)

    def pid(self, name: str) -> int:
        """The id of the running process: after a restart it is another."""
        return self._running[name].child.pid

    def dead(self) -> dict[str, list[str]]:
        """Those that were started and have ended without a stop, with what each wrote last."""
        return {name: one.last_lines() for name, one in list(self._running.items()) if one.has_died}

    def last_words(self) -> str:
        """What each that was not stopped wrote last, with its name and whether it runs."""
        return "\n".join(
            last_words(name, one.child.poll(), one.last_lines())
            for name, one in list(self._running.items())
        )

    def stop(self) -> None:
        """Stop ours within 10 seconds, then the engines within 60, and then by force."""
        self._stop.request()
        with self._starting:
            running, self._running = list(self._running.values()), {}
        try:
            self._stop_all([one for one in running if not one.process.is_engine])
            self._stop_all([one for one in running if one.process.is_engine])
        finally:  # a second Ctrl-C: no time for manners
            for one in running:
                signal_child(one.child, signal.SIGKILL)
            self._spawner.shutdown()

    def _start(self, name: str) -> None:
        """The lock is held. Raises Stopped."""
        if self._stop.requested:
            raise Stopped
        if not self.runs(name):
            self._running[name] = self._spawner.submit(self._spawn, name).result()

    def _spawn(self, name: str) -> Running:
        process = self._table[name]
        with process.log.open("wb") if process.log else nullcontext(subprocess.PIPE) as output:
            child = start_child(
                process.command,
                env=process.env,
                cwd=ROOT,
                output=output,
                # An engine writes its state only then.
                on_parent_death=signal.SIGTERM if process.is_engine else signal.SIGKILL,
            )
        running = Running(process, child, self._console, self._ended)
        running.start()
        return running

    def _restart_at(self, running: Running, failures: dict[str, int]) -> float:
        process, returncode = running.process, running.child.wait()
        if process.is_engine or not self._restart_ours:
            raise ProcessDied(process, returncode, running.last_lines())
        if time.monotonic() - running.since > STEADY_AFTER:
            failures.pop(process.name, None)
        failures[process.name] = failures.get(process.name, 0) + 1
        delay = restart_delay(failures[process.name])
        self._console.say(
            f"{process.name} died ({how_it_died(returncode)}): starting it again in {delay:g} s"
        )
        return time.monotonic() + delay

    def _stop_all(self, running: list[Running]) -> None:
        for one in running:
            signal_child(one.child, signal.SIGTERM)
        has_engine = any(one.process.is_engine for one in running)
        within = max(self._stop_within, ENGINES_STOP_WITHIN) if has_engine else self._stop_within
        deadline = time.monotonic() + within
        for one in running:
            try:
                one.child.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._console.say(
                    f"{one.process.name} did not stop within {within:g} s: killing it"
                )
                signal_child(one.child, signal.SIGKILL)
        for one in running:
            one.child.wait()
            one.join(timeout=1)


def restart_delay(failures: int) -> float:
    """Seconds before the start that follows the n-th failure: doubling from half a second."""
    return min(LAST_RESTART_AFTER, FIRST_RESTART_AFTER * 2.0 ** min(failures - 1, 10))
