"""Answers full of rows, read as JSON: to the relay they are what botocore would have made."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from runtime.outbox.dynamodb_rows import row_of, to_item
from runtime.outbox.fast_json import read_as_json
from tests.relay_fakes import record_of


class Raw(io.BytesIO):
    """The body of an answer, as urllib3 hands it out."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def client(body: bytes, status: int = 200) -> Any:
    """A client of DynamoDB Streams, that gets that response."""
    made: Any = boto3.client(
        "dynamodbstreams",
        region_name="eu-west-1",
        aws_access_key_id="sample",
        aws_secret_access_key="sample",
    )

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, HTTPHeaders(), Raw(body))

    made.meta.events.register("before-send", answer)
    return made


def records(image: dict[str, Any]) -> bytes:
    record = {
        "eventName": "INSERT",
        "dynamodb": {"ApproximateCreationDateTime": 1795425000.0, "NewImage": image},
    }
    return json.dumps({"Records": [record], "NextShardIterator": "next"}).encode()


def read(found: Any, *, as_json: bool) -> Any:
    if as_json:
        read_as_json(found, "GetRecords")
    return found.get_records(ShardIterator="here")


def test_rows_are_those_that_botocore_reads() -> None:
    """The wire's JSON and botocore's answer have one shape."""
    body = records(to_item(record_of("a", 1).to_document()))
    read_by_us, read_by_botocore = (read(client(body), as_json=each) for each in (True, False))
    assert read_by_us["NextShardIterator"] == read_by_botocore["NextShardIterator"] == "next"
    plain, parsed = (
        row_of(each["Records"][0]["dynamodb"]["NewImage"])
        for each in (read_by_us, read_by_botocore)
    )
    assert plain == parsed


def test_the_answer_keeps_its_metadata() -> None:
    """Who looks at a status finds it where it always is."""
    found = read(client(records({})), as_json=True)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_binary_values_are_left_to_botocore() -> None:
    """It decodes them; as text they could not be known from texts."""
    body = records({"aggregateId": {"S": "a"}, "odd": {"B": "AAE="}})
    image = read(client(body), as_json=True)["Records"][0]["dynamodb"]["NewImage"]
    assert image["odd"] == {"B": b"\x00\x01"}


def test_half_a_surrogate_pair_is_left_to_botocore() -> None:
    """The row that has it is set aside; the answer's other rows are not lost for it."""
    body = records({"aggregateId": {"S": "a"}}).replace(b'"a"', b'"\\ud800"')
    image = read(client(body), as_json=True)["Records"][0]["dynamodb"]["NewImage"]
    assert image["aggregateId"] == {"S": "\ud800"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b""])
def test_what_is_no_answer_is_what_botocore_makes_of_it(body: bytes) -> None:
    """Somebody between us and AWS may answer 200 with a page of their own."""

    def outcome(*, as_json: bool) -> object:
        try:
            return read(client(body), as_json=as_json).get("Records")
        except Exception as error:  # noqa: BLE001 (whichever it is)
            return type(error)

    assert outcome(as_json=True) == outcome(as_json=False)


def test_an_error_is_the_error_that_it_always_was() -> None:
    """Only answers to what succeeded are read by us."""
    body = json.dumps({"__type": "x#ExpiredIteratorException", "message": "late"}).encode()
    with pytest.raises(ClientError, match="ExpiredIteratorException"):
        read(client(body, status=400), as_json=True)
