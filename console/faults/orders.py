"""/api/breaking: stop processes, have the buses refuse, send poison; off unless asked for.

A local system is broken on purpose, by what `make up BREAK=1` and a queue can be asked to do.
"""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import Field, StrictBool

from console.faults.poison import PoisonKind, poison, poison_queues
from contracts.envelope import ReadModel
from infra.graph import kind_of, node_id
from infra.local_system.fault_protocol import Answer, Look, Refuse, StartProcess, StopProcess, ask
from infra.topology import WORKLOADS
from operations.environment import Environment
from operations.errors import NoSuchName, OperatorError
from runtime.aws import reaching
from runtime.settings import is_loopback
from runtime.sqs.queue import find_url

HOW_TO_ENABLE = "stop the system, and start it with `make up BREAK=1`"


class Run(ReadModel, extra="forbid"):
    """Whether a process is to run; `kill`: it gets no time to finish what is in flight."""

    run: StrictBool
    kill: StrictBool = False


class RefuseEvents(ReadModel, extra="forbid"):
    """Whether the buses are to refuse every event of the relays."""

    refuse: StrictBool


class Poison(ReadModel, extra="forbid"):
    """A message that the consumer of `queue` cannot handle."""

    queue: Annotated[str, Field(min_length=1, max_length=256)]
    kind: PoisonKind


def router(environment: Environment, socket: str | None) -> APIRouter:
    breaking = Breaking(environment, socket)
    routes = APIRouter(prefix="/api/breaking")
    routes.get("")(breaking.state)
    routes.post("/processes/{name}")(breaking.run)
    routes.post("/bus")(breaking.refuse)
    routes.post("/poison")(breaking.poison)
    return routes


class BreakingOff(OperatorError):
    """Nothing can be broken here; the message says why, and where it could be."""


def why_not(environment: Environment, socket: str | None) -> str | None:
    """Why nothing can be broken here; None where it can."""
    if environment.endpoint_url is None:
        return "This is AWS: nothing is broken there on purpose."
    if not is_loopback(urlsplit(environment.endpoint_url).hostname or ""):
        return f"Things can only be broken on a laptop's own system: {HOW_TO_ENABLE}."
    if socket is None:
        return f"Breaking things is off, which it is unless asked for: {HOW_TO_ENABLE}."
    return None


class Breaking:
    """Every method raises BreakingOff where nothing may be broken, and Unavailable.

    Those that change something raise NotBroken for what cannot be done.
    """

    def __init__(self, environment: Environment, socket: str | None) -> None:
        self._environment, self._socket = environment, socket
        self._queues = poison_queues(environment.topology)
        self._nodes = {each.name: node_id(kind_of(each), each.name) for each in WORKLOADS}

    def state(self) -> dict[str, Any]:
        return self._state(ask(self._path(), Look()))

    def run(self, name: str, wish: Run) -> dict[str, Any]:
        stop = StopProcess(process=name, kill=wish.kill)
        return self._state(ask(self._path(), StartProcess(process=name) if wish.run else stop))

    def refuse(self, wish: RefuseEvents) -> dict[str, Any]:
        return self._state(ask(self._path(), Refuse(refuse=wish.refuse)))

    def poison(self, wish: Poison) -> dict[str, Any]:
        """Raises NoSuchName and Misconfigured as well."""
        queue = wish.queue
        self._path()
        if queue not in self._queues:
            raise NoSuchName("queue that can be poisoned", queue, self._queues)
        origin = self._queues[queue]
        body, what = poison(queue, origin, wish.kind)
        sqs = self._environment.aws(origin.domain).client("sqs")
        url = find_url(sqs, queue)
        with reaching("SQS"):
            message_id = sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        return {
            **self.state(),
            "messageId": message_id,
            "sentence": (
                f"Sent {what} to {queue}. {origin.handlers[0]} will set it aside in"
                f" {origin.dlq}, and go on with the others."
            ),
        }

    def _path(self) -> Path:
        why = why_not(self._environment, self._socket)
        if why is not None or self._socket is None:
            raise BreakingOff(why)
        return Path(self._socket)

    def _state(self, answer: Answer) -> dict[str, Any]:
        return {
            "processes": [
                {"name": name, "node": self._nodes.get(name), "running": runs}
                for name, runs in answer.processes.items()
            ],
            "bus": {"refusing": answer.refusing},
            "poisonQueues": [
                {"queue": name, "node": node_id("queue", name)} for name in self._queues
            ],
        }
