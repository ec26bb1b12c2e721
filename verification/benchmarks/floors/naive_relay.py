"""The relay that one writes first: five records a PutEvents, one call at a time, no deletes."""

import os

from verification.benchmarks.floors.aws import client, new_images, put_images, stream_end

BATCH = 5


def run(table: str, bus: str) -> None:
    streams, events = client("dynamodbstreams"), client("events")
    iterator = stream_end(table, client("dynamodb"), streams)
    print("ready", flush=True)
    for images in new_images(streams, iterator):
        put_images(events, bus, images, BATCH)


if __name__ == "__main__":
    run(os.environ["OUTBOX_TABLE"], os.environ["EVENT_BUS"])
