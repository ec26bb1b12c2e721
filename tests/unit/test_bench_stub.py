"""The stub of AWS answers boto3 as AWS does, and counts what was published and deleted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from pydantic_core import from_json

from verification.benchmarks.contenders import fill
from verification.benchmarks.floors.aws import delete_rows, put_images
from verification.benchmarks.stub.outbox import PAGE_BYTES, StubOutbox
from verification.benchmarks.stubbed import Stub, depth, running_stub
from verification.load.outboxes import LoadedTable
from verification.testkit.waiting import eventually


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    with running_stub(tmp_path_factory.mktemp("stub")) as stub:
        yield stub


@pytest.fixture
def stub(running: Stub) -> Stub:
    running.reset()
    return running


def client(stub: Stub, service: str) -> Any:
    made: Any = boto3.client
    return made(
        service,
        region_name=stub.engines.region,
        endpoint_url=stub.process.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def iterator(streams: Any, kind: str) -> str:
    arn = f"arn:aws:dynamodb:eu-west-1:111122223333:table/{uuid4()}/stream/now"
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    found: str = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=kind
    )["ShardIterator"]
    return found


def test_a_row_is_in_the_stream_until_and_after_it_was_deleted(stub: Stub) -> None:
    """An INSERT with its image, then a REMOVE with its key: a relay reads past its own deletes."""
    dynamodb, streams = client(stub, "dynamodb"), client(stub, "dynamodbstreams")
    start = iterator(streams, "LATEST")
    fill(LoadedTable(stub.engines), 3)
    page = streams.get_records(ShardIterator=start)
    images = [record["dynamodb"]["NewImage"] for record in page["Records"]]
    assert len({image["aggregateId"]["S"] for image in images}) == 3
    delete_rows(dynamodb, LoadedTable.table, images)
    onward = streams.get_records(ShardIterator=page["NextShardIterator"])["Records"]
    assert [record["eventName"] for record in onward] == ["REMOVE"] * 3
    assert [record["dynamodb"]["Keys"]["aggregateId"] for record in onward] == [
        image["aggregateId"] for image in images
    ]
    assert stub.state()["rows"] == 0


def test_an_event_that_is_sent_twice_is_published_once(stub: Stub) -> None:
    """So a drain that loses an event and repeats another is not taken for done."""
    streams = client(stub, "dynamodbstreams")
    fill(LoadedTable(stub.engines), 4)
    records = streams.get_records(ShardIterator=iterator(streams, "TRIM_HORIZON"))["Records"]
    images = [record["dynamodb"]["NewImage"] for record in records]
    put_images(client(stub, "events"), "bus", [*images, images[0]], 10)
    state = stub.state()
    assert (state["published"], state["entries"]) == (4, 5)


def test_an_answer_has_an_id_for_each_entry(stub: Stub) -> None:
    """As many as were put, and none failed."""
    entry = {"Source": "app", "DetailType": "Type", "Detail": "{}"}
    answer = client(stub, "events").put_events(Entries=[entry] * 7)
    assert answer["FailedEntryCount"] == 0
    assert len([each["EventId"] for each in answer["Entries"]]) == 7


def test_what_the_stub_does_not_have_is_an_error(stub: Stub) -> None:
    """And not an empty answer, which would be as fast as nothing."""
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client(stub, "events").list_rules()


def test_a_page_of_the_stream_has_at_most_a_megabyte() -> None:
    """Or one record, if that is larger."""
    aws = StubOutbox().operations
    for number in range(5):
        item = {
            "aggregateId": {"S": str(number)},
            "sequence": {"N": "1"},
            "detail": {"S": "x" * 400_000},
        }
        request = {"RequestItems": {"outbox": [{"PutRequest": {"Item": item}}]}}
        aws["BatchWriteItem"](request)
    sizes, start = [], 0
    while start < 5:
        page = from_json(aws["GetRecords"]({"ShardIterator": str(start)}))
        sizes.append(len(page["Records"]))
        assert int(page["NextShardIterator"]) == start + sizes[-1]
        start += sizes[-1]
    assert sizes == [2, 2, 1]
    assert 2 * 400_000 < PAGE_BYTES < 3 * 400_000


def test_a_message_is_given_once_and_gone_when_it_is_deleted(stub: Stub) -> None:
    """Until then it counts as held."""
    sqs = client(stub, "sqs")
    url = sqs.get_queue_url(QueueName="work.fifo")["QueueUrl"]
    sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {"Id": str(n), "MessageBody": f"body {n}", "MessageGroupId": "g"} for n in range(3)
        ],
    )
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
    assert [each["Body"] for each in messages] == ["body 0", "body 1"]
    assert messages[0]["Attributes"]["MessageGroupId"] == "g"
    (last,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert depth(stub.state(), "work.fifo") == 3
    entries = [
        {"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]}
        for n, each in enumerate([*messages, last])
    ]
    sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    assert depth(stub.state(), "work.fifo") == 0


def test_who_waits_for_a_message_gets_the_next(stub: Stub) -> None:
    """A long poll is answered when something comes, or empty when its time is over."""
    sqs = client(stub, "sqs")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        eventually(lambda: stub.state()["calls"].get("ReceiveMessage"), what="a long poll")
        sqs.send_message(QueueUrl=url, MessageBody="news")
        assert waiting.result(timeout=10)["Messages"][0]["Body"] == "news"
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def test_what_a_transaction_wrote_can_be_read(stub: Stub) -> None:
    """By its subscription, from its own table; the outbox's rows are dropped."""
    dynamodb = client(stub, "dynamodb")
    item = {"subscriptionId": {"S": "one"}, "quantity": {"N": "2"}}
    record = {"aggregateId": {"S": "one"}, "sequence": {"N": "1"}}
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "subscriptions", "Item": item}},
            {"Put": {"TableName": "outbox", "Item": record}},
        ]
    )
    key = {"subscriptionId": {"S": "one"}}
    assert dynamodb.get_item(TableName="subscriptions", Key=key)["Item"] == item
    assert "Item" not in dynamodb.get_item(TableName="stock", Key=key)


def test_answers_can_come_late(stub: Stub) -> None:
    """As from far away; what a benchmark asks is answered at once."""
    events = client(stub, "events")
    events.describe_event_bus(Name="bus")
    stub.answer_late(150)
    started = monotonic()
    stub.state()
    asked = monotonic() - started
    events.describe_event_bus(Name="bus")
    assert monotonic() - started - asked >= 0.15
    stub.answer_late(0)
