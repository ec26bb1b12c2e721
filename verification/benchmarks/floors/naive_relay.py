"""The relay that one writes first: five records a PutEvents, one call at a time, no deletes."""

import os
import time

from verification.benchmarks.floors.aws import client, image_entry, stream_end

BATCH = 5


def run(table: str, bus: str) -> None:
    streams, events = client("dynamodbstreams"), client("events")
    iterator = stream_end(table, client("dynamodb"), streams)
    print("ready", flush=True)
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        iterator = answer["NextShardIterator"]
        records = [each for each in answer["Records"] if each["eventName"] == "INSERT"]
        for start in range(0, len(records), BATCH):
            some = records[start : start + BATCH]
            events.put_events(
                Entries=[image_entry(bus, each["dynamodb"]["NewImage"]) for each in some]
            )
        if not records:
            time.sleep(0.01)


if __name__ == "__main__":
    run(os.environ["OUTBOX_TABLE"], os.environ["EVENT_BUS"])
