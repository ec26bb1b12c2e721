"""The raw floor of the forwarder: receive 10, PutEvents of 10, delete 10, in four threads."""

import json
import os
from datetime import datetime
from threading import Thread
from typing import Any

from verification.benchmarks.floors.aws import client

_THREADS = 4
"""As many receives at a time as the forwarder has."""


def run(queue: str, bus: str) -> None:
    sqs, events = client("sqs"), client("events")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def forward() -> None:
        while True:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", [])
            if messages:
                records = [json.loads(message["Body"]) for message in messages]
                events.put_events(Entries=[_entry(bus, record) for record in records])
                sqs.delete_message_batch(QueueUrl=url, Entries=_handles(messages))

    threads = [Thread(target=forward) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)


def _entry(bus: str, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventBusName": bus,
        "Source": record["source"],
        "DetailType": record["eventType"],
        "Detail": record["detail"],
        "Time": datetime.fromisoformat(record["occurredAt"]),
    }


def _handles(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
        for index, message in enumerate(messages)
    ]


if __name__ == "__main__":
    run(os.environ["FIFO_QUEUE"], os.environ["EVENT_BUS"])
