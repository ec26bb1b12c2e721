"""Counts what our processes' own clients send: a hook on botocore's, a listener on pymongo's.

A poll, which came back with nothing new, does not count: how many there are is a matter of timing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from runtime import mongodb
from runtime.aws import Aws
from verification.benchmarks.calls.metering import Meter
from verification.benchmarks.calls.tally import CallTally


@contextmanager
def counted(process: str, tally: CallTally, meter: Meter) -> Iterator[None]:
    """Count, as a process's, all that the clients do which are made in this block.

    Composition roots make their clients themselves, so the two places are patched where every
    client comes from. What was made stays counted when the block has ended, and so do the clients
    that a patient one makes later.
    """
    make = Aws.client

    def client(aws: Aws, service: Any) -> Any:
        session: Any = aws._session  # noqa: SLF001 (its clients have their hooks from it)
        _watch(session.get_component("event_emitter"), process, tally, meter)
        aws._lean = False  # noqa: SLF001 (which would make the same calls, and has no hooks)
        return make(aws, service)

    listener = _Commands(process, tally)
    with (
        patch.object(Aws, "client", client),
        patch.object(mongodb, "MongoClient", partial(MongoClient, event_listeners=[listener])),
    ):
        yield


def _watch(events: Any, process: str, tally: CallTally, meter: Meter) -> None:
    """Hear of each call, once, of the clients that a session makes from now on.

    https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
    """

    def asked(params: Any, context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params

    def answered(parsed: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        # A data key serves a thousand: costs/assumptions.toml.
        is_key = model.service_model.service_name == "kms"
        if not is_key and not _is_poll(model.name, parsed):
            name = f"{model.service_model.service_name} {model.name}"
            tally.call(process, name, 1 + parsed["ResponseMetadata"].get("RetryAttempts", 0))
            meter.note(model.name, context["asked"], parsed)

    events.register("before-parameter-build", asked, unique_id="counted-asked")
    events.register("after-call", answered, unique_id="counted-answered")


def _is_poll(operation: str, parsed: Any) -> bool:
    """Whether it brought nothing new: our own deletes come back from a stream as REMOVE."""
    if operation == "ReceiveMessage":
        return not parsed.get("Messages")
    if operation == "GetRecords":
        return not any(record["eventName"] == "INSERT" for record in parsed.get("Records", ()))
    return False


class _Commands(CommandListener):
    """A command without a batch is counted when it starts, one that reads when it has answered."""

    def __init__(self, process: str, tally: CallTally) -> None:
        self._process, self._tally = process, tally

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name != "getMore":
            self._tally.call(self._process, f"mongodb {event.command_name}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.command_name == "getMore" and event.reply["cursor"]["nextBatch"]:
            self._tally.call(self._process, "mongodb getMore")

    def failed(self, event: CommandFailedEvent) -> None:
        """A command that failed was counted when it started."""
