"""The raw floor of the change-stream relay: its calls in a loop, and nothing else.

A change stream, SendMessageBatch of 10 with a group for each aggregate, deletes of 100, eight
threads. It keeps no order, looks at no failure, validates, measures and logs nothing.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pymongo import MongoClient

from verification.benchmarks.floors.aws import client, cut

_THREADS = 8
_PIECE = 100
"""Documents that a thread takes at a time: ten whole SendMessageBatch and one delete."""


def run(uri: str, database: str, name: str, queue: str) -> None:
    mongodb: MongoClient[dict[str, Any]] = MongoClient(uri)
    outbox = mongodb[database][name]
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def relay(documents: list[dict[str, Any]]) -> None:
        for some in cut(documents, 10):
            sqs.send_message_batch(QueueUrl=url, Entries=[_message(each) for each in some])
        outbox.delete_many({"_id": {"$in": [document["_id"] for document in documents]}})

    with (
        outbox.watch([{"$match": {"operationType": "insert"}}], max_await_time_ms=20) as changes,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        print("ready", flush=True)
        piece: list[dict[str, Any]] = []
        while True:
            change = changes.try_next()
            if change is not None:
                piece.append(change["fullDocument"])
            if piece and (change is None or len(piece) == _PIECE):
                pool.submit(relay, piece)
                piece = []


def _message(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "Id": document["eventId"],
        "MessageBody": json.dumps({key: document[key] for key in document if key != "_id"}),
        "MessageGroupId": document["aggregateId"],
        "MessageDeduplicationId": document["eventId"],
    }


if __name__ == "__main__":
    run(
        os.environ["MONGODB_URI"],
        os.environ["MONGODB_DATABASE"],
        os.environ["OUTBOX_COLLECTION"],
        os.environ["FIFO_QUEUE"],
    )
