"""The raw floor of the DynamoDB relay: its AWS calls in a loop, and nothing else.

GetRecords of 1000, PutEvents of 10, BatchWriteItem of 25 deletes, eight threads. It keeps no order,
looks at no failure, validates, measures and logs nothing, and holds whatever it has read.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from verification.benchmarks.floors.aws import (
    client,
    cut,
    delete_rows,
    new_images,
    put_images,
    stream_end,
)

_THREADS = 8
"""As many as shared/engines.md found fastest; sixteen are not faster."""

_PIECE = 50
"""Rows that a thread takes at a time: five whole PutEvents and two whole BatchWriteItems."""


def run(table: str, bus: str) -> None:
    streams, dynamodb, events = client("dynamodbstreams"), client("dynamodb"), client("events")
    iterator = stream_end(table, dynamodb, streams)

    def relay(images: Sequence[dict[str, Any]]) -> None:
        put_images(events, bus, images, 10)
        delete_rows(dynamodb, table, images)

    print("ready", flush=True)
    with ThreadPoolExecutor(_THREADS) as pool:
        for images in new_images(streams, iterator):
            for some in cut(images, _PIECE):
                pool.submit(relay, some)


if __name__ == "__main__":
    run(os.environ["OUTBOX_TABLE"], os.environ["EVENT_BUS"])
