"""Lets the console break what `make up BREAK=1` runs: its processes, and the way to its buses."""

import os
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from infra.local_system.fault_protocol import (
    MAX_LINE,
    MAX_PATH,
    REQUEST,
    Answer,
    Look,
    NotBroken,
    Refuse,
    Request,
    StartProcess,
    StopProcess,
)
from local.console import Console
from local.errors import Stopped
from local.supervisor import Supervisor
from runtime.errors import Misconfigured
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.injected_fault import FaultKind

SENDS_WITHIN = 5.0
"""Seconds that a client has for its line."""


PUT_EVENTS_TARGET = "AWSEvents.PutEvents"


@dataclass(frozen=True)
class FaultCommands:
    """Does what is asked for to processes of these names, and to no other.

    While the buses refuse, each PutEvents that comes through the proxy is throttled, as by a bus
    over its quota, or answered as is asked for. To a relay it is an outage: it waits, and nothing
    is dead-lettered.
    """

    supervisor: Supervisor
    proxy: FaultProxy
    processes: Sequence[str]
    console: Console

    def do(self, request: Request) -> Answer:
        """Raises NotBroken."""
        match request:
            case Look():
                pass
            case StopProcess(process=name, kill=kill):
                self._known(name)
                self.console.say(
                    f"{name} is {'killed' if kill else 'stopped'}, as the console asks"
                )
                self.supervisor.hold(name, kill=kill)
            case StartProcess(process=name):
                self._known(name)
                self.console.say(f"{name} is started again, as the console asks")
                try:
                    self.supervisor.start(name)
                except Stopped:
                    raise NotBroken("everything is being stopped") from None
            case Refuse(refuse=refuse, family=family):
                how = f", with errors of the family {family}" if family else ""
                self.console.say(f"the buses {f'refuse{how}' if refuse else 'take events again'}")
                if refuse:
                    self.proxy.inject(family or FaultKind.THROTTLE, service=PUT_EVENTS_TARGET)
                else:
                    self.proxy.recover()
        return Answer(
            processes={name: self.supervisor.runs(name) for name in self.processes},
            refusing=self.proxy.fault is not None,
        )

    def _known(self, name: str) -> None:
        if name not in self.processes:
            raise NotBroken(f"there is no process {name!r}: there are {', '.join(self.processes)}")


@contextmanager
def listening(path: Path, breaking: FaultCommands) -> Iterator[None]:
    """Answer on a Unix socket, for this user alone, until the block ends.

    Raises Misconfigured.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        raise Misconfigured(
            f"the socket of BREAK=1, {path}, would have a longer name than the {MAX_PATH} bytes"
            " that one can have: set STATE_DIR to a shorter one, or leave BREAK away"
        )
    # In a folder of this user alone: between bind and chmod every user may use the socket.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)  # of one that was killed; the state directory is ours alone

    class Handler(socketserver.StreamRequestHandler):
        timeout = SENDS_WITHIN

        def handle(self) -> None:
            try:
                answer = breaking.do(REQUEST.validate_json(self.rfile.readline(MAX_LINE)))
            except ValidationError:
                answer = Answer(why="this is no request that can be understood")
            except NotBroken as reason:
                answer = Answer(why=str(reason))
            except OSError:
                return  # it sent nothing in time, or went
            self.wfile.write(answer.model_dump_json().encode() + b"\n")

    with _Server(str(path), Handler) as server:
        path.chmod(0o600)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="breaking")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    """A request that still waits for a process to end does not keep `make up` from ending."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the client has gone."""
