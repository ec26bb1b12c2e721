"""What a DynamoDB stream gives of an outbox."""

from typing import Any

import pytest

from tests.integration.conformance.account import Account, unique


class Outbox:
    """A table as an outbox is, with a stream that is read from its end."""

    def __init__(self, account: Account) -> None:
        self.table = unique("outbox")
        self.dynamodb = account.client("dynamodb")
        self._streams, self._account = account.client("dynamodbstreams"), account
        self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[
                {"AttributeName": "aggregateId", "KeyType": "HASH"},
                {"AttributeName": "sequence", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "aggregateId", "AttributeType": "S"},
                {"AttributeName": "sequence", "AttributeType": "N"},
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        account.until(lambda: self._described()["TableStatus"] == "ACTIVE")
        self.put("before", 1)
        arn = self._described()["LatestStreamArn"]
        shards = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        self._iterators = [
            self._streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for shard in shards
        ]

    def _described(self) -> Any:
        return self.dynamodb.describe_table(TableName=self.table)["Table"]

    def put(self, aggregate: str, sequence: int) -> None:
        self.dynamodb.put_item(TableName=self.table, Item=key(aggregate, sequence))

    def records(self, count: int) -> list[Any]:
        """Of all shards, as many as came in time; of one aggregate in their order."""
        found: list[Any] = []

        def all_there() -> bool:
            for index, iterator in enumerate(self._iterators):
                answer = self._streams.get_records(ShardIterator=iterator)
                found.extend(answer["Records"])
                self._iterators[index] = answer["NextShardIterator"]
            return len(found) >= count

        self._account.until(all_there)
        return found


def key(aggregate: str, sequence: int) -> dict[str, Any]:
    return {"aggregateId": {"S": aggregate}, "sequence": {"N": str(sequence)}}


@pytest.fixture
def outbox(account: Account) -> Outbox:
    return Outbox(account)


def test_a_stream_keeps_the_order_of_an_aggregates_rows(outbox: Outbox) -> None:
    """From LATEST on: what was written before is not in it."""
    for sequence in range(1, 21):
        for aggregate in ("a", "b"):
            outbox.put(aggregate, sequence)
    keys = [each["dynamodb"]["Keys"] for each in outbox.records(40)]
    for aggregate in ("a", "b"):
        of_one = [key for key in keys if key["aggregateId"]["S"] == aggregate]
        assert of_one == [key(aggregate, sequence) for sequence in range(1, 21)]
    assert len(keys) == 40


def test_a_stream_has_the_new_image_and_says_what_happened(outbox: Outbox) -> None:
    """A delete is a REMOVE, without an image: the relay reads INSERTs alone."""
    outbox.put("a", 1)
    outbox.dynamodb.delete_item(TableName=outbox.table, Key=key("a", 1))
    inserted, removed = outbox.records(2)
    assert (inserted["eventName"], removed["eventName"]) == ("INSERT", "REMOVE")
    assert inserted["dynamodb"]["NewImage"] == key("a", 1)
    assert "NewImage" not in removed["dynamodb"]


def test_a_transactions_rows_are_all_in_the_stream_or_none(outbox: Outbox) -> None:
    """One that was cancelled leaves nothing in it."""
    puts = [{"Put": {"TableName": outbox.table, "Item": key("a", each)}} for each in (1, 2)]
    outbox.dynamodb.transact_write_items(TransactItems=puts)
    refused = {**puts[0]["Put"], "ConditionExpression": "attribute_not_exists(aggregateId)"}
    with pytest.raises(outbox.dynamodb.exceptions.TransactionCanceledException):
        outbox.dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": outbox.table, "Item": key("a", 3)}},
                {"Put": refused},
            ]
        )
    outbox.put("a", 4)
    sequences = [each["dynamodb"]["Keys"]["sequence"]["N"] for each in outbox.records(3)]
    assert sequences == ["1", "2", "4"]
