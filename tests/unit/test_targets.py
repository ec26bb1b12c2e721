"""What one call carries, and what each response means: PutEvents and SendMessageBatch."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from contracts.outbox import MAX_RECORD_BYTES, OutboxRecord
from relay.adapters.eventbridge import EventBus
from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from relay.ports import Failure, NeverAccepted, Target
from relay.publisher import Outcome, Publisher
from relay.window import Window
from runtime.batches import Limits
from runtime.errors import Unavailable
from runtime.eventbridge import PUT_EVENTS_LIMITS
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.rows import Row
from runtime.sqs.queue import SEND_LIMITS
from tests.fakes import client_error
from tests.relay_fakes import MemoryDeadLetters, MemoryTarget, record_of, row_of

Answer = Callable[[list[dict[str, Any]]], dict[str, Any]]


class Client:
    """An events and an SQS client: keeps the entries of each call, and answers by `answer`."""

    class exceptions:  # noqa: N801 (boto3's name)
        QueueDoesNotExist = KeyError

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.calls: list[list[dict[str, Any]]] = []
        self.sent: list[dict[str, Any]] = []

    def get_queue_url(self, **_: Any) -> dict[str, str]:
        return {"QueueUrl": "url"}

    def put_events(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request["Entries"])
        return self._answer(request["Entries"])

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        return self.put_events(**request)

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


def all_accepted(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(n)} for n in range(len(entries))]}


def bus(answer: Answer = all_accepted) -> tuple[EventBus, Client]:
    client = Client(answer)
    return EventBus(cast("Any", client), "bus"), client


def queue(answer: Answer = lambda entries: {"Successful": []}) -> tuple[FifoQueue, Client]:
    client = Client(answer)
    return FifoQueue(cast("Any", client), "events.fifo"), client


def taken(target: Target, records: Sequence[OutboxRecord]) -> list[int]:
    """How many records each batch holds that a window hands out for a target."""
    window = Window(max_rows=1000, max_bytes=2**30)
    window.offer(Row(record.aggregate_id, record.sequence, None, record) for record in records)
    counts: list[int] = []
    while sum(counts) < len(records):
        counts.append(len(window.take(target)))
    return counts


def entry_of(size: int, name: str, text: str = "x") -> OutboxRecord:
    """A record that PutEvents counts as `size` bytes, made of `text` as far as that goes."""
    empty = record_of(name, 1, detail='{"t":""}')
    room = size - empty.entry_size
    width = len(text.encode())
    return record_of(name, 1, detail=f'{{"t":"{text * (room // width)}{"x" * (room % width)}"}}')


def message_of(size: int, name: str) -> OutboxRecord:
    """A record whose message body takes `size` bytes."""
    empty = record_of(name, 1, detail='{"t":""}')
    return record_of(name, 1, detail=f'{{"t":"{"x" * (size - empty.size)}"}}')


@pytest.mark.parametrize(("count", "expected"), [(1, [1]), (10, [10]), (11, [10, 1])])
@pytest.mark.parametrize("make", [bus, queue])
def test_ten_entries_a_call(
    make: Callable[[], tuple[Target, Client]], count: int, expected: list[int]
) -> None:
    """PutEvents and SendMessageBatch take ten entries; the eleventh waits for the next call."""
    target, _ = make()
    assert taken(target, [record_of(f"a{n}", 1) for n in range(count)]) == expected


@pytest.mark.parametrize("text", ["x", "é", "€", "😀"])
@pytest.mark.parametrize(("beyond", "expected"), [(-1, [2]), (0, [1, 1]), (1, [1, 1])])
def test_put_events_carries_less_than_a_mebibyte(
    beyond: int, expected: list[int], text: str
) -> None:
    """One byte under 1 MiB passes, 1 MiB does not; a character counts as its UTF-8 bytes."""
    half = 512 * 1024
    records = [entry_of(half, "a", text), entry_of(half + beyond, "b", text)]
    assert sum(record.entry_size for record in records) == 2 * half + beyond
    target, _ = bus()
    assert taken(target, records) == expected


@pytest.mark.parametrize(("beyond", "expected"), [(-1, [2]), (0, [2]), (1, [1, 1])])
def test_an_sqs_batch_carries_a_mebibyte(beyond: int, expected: list[int]) -> None:
    """1 MiB passes in total, one byte more does not."""
    half = 512 * 1024
    records = [message_of(half, "a"), message_of(half + beyond, "b")]
    target, _ = queue()
    assert taken(target, records) == expected


def test_the_largest_record_passes_in_a_call_of_its_own() -> None:
    """Whatever could be appended can be sent: in an entry and in a message, beside nothing else."""
    largest = message_of(MAX_RECORD_BYTES, "large")
    assert largest.entry_size <= PUT_EVENTS_LIMITS.total_bytes
    assert largest.size <= SEND_LIMITS.total_bytes
    for target in (bus()[0], queue()[0]):
        assert taken(target, [largest]) == [1]
        assert taken(target, [largest, message_of(5000, "a")]) == [1, 1]


def test_limits_admit_up_to_the_last_byte_and_entry() -> None:
    """Both bounds are inclusive."""
    limits = Limits(entries=2, total_bytes=10)
    assert limits.admit(1, 4, 6)
    assert not limits.admit(1, 4, 7)
    assert not limits.admit(2, 0, 1)


def test_an_entry_is_the_record() -> None:
    """Source, detail-type, time and the detail's text exactly as it was committed."""
    target, client = bus()
    record = record_of("a", 1, detail='{"spaced" : "é😀"}')
    assert target.publish([record]) == [None]
    assert client.calls == [
        [
            {
                "EventBusName": "bus",
                "Source": record.source,
                "DetailType": record.event_type,
                "Detail": '{"spaced" : "é😀"}',
                "Time": record.occurred_at,
            }
        ]
    ]


