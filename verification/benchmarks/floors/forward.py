"""The raw floor of the forwarder: receive 10, PutEvents of 10, delete 10, in four threads."""

import json
import os
from threading import Thread

from verification.benchmarks.floors.aws import client, consume, entry

_THREADS = 4
"""As many receives at a time as the forwarder has."""


def run(queue: str, bus: str) -> None:
    sqs, events = client("sqs"), client("events")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def forward(bodies: list[str]) -> None:
        events.put_events(Entries=[entry(bus, json.loads(body)) for body in bodies])

    for _ in range(_THREADS):
        Thread(target=consume, args=(sqs, url, forward)).start()
    print("ready", flush=True)


if __name__ == "__main__":
    run(os.environ["FIFO_QUEUE"], os.environ["EVENT_BUS"])
