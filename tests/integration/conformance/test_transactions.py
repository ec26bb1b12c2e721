"""How DynamoDB refuses a transaction, and takes one again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.conformance.account import Account, unique


class Table:
    """A table with a string as its key."""

    def __init__(self, account: Account) -> None:
        self.name, self.dynamodb = unique("table"), account.client("dynamodb")
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        account.until(
            lambda: (
                self.dynamodb.describe_table(TableName=self.name)["Table"]["TableStatus"]
                == "ACTIVE"
            )
        )

    def put(self, key: str, **more: Any) -> dict[str, Any]:
        """One put of a transaction."""
        return {"Put": {"TableName": self.name, "Item": {"id": {"S": key}}, **more}}

    def transact(self, *items: dict[str, Any], token: str | None = None) -> None:
        named = {"ClientRequestToken": token} if token else {}
        self.dynamodb.transact_write_items(TransactItems=list(items), **named)

    def has(self, key: str) -> bool:
        return "Item" in self.dynamodb.get_item(TableName=self.name, Key={"id": {"S": key}})


@pytest.fixture
def table(account: Account) -> Table:
    return Table(account)


NEW = {"ConditionExpression": "attribute_not_exists(id)"}


def test_a_refused_transaction_gives_a_reason_for_each_of_its_items(table: Table) -> None:
    """In their order, "None" for those that were not to blame; nothing of it was written."""
    table.transact(table.put("taken"))
    with pytest.raises(table.dynamodb.exceptions.TransactionCanceledException) as refused:
        table.transact(table.put("free"), table.put("taken", **NEW))
    reasons = refused.value.response["CancellationReasons"]
    assert [each["Code"] for each in reasons] == ["None", "ConditionalCheckFailed"]
    assert not table.has("free")


def test_a_refused_condition_shows_the_item_that_was_there(table: Table) -> None:
    """Where the request asks for it: a second read could see another one."""
    table.transact(table.put("taken"))
    with pytest.raises(table.dynamodb.exceptions.TransactionCanceledException) as refused:
        table.transact(
            table.put("taken", **NEW, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        )
    (reason,) = refused.value.response["CancellationReasons"]
    assert reason["Item"] == {"id": {"S": "taken"}}


def test_a_transaction_with_a_token_that_was_taken_is_done_once(table: Table) -> None:
    """botocore sends each attempt of a call with the same token."""
    token, item = unique("token"), table.put("a", **NEW)
    table.transact(item, token=token)
    table.transact(item, token=token)  # else the condition would refuse it


def test_a_token_of_another_transaction_is_refused(table: Table) -> None:
    """A token names one transaction for ten minutes."""
    token = unique("token")
    table.transact(table.put("a"), token=token)
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        table.transact(table.put("b"), token=token)
    assert not table.has("b")


def test_two_writes_of_one_item_are_no_transaction(table: Table) -> None:
    """The whole request is invalid, so no reasons come with it."""
    with pytest.raises(ClientError, match="ValidationException"):
        table.transact(table.put("a"), table.put("a"))