def test_answers_are_in_the_order_of_the_entries() -> None:
    """EventBridge answers entry by entry: the second failed, and it may pass."""
    target, _ = bus(
        lambda entries: {
            "FailedEntryCount": 2,
            "Entries": [
                {"EventId": "1"},
                {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
                {"ErrorCode": "MalformedDetail", "ErrorMessage": "broken"},
            ],
        }
    )
    assert target.publish([record_of(name, 1) for name in "abc"]) == [
        None,
        Failure("ThrottlingException", "slow"),
        Failure("MalformedDetail", "broken"),
    ]


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        ("InternalFailure", False),
        ("InternalException", False),
        ("ThrottlingException", False),
        ("SomethingNew", False),
        ("MalformedDetail", True),
        ("InvalidArgument", True),
        ("NotAuthorizedForSourceException", True),
    ],
)
def test_only_an_entrys_own_fault_is_permanent(code: str, permanent: bool) -> None:
    """An outage, or a code that is in no list, holds the event; it is never buried."""
    target, _ = bus(lambda entries: {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code}]})
    (failure,) = target.publish([record_of("a", 1)])
    assert failure == Failure(code, "")
    assert failure.is_permanent == permanent


def publish(target: Target, *names: str) -> tuple[Outcome, MemoryDeadLetters]:
    """Publish an event of each aggregate, which its detail names, in one batch."""
    dead_letters = MemoryDeadLetters()
    publisher = Publisher(target, dead_letters, RelayMetrics(new_registry()))
    outcome = publisher.publish([row_of(name, 1, detail=f'{{"n":"{name}"}}') for name in names])
    return outcome, dead_letters


def names_of(rows: Sequence[Row]) -> list[str]:
    return [row.aggregate_id for row in rows]


def refusing(error: Exception, culprit: str) -> Answer:
    """Refuse every call with the culprit in it."""

    def answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
        if any(culprit in json.dumps(entry, default=str) for entry in entries):
            raise error
        return {**all_accepted(entries), "Successful": []}

    return answer


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (bus, "ValidationException"),
        (queue, "InvalidMessageContents"),
        (queue, "AWS.SimpleQueueService.BatchRequestTooLong"),
        (queue, "InvalidParameterValue"),
    ],
)
def test_a_refused_call_is_sent_entry_by_entry(
    make: Callable[[Answer], tuple[Target, Client]], code: str
) -> None:
    """Only the entry whose fault it was fails, for good; the others are accepted."""
    target, client = make(refusing(client_error(code), "culprit"))
    outcome, dead_letters = publish(target, "a", "culprit", "c")
    assert sorted(names_of(outcome.done)) == ["a", "c", "culprit"]
    assert outcome.accepted == 2
    ((name, _, error),) = dead_letters.sent
    assert (name, type(error), str(error)) == ("culprit", NeverAccepted, f"{code}: said AWS")
    assert [len(call) for call in client.calls] == [3, 1, 1, 1]


@pytest.mark.parametrize("make", [bus, queue])
def test_a_refusal_that_is_nobodys_fault_holds_all(
    make: Callable[[Answer], tuple[Target, Client]],
) -> None:
    """A key of KMS that is disabled for an hour is no reason to bury a message."""
    target, client = make(refusing(client_error("KmsDisabled"), ""))
    outcome, dead_letters = publish(target, "a", "b")
    assert outcome.is_outage
    assert names_of(outcome.again) == ["a", "b"]
    assert not dead_letters.sent
    assert len(client.calls) == 1


