"""The stub of AWS answers boto3 as AWS does, and counts what was published and deleted."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from pydantic_core import from_json

from verification.benchmarks.contenders import fill
from verification.benchmarks.floors.aws import delete_rows, put_images
from verification.benchmarks.stub.outbox import PAGE_BYTES, StubOutbox
from verification.benchmarks.stubbed import Stub, running_stub
from verification.load.outboxes import LoadedTable


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
