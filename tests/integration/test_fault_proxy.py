"""The proxy that misbehaves: each fault as a client of AWS meets it, and what AWS then has done."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from runtime.aws import Aws, error_code, family_of
from runtime.verdicts import HELD
from tests.conftest import MiniStack
from verification.chaos.keys import Keys
from verification.chaos.schedule import SERVICE_TARGETS
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.injected_fault import FaultKind
from verification.testkit.waiting import eventually


@pytest.fixture(scope="module")
def proxy(ministack: MiniStack) -> Iterator[FaultProxy]:
    with FaultProxy(ministack.endpoint, seed=1).running() as proxy:
        yield proxy


@pytest.fixture
def calm(proxy: FaultProxy) -> Iterator[FaultProxy]:
    yield proxy
    proxy.recover()


def through(proxy: FaultProxy, ministack: MiniStack, service: Any) -> Any:
    """Make a client that asks once only: nothing hides what came back."""
    endpoint = f"http://127.0.0.1:{proxy.port}"
    return Aws(region=ministack.region, endpoint_url=endpoint, attempts=1).client(service)


def around(ministack: MiniStack, service: Any) -> Any:
    return Aws(region=ministack.region, endpoint_url=ministack.endpoint).client(service)


@pytest.fixture
def queue(ministack: MiniStack) -> Iterator[str]:
    sqs = around(ministack, "sqs")
    url: str = sqs.create_queue(QueueName=f"chaos-{uuid4().hex}")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def bodies(ministack: MiniStack, url: str) -> list[str]:
    """Receive what is in a queue, some of which may come late."""
    answer = around(ministack, "sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
    )
    return sorted(message["Body"] for message in answer.get("Messages", []))


def test_without_a_fault_everything_goes_through(
    calm: FaultProxy, ministack: MiniStack, queue: str
) -> None:
    """Requests and answers are what they were, long polls too."""
    sqs = through(calm, ministack, "sqs")
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert [message["Body"] for message in received] == ["one"]


def test_put_events_that_half_fail_publish_the_other_half(
    calm: FaultProxy, ministack: MiniStack, queue: str
) -> None:
    """FailedEntryCount and codes are in the answer's places, and the rest really is on the bus."""
    events = around(ministack, "events")
    bus = f"chaos-{uuid4().hex}"
    events.create_event_bus(Name=bus)
    events.put_rule(Name=bus, EventBusName=bus, EventPattern='{"source":["chaos"]}')
    arn = around(ministack, "sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    events.put_targets(
        Rule=bus, EventBusName=bus, Targets=[{"Id": "q", "Arn": arn, "InputPath": "$.detail-type"}]
    )
    calm.inject(FaultKind.HALF_FAIL, chance=0.5)
    names = [f"event-{n}" for n in range(10)]
    answer = through(calm, ministack, "events").put_events(
        Entries=[
            {"EventBusName": bus, "Source": "chaos", "DetailType": name, "Detail": "{}"}
            for name in names
        ]
    )
    accepted = [
        name
        for name, entry in zip(names, answer["Entries"], strict=True)
        if "ErrorCode" not in entry
    ]
    assert 0 < len(accepted) < 10
    assert answer["FailedEntryCount"] == 10 - len(accepted)
    arrived: list[str] = []

    def all_there() -> bool:
        arrived.extend(bodies(ministack, queue))
        return len(arrived) >= len(accepted)

    eventually(all_there, what="the accepted events")
    assert sorted(body.strip('"') for body in arrived) == sorted(accepted)


def test_sqs_batches_half_fail(calm: FaultProxy, ministack: MiniStack, queue: str) -> None:
    """What was not named as failed is sent; what was is not."""
    calm.inject(FaultKind.HALF_FAIL, chance=0.5)
    answer = through(calm, ministack, "sqs").send_message_batch(
        QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)]
    )
    failed = {entry["Id"] for entry in answer["Failed"]}
    assert 0 < len(failed) < 10
    assert not any(entry["SenderFault"] for entry in answer["Failed"])
    assert set(bodies(ministack, queue)) == {str(n) for n in range(10)} - failed


def test_a_partial_failure_leaves_alone_what_is_no_batch(
    calm: FaultProxy, ministack: MiniStack
) -> None:
    """A request without any body of its own goes through, and counts as no hit."""
    before = calm.hits.copy()
    calm.inject(FaultKind.HALF_FAIL)
    through(calm, ministack, "sqs").list_queues()
    assert calm.hits - before == {None: 1}


def test_batch_write_item_leaves_some_unprocessed(calm: FaultProxy, ministack: MiniStack) -> None:
    """UnprocessedItems come back through boto3, and are not in the table."""
    dynamodb = around(ministack, "dynamodb")
    table = f"chaos-{uuid4().hex}"
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    calm.inject(FaultKind.HALF_FAIL, chance=0.5)
    puts: Any = [{"PutRequest": {"Item": {"id": {"S": str(n)}}}} for n in range(20)]
    answer = through(calm, ministack, "dynamodb").batch_write_item(RequestItems={table: puts})
    left = {each["PutRequest"]["Item"]["id"]["S"] for each in answer["UnprocessedItems"][table]}
    there = {item["id"]["S"] for item in dynamodb.scan(TableName=table)["Items"]}
    assert 0 < len(left) < 20
    assert there == {str(n) for n in range(20)} - left


