"""The raw floor of the stock consumer: receive 10, write each, delete 10, and nothing else.

It writes what the consumer writes: a row and an outbox record in one transaction with a condition.
It parses nothing but the body's JSON, decides nothing, keeps no message's visibility, logs nothing.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any
from uuid import uuid4

from verification.benchmarks.floors.aws import client

RECEIVERS, WRITERS = 2, 20
"""As many writes at a time as the consumer makes."""


def run(queue: str, table: str, outbox: str) -> None:
    sqs, dynamodb = client("sqs"), client("dynamodb")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def write(body: str) -> None:
        detail = json.loads(body)["detail"]
        dynamodb.transact_write_items(TransactItems=_writes(detail, table, outbox))

    def consume(pool: ThreadPoolExecutor) -> None:
        while True:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", [])
            if messages:
                list(pool.map(write, [message["Body"] for message in messages]))
                handles = [message["ReceiptHandle"] for message in messages]
                entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(handles)]
                sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    with ThreadPoolExecutor(WRITERS) as pool:
        receivers = [Thread(target=consume, args=(pool,)) for _ in range(RECEIVERS)]
        for receiver in receivers:
            receiver.start()
        print("ready", flush=True)
        for receiver in receivers:
            receiver.join()


def _writes(detail: dict[str, Any], table: str, outbox: str) -> list[dict[str, Any]]:
    """The stock's row and its record, of the same fields and sizes as ours."""
    subscription_id, event_id = detail["subscriptionId"], str(uuid4())
    at = detail["metadata"]["occurredAt"]
    row = {
        "subscriptionId": subscription_id,
        "stockId": "razor-123",
        "status": "allocated",
        "created": at,
        "updated": at,
        "event": "StockAllocated",
    }
    event = {"id": subscription_id, **row, "stock": 12 * detail["quantity"]}
    metadata = {
        **detail["metadata"],
        "eventId": event_id,
        "aggregateId": subscription_id,
        "causationId": detail["metadata"]["eventId"],
    }
    record = {
        "aggregateId": subscription_id,
        "eventId": event_id,
        "eventType": "StockAllocated",
        "source": "app.stock",
        "occurredAt": at,
        "detail": json.dumps({**event, "metadata": metadata}),
        "correlationId": metadata["correlationId"],
    }
    numbers = {"stock": {"N": str(event["stock"])}, "version": {"N": "1"}}
    return [
        {
            "Put": {
                "TableName": table,
                "Item": {**_strings(row), **numbers},
                "ConditionExpression": "attribute_not_exists(subscriptionId)",
            }
        },
        {"Put": {"TableName": outbox, "Item": {**_strings(record), "sequence": {"N": "1"}}}},
    ]


def _strings(fields: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in fields.items()}


if __name__ == "__main__":
    run(
        os.environ["SUBSCRIPTION_CREATED_QUEUE"],
        os.environ["STOCK_TABLE"],
        os.environ["STOCK_OUTBOX_TABLE"],
    )
