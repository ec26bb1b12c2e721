"""What a failed commit, read or page means, by the answers that DynamoDB gives."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from runtime.aws import Aws
from runtime.cursors import InvalidCursor
from runtime.errors import Conflict, Unavailable
from services.stock.model import Stock
from services.stock.store import DynamoStore
from tests.builders import START, a_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def client(sample_credentials: None) -> "DynamoDBClient":
    return Aws(region="eu-west-1", endpoint_url="http://127.0.0.1:9").client("dynamodb")


@pytest.fixture
def dynamodb(client: "DynamoDBClient") -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def table(client: "DynamoDBClient") -> DynamoStore:
    return DynamoStore(client, table="stock", outbox="stock-outbox", inventory="stock-inventory")


def cancelled(dynamodb: Stubber, *codes: str) -> None:
    dynamodb.add_client_error(
        "transact_write_items",
        service_error_code="TransactionCanceledException",
        http_status_code=400,
        modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
    )


def commit(table: DynamoStore) -> None:
    table.commit(Stock.allocate("one", 2, now=START), a_record(), replaces=None)


@pytest.mark.parametrize(
    "reasons",
    [
        ("ConditionalCheckFailed", "None"),
        ("TransactionConflict", "None"),
        ("None", "TransactionConflict"),
        ("DuplicateItem", "None"),
        ("ConditionalCheckFailed", "ThrottlingError"),
    ],
)
def test_another_writer_is_a_conflict(
    dynamodb: Stubber, table: DynamoStore, reasons: tuple[str, ...]
) -> None:
    """Whether it has committed, or is about to on either item: load and decide again."""
    cancelled(dynamodb, *reasons)
    with pytest.raises(Conflict, match="one"):
        commit(table)


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_transaction_is_an_outage(
    dynamodb: Stubber, table: DynamoStore, reason: str
) -> None:
    """Too fast for the table: nothing is wrong with the change, and nobody else made one."""
    cancelled(dynamodb, "None", reason)
    with pytest.raises(Unavailable, match=reason):
        commit(table)


@pytest.mark.parametrize("reason", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_any_other_cancellation_is_what_it_is(
    dynamodb: Stubber, table: DynamoStore, reason: str
) -> None:
    """A transaction that can never succeed is no outage: it must not be tried for ever."""
    cancelled(dynamodb, "None", reason)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        commit(table)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("TransactionInProgressException", 400),
        ("ResourceNotFoundException", 400),
        ("ExpiredTokenException", 400),
        ("InternalServerError", 500),
        ("AnythingAtAll", 503),
    ],
)
def test_throttles_5xx_and_lost_permissions_are_outages(
    dynamodb: Stubber, table: DynamoStore, code: str, status: int
) -> None:
    """Each is Unavailable, named by its code, whichever call it meets."""
    for operation in ("transact_write_items", "get_item", "scan", "get_item"):
        dynamodb.add_client_error(operation, service_error_code=code, http_status_code=status)
    calls: list[Any] = [
        lambda: commit(table),
        lambda: table.get("one"),
        lambda: table.page(limit=1, after=None),
        table.check,
    ]
    for call in calls:
        with pytest.raises(Unavailable, match=code):
            call()


def test_a_bug_of_ours_is_no_outage(dynamodb: Stubber, table: DynamoStore) -> None:
    """A request that DynamoDB cannot accept comes through as it is."""
    for operation in ("transact_write_items", "get_item", "scan"):
        dynamodb.add_client_error(operation, service_error_code="ValidationException")
    with pytest.raises(ClientError, match="ValidationException"):
        commit(table)
    with pytest.raises(ClientError, match="ValidationException"):
        table.get("one")
    with pytest.raises(ClientError, match="ValidationException"):
        table.page(limit=1, after=None)


def test_a_position_that_dynamodb_refuses_is_an_invalid_cursor(
    dynamodb: Stubber, table: DynamoStore
) -> None:
    """Its keys looked right, but the index has another range key: the cursor is to blame."""
    dynamodb.add_client_error("query", service_error_code="ValidationException")
    with pytest.raises(InvalidCursor):
        table.page(
            limit=1,
            after={"subscriptionId": "one", "status": "allocated", "updated": "x"},
            where="allocated",
        )
