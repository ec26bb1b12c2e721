"""Breaks a local system on purpose, by what `make up BREAK=1` and a queue can be asked to do."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console.faults.poison import PoisonKind, poison, poison_queues
from console.settings import is_loopback
from infra.graph import kind_of, node_id
from infra.local_system.fault_protocol import Answer, Look, Refuse, StartProcess, StopProcess, ask
from infra.topology import WORKLOADS
from operations.environment import Environment
from operations.errors import NoSuchName, OperatorError
from runtime.aws import reaching
from runtime.sqs.queue import find_url

HOW_TO_ENABLE = "stop the system, and start it with `make up BREAK=1`"


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

    Those that change something raise local.breaking.protocol.NotBroken for what cannot be done.
    """

    def __init__(self, environment: Environment, socket: str | None) -> None:
        self._environment, self._socket = environment, socket
        self._queues = poison_queues(environment.topology)
        self._nodes = {each.name: node_id(kind_of(each), each.name) for each in WORKLOADS}

    def state(self) -> dict[str, Any]:
        return self._state(ask(self._path(), Look()))

    def run(self, name: str, *, run: bool, kill: bool = False) -> dict[str, Any]:
        """Have a process run, or not; `kill` gives it no time to leave."""
        request = StartProcess(process=name) if run else StopProcess(process=name, kill=kill)
        return self._state(ask(self._path(), request))

    def refuse(self, *, refuse: bool) -> dict[str, Any]:
        """Have the buses refuse every event of the relays, or take them again."""
        return self._state(ask(self._path(), Refuse(refuse=refuse)))

    def poison(self, queue: str, kind: PoisonKind) -> dict[str, Any]:
        """Send a message that its consumer cannot handle. Raises NoSuchName, Misconfigured."""
        self._path()
        if queue not in self._queues:
            raise NoSuchName("queue that can be poisoned", queue, self._queues)
        aimed = self._queues[queue]
        body, what = poison(aimed, kind)
        sqs = self._environment.aws(self._environment.topology.domain_of_queue(queue)).client("sqs")
        url = find_url(sqs, queue)
        with reaching("SQS"):
            message_id = sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
        return {
            **self.state(),
            "messageId": message_id,
            "sentence": (
                f"Sent {what} to {queue}. {aimed.consumer} will set it aside in"
                f" {aimed.dead_letter_queue}, and go on with the others."
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
