"""The least that does what the subscription API does to its database: `python -m` runs it.

A body with the same fields, one transaction of a row and an outbox record with the same attributes
and the same condition, and the same consistent read. Like ours its routes are plain functions in
FastAPI's thread pool, over one boto3 client with a connection for each of its threads. What is
compared is therefore what we add: a rule for each field, problems, limits, idempotency keys,
correlation ids, measured requests, and a line in the log for each.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from verification.benchmarks.floors.aws import client, commit, outbox_record

_TABLE, _OUTBOX = os.environ["SUBSCRIPTIONS_TABLE"], os.environ["SUBSCRIPTIONS_OUTBOX_TABLE"]

app = FastAPI()
dynamodb = client("dynamodb")


class SubscriptionOrder(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    account_number: str
    account_name: str
    account_sort_code: str
    customer_first_name: str
    customer_surname: str
    quantity: int = 1


@app.get("/readyz")
async def readyz() -> None: ...


@app.post("/subscriptions", status_code=201)
def subscribe(body: SubscriptionOrder) -> dict[str, Any]:
    key = str(uuid4())
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    order = body.model_dump(by_alias=True)
    view = {
        **order,
        "subscriptionId": key,
        "status": "active",
        "created": now,
        "updated": now,
        "version": 1,
    }
    digest = hashlib.sha256(json.dumps(order).encode()).hexdigest()
    events = [{"sequence": 1, "type": "SubscriptionCreated", "at": now}]
    row = {**view, "requestDigest": digest, "event": "SubscriptionCreated", "events": events}
    metadata = {
        "eventId": str(uuid4()),
        "version": 1,
        "aggregateId": key,
        "sequence": 1,
        "occurredAt": now,
        "correlationId": str(uuid4()),
        "causationId": None,
        "traceparent": None,
    }
    detail = {
        **view,
        "id": key,
        "cancelledReason": None,
        "event": "SubscriptionCreated",
        "metadata": metadata,
    }
    commit(dynamodb, _TABLE, row, _OUTBOX, outbox_record("app.subscriptions", detail))
    return {**view, "id": key, "cancelledReason": None}


@app.get("/subscriptions/{key}")
def get(key: str) -> dict[str, Any]:
    found = dynamodb.get_item(
        TableName=_TABLE, Key={"subscriptionId": {"S": key}}, ConsistentRead=True
    )
    row = {
        name: int(value["N"]) if "N" in value else value["S"]
        for name, value in found["Item"].items()
        if name not in {"requestDigest", "event", "events"}
    }
    return {**row, "id": key, "cancelledReason": None}


if __name__ == "__main__":
    print("ready", flush=True)
    port = int(os.environ["HEALTH_PORT"])
    uvicorn.run(app, port=port, access_log=False, log_level="warning")