def test_an_answer_is_dropped_after_the_write_happened(
    calm: FaultProxy, ministack: MiniStack, queue: str
) -> None:
    """The client sees a connection that was reset, and the message is in the queue."""
    calm.inject(FaultKind.DROP)
    with pytest.raises(ConnectionClosedError):
        through(calm, ministack, "sqs").send_message(QueueUrl=queue, MessageBody="written")
    assert bodies(ministack, queue) == ["written"]


def test_a_cut_resets_what_is_under_way_and_refuses_what_comes(
    calm: FaultProxy, ministack: MiniStack, queue: str
) -> None:
    """Nothing gets through, and afterwards everything does."""
    sqs = through(calm, ministack, "sqs")
    sqs.get_queue_attributes(QueueUrl=queue)
    calm.inject(FaultKind.CUT)
    with pytest.raises(ConnectionClosedError):
        sqs.send_message(QueueUrl=queue, MessageBody="lost")
    calm.recover()
    sqs.send_message(QueueUrl=queue, MessageBody="kept")
    assert bodies(ministack, queue) == ["kept"]


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("sqs", "RequestThrottled"),
        ("events", "ThrottlingException"),
        ("dynamodb", "ProvisionedThroughputExceededException"),
    ],
)
def test_a_throttle_is_what_each_service_calls_it(
    calm: FaultProxy, ministack: MiniStack, service: str, code: str
) -> None:
    """Our processes take it for an outage."""
    calm.inject(FaultKind.THROTTLE)
    with pytest.raises(ClientError) as caught:
        _ask(through(calm, ministack, service), service)
    assert error_code(caught.value) == code
    assert family_of(caught.value) in HELD


def test_a_5xx_is_an_outage_and_does_nothing(
    calm: FaultProxy, ministack: MiniStack, queue: str
) -> None:
    """The service's own failure: nothing was written."""
    calm.inject(FaultKind.ERROR)
    with pytest.raises(ClientError) as caught:
        through(calm, ministack, "sqs").send_message(QueueUrl=queue, MessageBody="not written")
    assert family_of(caught.value) in HELD
    assert bodies(ministack, queue) == []


def test_a_slow_endpoint_answers_late(calm: FaultProxy, ministack: MiniStack, queue: str) -> None:
    """The answer is right, when it comes."""
    calm.inject(FaultKind.SLOW, delays=(0.4,))
    sqs = through(calm, ministack, "sqs")
    began = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="late")
    assert time.monotonic() - began >= 0.4
    assert bodies(ministack, queue) == ["late"]


def test_a_transaction_conflict_cancels_the_transaction_only(
    calm: FaultProxy, ministack: MiniStack
) -> None:
    """The reasons are those of AWS, one for each item; other calls go through."""
    calm.inject(FaultKind.CONFLICT)
    dynamodb = through(calm, ministack, "dynamodb")
    dynamodb.list_tables()
    put: Any = {"Put": {"TableName": "any", "Item": {"id": {"S": "1"}}}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[put, put])
    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["TransactionConflict", "None"]


def test_an_outage_can_be_one_service_s(calm: FaultProxy, ministack: MiniStack) -> None:
    """EventBridge is away, and SQS and DynamoDB are not."""
    calm.inject(FaultKind.CUT, service=SERVICE_TARGETS["events"])
    _ask(through(calm, ministack, "sqs"), "sqs")
    _ask(through(calm, ministack, "dynamodb"), "dynamodb")
    with pytest.raises(ConnectionClosedError):
        _ask(through(calm, ministack, "events"), "events")


def test_faults_are_counted_by_what_they_hit(calm: FaultProxy, ministack: MiniStack) -> None:
    """The report says how many requests met a fault."""
    before = calm.hits.copy()
    sqs = through(calm, ministack, "sqs")
    sqs.list_queues()
    calm.inject(FaultKind.ERROR)
    with pytest.raises(ClientError):
        sqs.list_queues()
    assert calm.hits - before == {None: 1, FaultKind.ERROR: 1}


def _ask(client: Any, service: str) -> None:
    calls = {"sqs": "list_queues", "events": "list_event_buses", "dynamodb": "list_tables"}
    getattr(client, calls[service])()


def test_a_rotated_key_is_refused_until_the_next_is_handed_out(
    calm: FaultProxy, ministack: MiniStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client reads its profile again, and never has to be made again."""
    keys = Keys(tmp_path / "credentials")
    for name, value in keys.environment.items():
        monkeypatch.setenv(name, value)
    sqs = through(calm, ministack, "sqs")
    sqs.list_queues()
    calm.trust(keys.rotate())
    with pytest.raises(ClientError) as caught:
        sqs.list_queues()
    assert error_code(caught.value) == "UnrecognizedClientException"
    keys.hand_out()
    sqs.list_queues()
    calm.open()


def test_a_cut_ends_a_call_that_would_be_held_later(ministack: MiniStack) -> None:
    """It is being applied when everything is cut: nothing may wait for it then."""
    with (
        FaultProxy(ministack.endpoint).running() as far,
        FaultProxy(far.endpoint).running() as near,
        ThreadPoolExecutor(2) as pool,
    ):
        far.hold("before", "ListQueues")
        near.hold("after", "ListQueues")
        asked = pool.submit(through(near, ministack, "sqs").list_queues)
        far.reached("before", "ListQueues")
        dropped = pool.submit(near.drop)
        eventually(lambda: near.fault is not None, what="the cut")
        far.release()
        dropped.result(timeout=30)
        with pytest.raises((ConnectionClosedError, ClientError)):
            asked.result(timeout=30)
