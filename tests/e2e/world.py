"""The running system as seen from outside: three APIs, and each bus's log group."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx
from pymongo import MongoClient

from infra.local_system.addresses import DATABASE, addresses, aws_endpoint
from infra.local_system.auth import client_tokens
from infra.local_system.environment import REGION
from infra.local_system.settings import LocalSettings
from local.process_table import our_processes
from runtime.aws import Aws
from tests.e2e.compose_system import ComposeSystem
from tests.e2e.local_system import LocalSystem
from verification.testkit.waiting import eventually

ORDER = {
    "accountNumber": "87654321",
    "accountName": "G Hopper",
    "accountSortCode": "65-43-21",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
    "quantity": 3,
}


System = LocalSystem | ComposeSystem
"""What a test may start, break and stop, whatever it runs on."""


@dataclass(frozen=True)
class World:
    system: System
    http: httpx.Client

    def subscribe(self, **changes: Any) -> str:
        """Subscribe as a patient client does: the same key until there is an answer."""
        key = str(uuid4())

        def answered() -> httpx.Response | None:
            try:
                answer = self.http.post(
                    f"{self.addresses['subscription']}/subscriptions",
                    json=ORDER | changes,
                    headers={"Idempotency-Key": key, "X-Correlation-Id": f"test-{key}"},
                )
            except httpx.TransportError:
                return None
            return answer if answer.status_code == httpx.codes.CREATED else None

        answer = eventually(answered, timeout=60, what="an answer to POST /subscriptions")
        subscription_id: str = answer.json()["subscriptionId"]
        return subscription_id

    def cancel_payment(self, subscription_id: str) -> httpx.Response:
        return self.http.patch(
            f"{self.addresses['payment']}/payments/{subscription_id}", json={"status": "cancelled"}
        )

    def cancel(self, subscription_id: str, reason: str) -> httpx.Response:
        """Cancel a subscription, as its customer does."""
        return self.http.post(
            f"{self.addresses['subscription']}/subscriptions/{subscription_id}/cancellation",
            json={"reason": reason},
        )

    def erase(self, subscription_id: str) -> httpx.Response:
        """Erase a subscription's personal data, as staff does."""
        with httpx.Client(auth=client_tokens("staff", self.settings), trust_env=False) as staff:
            return staff.post(
                f"{self.addresses['subscription']}/subscriptions/{subscription_id}/erasure"
            )

    def inventory(self, method: str, body: dict[str, int] | None = None) -> dict[str, int]:
        """Ask for the inventory; its three numbers, or none of them."""
        url = f"{self.addresses['stock']}/inventory/razor-123"
        answer = self.http.request(method, url, json=body)
        assert answer.is_success, answer.text
        numbers: dict[str, int] = answer.json() if answer.content else {}
        return {name: number for name, number in numbers.items() if name != "item"}

    def read(self, service: str, subscription_id: str) -> dict[str, Any]:
        """What a service says of a subscription; empty while it knows nothing, or is away."""
        collection = {"subscription": "subscriptions", "stock": "stock", "payment": "payments"}
        try:
            answer = self.http.get(
                f"{self.addresses[service]}/{collection[service]}/{subscription_id}"
            )
        except httpx.TransportError:
            return {}
        body: dict[str, Any] = answer.json() if answer.status_code == httpx.codes.OK else {}
        return body

    def status(self, service: str, subscription_id: str) -> str | None:
        return self.read(service, subscription_id).get("status")

    def until(self, service: str, subscription_id: str, status: str) -> None:
        eventually(
            lambda: self.status(service, subscription_id) == status,
            # MiniStack may give a message to the long poll of a process that was killed: it is seen
            # again after 30 s.
            timeout=100,
            what=f"{service} {subscription_id} {status}",
        )

    def events(self, bus: str) -> list[dict[str, Any]]:
        """All that ever was on a bus, from its log group: subscriptions, stock or payments."""
        pages = self._aws.client("logs").get_paginator("filter_log_events")
        return [
            json.loads(line["message"])
            for page in pages.paginate(logGroupName=f"{bus}-event-logs")
            for line in page["events"]
        ]

    def events_of(
        self, bus: str, subscription_id: str, event_type: str | None = None
    ) -> list[dict[str, Any]]:
        return [
            event
            for event in self.events(bus)
            if event["detail"]["subscriptionId"] == subscription_id
            and event_type in {None, event["detail-type"]}
        ]

    def pending(self) -> Counter[str]:
        """How much is still in each outbox."""
        dynamodb = self._aws.client("dynamodb")
        with MongoClient[dict[str, Any]](self._mongodb_uri) as client:
            documents = client[DATABASE]["outbox"].count_documents({})
        return +Counter(
            {
                "payment": documents,
                **{
                    table: dynamodb.scan(TableName=f"{table}-outbox", Select="COUNT")["Count"]
                    for table in ("subscriptions", "stock")
                },
            }
        )

    @property
    def ours(self) -> list[str]:
        """The names of our processes, engines left out."""
        return [process.name for process in our_processes(self.settings)]

    @property
    def settings(self) -> LocalSettings:
        return self.system.settings

    @cached_property
    def addresses(self) -> dict[str, str]:
        return addresses(self.settings)

    @cached_property
    def _aws(self) -> Aws:
        return Aws(region=REGION, endpoint_url=aws_endpoint(self.settings))

    @property
    def _mongodb_uri(self) -> str:
        # Direct: the replica set may name its member as only its neighbours know it.
        return f"mongodb://127.0.0.1:{self.settings.mongodb_port}/?directConnection=true"
