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

from verification.benchmarks.floors.aws import client, commit, consume, outbox_record

RECEIVERS, WRITERS = 2, 20
"""As many writes at a time as the consumer makes."""


def run(queue: str, table: str, outbox: str) -> None:
    sqs, dynamodb = client("sqs"), client("dynamodb")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def write(body: str) -> None:
        row, detail = _effect(json.loads(body)["detail"])
        commit(dynamodb, table, row, outbox, outbox_record("app.stock", detail))

    def write_all(bodies: list[str]) -> None:
        list(pool.map(write, bodies))

    with ThreadPoolExecutor(WRITERS) as pool:
        receivers = [Thread(target=consume, args=(sqs, url, write_all)) for _ in range(RECEIVERS)]
        for receiver in receivers:
            receiver.start()
        print("ready", flush=True)
        for receiver in receivers:
            receiver.join()


def _effect(cause: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stock's row and its event's detail, of the same fields and sizes as ours."""
    subscription_id, at = cause["subscriptionId"], cause["metadata"]["occurredAt"]
    row = {
        "subscriptionId": subscription_id,
        "stockId": "razor-123",
        "status": "allocated",
        "created": at,
        "updated": at,
        "event": "StockAllocated",
        "stock": 12 * cause["quantity"],
    }
    metadata = {
        **cause["metadata"],
        "eventId": str(uuid4()),
        "aggregateId": subscription_id,
        "causationId": cause["metadata"]["eventId"],
    }
    return row | {"version": 1}, {"id": subscription_id, **row, "metadata": metadata}


if __name__ == "__main__":
    run(
        os.environ["SUBSCRIPTION_CREATED_QUEUE"],
        os.environ["STOCK_TABLE"],
        os.environ["STOCK_OUTBOX_TABLE"],
    )
