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


@pytest.mark.parametrize(
    ("reason", "error"), [("TransactionConflict", Conflict), ("ThrottlingError", Unavailable)]
)
def test_a_read_of_all_shards_that_is_cancelled_is_to_be_made_again(
    dynamodb: Stubber, table: DynamoStore, reason: str, error: type[Exception]
) -> None:
    """One of them is just written, or the table is too slow."""
    dynamodb.add_client_error(
        "transact_get_items",
        service_error_code="TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": "None"}, {"Code": reason}]},
    )
    with pytest.raises(error):
        table.inventory.read("razor-123")


def test_a_shard_that_has_too_little_is_a_conflict(dynamodb: Stubber, table: DynamoStore) -> None:
    """As another writer of the row is: what is then there is decided on."""
    cancelled(dynamodb, "None", "None", "ConditionalCheckFailed")
    stock = Stock.allocate("one", 2, now=START, taken={3: 24})
    with pytest.raises(Conflict, match="one"):
        table.commit(stock, a_record(), replaces=None)


def test_a_shard_that_does_not_answer_is_an_outage(dynamodb: Stubber, table: DynamoStore) -> None:
    """Whether an inventory is set is not known then, and nothing is allocated without it."""
    dynamodb.add_client_error("get_item", service_error_code="InternalServerError")
    with pytest.raises(Unavailable, match="InternalServerError"):
        table.inventory.shard("razor-123", 0)