@pytest.mark.parametrize("make", [bus, queue])
def test_an_error_in_no_list_is_one_entrys_until_others_meet_it(
    make: Callable[[Answer], tuple[Target, Client]],
) -> None:
    """One by one the others are accepted; the one that alone meets it is never refused for good."""
    target, client = make(refusing(client_error("NobodyKnowsThis"), "culprit"))
    outcome, dead_letters = publish(target, "a", "culprit", "c")
    assert names_of(outcome.done) == ["a", "c"]
    assert names_of([each.row for each in outcome.alone]) == ["culprit"]
    assert not dead_letters.sent
    assert [len(call) for call in client.calls] == [3, 1, 1, 1]


def test_an_outage_amid_entries_keeps_what_was_accepted() -> None:
    """One by one, the second meets an outage: the first was accepted and stays so."""
    errors = iter([client_error("ValidationException"), None, client_error("Throttling"), None])

    def answer(entries: list[dict[str, Any]]) -> dict[str, Any]:
        error = next(errors)
        if error:
            raise error
        return all_accepted(entries)

    outcome, dead_letters = publish(bus(answer)[0], "a", "b", "c")
    assert names_of(outcome.done) == ["a", "c"]
    assert names_of(outcome.again) == ["b"]
    assert not dead_letters.sent


@pytest.mark.parametrize("make", [bus, queue])
@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException"),
        client_error("AccessDeniedException"),
        client_error("InternalFailure", status=500),
        client_error("Whatever", status=503),
        ReadTimeoutError(endpoint_url="http://aws"),
        EndpointConnectionError(endpoint_url="http://aws"),
    ],
)
def test_an_outage_is_unavailable(
    make: Callable[[Answer], tuple[Target, Client]], error: Exception
) -> None:
    """Throttling, 5xx, a lost right and a silent network: nothing was accepted, ask again."""
    target, client = make(refusing(error, ""))
    with pytest.raises(Unavailable):
        target.publish([record_of("a", 1), record_of("b", 1)])
    assert len(client.calls) == 1


def test_a_half_failed_sqs_batch() -> None:
    """Failed entries are found by their ids; one that SQS blames on us may still pass later."""
    target, _ = queue(
        lambda entries: {
            "Successful": [{"Id": "1"}],
            "Failed": [
                {"Id": "2", "Code": "InvalidMessageContents", "SenderFault": True},
                {"Id": "0", "Code": "KMS.DisabledException", "SenderFault": True, "Message": "m"},
            ],
        }
    )
    assert target.publish([record_of(name, 1) for name in "abc"]) == [
        Failure("KMS.DisabledException", "m"),
        None,
        Failure("InvalidMessageContents", ""),
    ]


def test_a_message_is_the_record_in_the_group_of_its_aggregate() -> None:
    """SQS orders by group and knows an event that is sent twice by its id."""
    target, client = queue()
    record = record_of("a", 1)
    target.publish([record])
    ((entry,),) = client.calls
    assert entry == {
        "Id": "0",
        "MessageBody": record.to_json(),
        "MessageGroupId": "a",
        "MessageDeduplicationId": record.event_id,
    }


@pytest.mark.parametrize("name", ["", "two words", "é", "x" * 129, "line\n"])
def test_names_that_sqs_would_not_take_are_replaced(name: str) -> None:
    """A group may have 128 letters, digits and punctuation: any other is named by its digest."""
    target, client = queue()
    target.publish([record_of(name, 1)])
    ((entry,),) = client.calls
    for key in ("MessageGroupId", "MessageDeduplicationId"):
        assert re.fullmatch("[!-~]{1,128}", entry[key])


def test_characters_that_sqs_refuses_are_escaped() -> None:
    """U+FFFF is fine in JSON and not in a message: the reader gets the same record."""
    record = record_of("a", 1, detail='{"name":"\uffff"}')
    target, client = queue()
    target.publish([record])
    body = client.calls[0][0]["MessageBody"]
    assert "\uffff" not in body
    assert OutboxRecord.from_json(body) == record


@pytest.mark.parametrize("name", ["dlq", "dlq.fifo"])
def test_a_dead_letter_has_its_reason(name: str) -> None:
    """Body byte for byte, errorType and errorMessage; a FIFO queue also gets group and id."""
    client = Client(all_accepted)
    DeadLetterQueue(cast("Any", client), name).send("a b", "{}", ValueError("broken"))
    (sent,) = client.sent
    assert sent["MessageBody"] == "{}"
    assert sent["MessageAttributes"]["errorType"]["StringValue"] == "ValueError"
    assert sent["MessageAttributes"]["errorMessage"]["StringValue"] == "broken"
    assert ("MessageGroupId" in sent) == name.endswith(".fifo")


def test_fakes_and_real_targets_count_a_record_alike() -> None:
    """The fake target's sizes are the FIFO queue's."""
    record = record_of("a", 1)
    assert MemoryTarget().size_of(record) == queue()[0].size_of(record) == record.size
