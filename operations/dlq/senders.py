"""Sends dead letters on, a batch a call, and says of each whether it was accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from operations.dlq.outgoing import Event, Message
from operations.place import Place
from operations.sources.dead_letters import DeadLetter
from operations.sources.origins import BackToQueue, Destination
from relay.adapters.eventbridge import LIMITS as BUS_LIMITS
from relay.adapters.eventbridge import EventBus
from relay.adapters.sqs_fifo import LIMITS as QUEUE_LIMITS
from relay.ports import Limits
from runtime.aws import error_code, reaching
from runtime.errors import Unavailable
from runtime.sqs.queue import find_url

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Parcel:
    """A letter, and what is sent for it."""

    letter: DeadLetter
    content: Message | Event


class Sender(Protocol):
    """Where chosen letters go."""

    @property
    def limits(self) -> Limits: ...

    def send(self, parcels: Sequence[Parcel]) -> Sequence[str | None]:
        """Send one batch; answers, in order, None for what was accepted, else why it was not.

        Raises Unavailable if nothing is known of the whole batch: it may have been accepted.
        """
        ...


def sender_to(place: Place, destination: Destination, *, run: str) -> Sender:
    """Find where letters go; raises Misconfigured if it is not there: no bus says so later.

    `run` is unlike that of any other redrive.
    """
    if isinstance(destination, BackToQueue):
        sqs = place.aws(place.topology.domain_of_queue(destination.queue)).client("sqs")
        return ToQueue(sqs, find_url(sqs, destination.queue), fifo=destination.fifo, run=run)
    events = place.aws(place.topology.domain_of_bus(destination.bus)).client("events")
    EventBus(events, destination.bus).check()
    return ToBus(events, destination.bus)


@dataclass(frozen=True)
class ToQueue:
    """A Sender to a work queue.

    A FIFO queue takes each deduplication id once in five minutes, even if what it took has been
    deleted since: an id of an earlier redrive would be accepted and dropped. So each run has ids
    of its own. What a killed run had sent and not deleted is sent twice, which harms nobody.
    """

    sqs: "SQSClient"
    url: str
    fifo: bool
    run: str
    limits: Limits = QUEUE_LIMITS

    def send(self, parcels: Sequence[Parcel]) -> Sequence[str | None]:
        entries: Any = [
            {"Id": str(index), "MessageBody": parcel.content.body, **self._fifo(parcel)}
            for index, parcel in enumerate(parcels)
            if isinstance(parcel.content, Message)
        ]
        try:
            with reaching("SQS", "SendMessageBatch"):
                answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        except (ClientError, Unavailable) as error:
            return _find_culprit(self, parcels, error)
        failed = {
            int(each["Id"]): _reason(each["Code"], each.get("Message"))
            for each in answer.get("Failed", [])
        }
        taken = {int(each["Id"]) for each in answer.get("Successful", [])}
        return [
            None if index in taken else failed.get(index, "SQS said nothing of it")
            for index in range(len(parcels))
        ]

    def _fifo(self, parcel: Parcel) -> dict[str, str]:
        if not self.fifo or not isinstance(parcel.content, Message):
            return {}
        return {
            "MessageGroupId": str(parcel.content.group),
            "MessageDeduplicationId": f"{parcel.letter.message_id}-{self.run}",
        }


@dataclass(frozen=True)
class ToBus:
    """A Sender to an event bus."""

    events: "EventBridgeClient"
    bus: str
    limits: Limits = BUS_LIMITS

    def send(self, parcels: Sequence[Parcel]) -> Sequence[str | None]:
        entries: Any = [
            {
                "EventBusName": self.bus,
                "Source": event.source,
                "DetailType": event.detail_type,
                "Detail": event.detail,
                "Time": event.time,
                "Resources": list(event.resources),
            }
            for event in (parcel.content for parcel in parcels)
            if isinstance(event, Event)
        ]
        try:
            with reaching("EventBridge", "PutEvents"):
                answer = self.events.put_events(Entries=entries)
        except (ClientError, Unavailable) as error:
            return _find_culprit(self, parcels, error)
        return [
            _reason(each["ErrorCode"], each.get("ErrorMessage")) if each.get("ErrorCode") else None
            for each in answer["Entries"]
        ]


def _find_culprit(
    sender: Sender, parcels: Sequence[Parcel], error: ClientError | Unavailable
) -> Sequence[str | None]:
    """Send a refused batch one by one: what is wrong with one letter must not hold the others.

    An error that is in no list may be one letter's too. Raises Unavailable for any other that says
    nothing against a letter.
    """
    if isinstance(error, Unavailable) and not error.is_unknown:
        raise error
    if len(parcels) == 1 and isinstance(error, Unavailable):
        return [error.reason]
    if len(parcels) == 1 and isinstance(error, ClientError):
        return [_reason(error_code(error), error.response.get("Error", {}).get("Message"))]
    return [answer for parcel in parcels for answer in sender.send([parcel])]


def _reason(code: str, message: str | None) -> str:
    return f"{code}: {message}" if message else code
