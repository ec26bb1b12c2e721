"""The three services over real engines: their settings, apps, handlers and outboxes."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import httpx
import uvicorn
from boto3.dynamodb.types import TypeDeserializer
from fastapi import APIRouter, FastAPI
from pymongo import MongoClient

from contracts.bank_details import SEALED_FOR
from infra.domains.payments import BANK_DETAILS
from infra.local_system.ports import LOOPBACK
from infra.topology import WORKLOADS
from runtime.aws import Aws, CachingAws
from runtime.http.app import create_api
from runtime.http.connections import limited
from runtime.http.hosts import ANY_HOST
from runtime.http.settings import ApiSettings
from runtime.mongodb import Mongo
from runtime.sealing import Seal
from runtime.sqs.handler import EventHandler
from services.payment import consumer as payment_consumer
from services.payment import main as payment_main
from services.payment.handlers import Handlers as PaymentHandlers
from services.payment.settings import PaymentApiSettings
from services.payment.store import MongoStore as PaymentStore
from services.stock import main as stock_main
from services.stock.handlers import Handlers as StockHandlers
from services.stock.settings import StockApiSettings
from services.subscription import main as subscription_main
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.settings import SubscriptionApiSettings
from tests.consuming import EVENT_HANDLERS
from tests.threads import beside
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

Name = Literal["subscription", "stock", "payment"]
NAMES: tuple[Name, ...] = ("subscription", "stock", "payment")

_MAINS: Mapping[Name, Any] = {
    "subscription": subscription_main,
    "stock": stock_main,
    "payment": payment_main,
}
_SETTINGS: Mapping[Name, type[ApiSettings]] = {
    "subscription": SubscriptionApiSettings,
    "stock": StockApiSettings,
    "payment": PaymentApiSettings,
}


@dataclass(frozen=True)
class System:
    """Where the engines are. Everything has the topology's own names: the region is ours alone.

    `more` are variables that its processes and apps get beside those.
    """

    region: str
    endpoint: str
    mongodb_uri: str
    database: str
    more: Mapping[str, str] = field(default_factory=dict, hash=False)

    @cached_property
    def aws(self) -> Aws:
        return CachingAws(region=self.region, endpoint_url=self.endpoint)

    def environment(self, service: Name) -> dict[str, str]:
        """What a process of the service needs, but for its port: its consumer's, its API's too."""
        api, consumer = (
            each for each in WORKLOADS if each.name in {f"{service}-api", f"{service}-consumer"}
        )
        aws = {"AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint}
        mongo = {"MONGODB_URI": self.mongodb_uri, "MONGODB_DATABASE": self.database}
        documents = mongo if consumer.uses_documents else {}
        return {**aws, **documents, **api.settings, **consumer.settings, **self.more}

    def app(self, service: Name) -> FastAPI:
        app: FastAPI = _MAINS[service].create_app(self._settings(service))
        return app

    @contextmanager
    def running(
        self,
        folder: Path,
        service: Name,
        command: Literal["api", "consumer"],
        changes: Mapping[str, str] | None = None,
        *,
        is_measured: bool = True,
    ) -> Iterator[LaunchedProcess]:
        """A process of the service, some of whose settings are others."""
        with running(
            folder,
            f"services.{service}.main",
            command,
            {**self.environment(service), **(changes or {})},
            port_name={"api": "HTTP_PORT", "consumer": "HEALTH_PORT"}[command],
            is_measured=is_measured,
        ) as process:
            yield process

    def handler(self, queue: str) -> EventHandler:
        """The handler that the composition root gives to a queue's consumer."""
        if queue == "payments-subscription-created":
            return payment_consumer.subscription_created(self.payments, self.seal.open)
        return EVENT_HANDLERS[queue](getattr(self, queue.partition("-")[0]))

    @cached_property
    def seal(self) -> Seal:
        """That of bank details, under the emulator's key."""
        return Seal(self.aws.client("kms"), BANK_DETAILS.alias, SEALED_FOR)

    @cached_property
    def subscriptions(self) -> SubscriptionHandlers:
        return SubscriptionHandlers(subscription_main.store_of(self._settings("subscription")))

    @cached_property
    def stock(self) -> StockHandlers:
        return StockHandlers(stock_main.store_of(self._settings("stock")))

    @cached_property
    def payments(self) -> PaymentHandlers:
        return PaymentHandlers(PaymentStore(Mongo.of(self._settings("payment"))))

    def outbox(self, service: Name, aggregate_id: str) -> list[dict[str, Any]]:
        """The records that an aggregate has in its service's outbox, in order."""
        if service == "payment":
            with MongoClient[dict[str, Any]](self.mongodb_uri) as client:
                found = client[self.database]["outbox"].find({"aggregateId": aggregate_id})
                return list(found.sort("sequence", 1))
        table = {"subscription": "subscriptions-outbox", "stock": "stock-outbox"}[service]
        response = self.aws.client("dynamodb").query(
            TableName=table,
            KeyConditionExpression="aggregateId = :id",
            ExpressionAttributeValues={":id": {"S": aggregate_id}},
        )
        return [
            {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
            for item in response["Items"]
        ]

    def _settings(self, service: Name) -> Any:
        """Those of the service's API."""
        kind, environment = _SETTINGS[service], self.environment(service)
        names = [name for name in kind.model_fields if name.upper() in environment]
        given: dict[str, Any] = {name: environment[name.upper()] for name in names}
        return kind(**given, http_port=0, http_allowed_hosts="x")


def an_app(router: APIRouter, **how: Any) -> FastAPI:
    """Routes of a test's own, behind what every service shares."""
    made: dict[str, Any] = {
        "title": "Any",
        "description": "",
        "kinds": {},
        "check": lambda: None,
        "verifier": None,
        "allowed_hosts": frozenset({ANY_HOST}),
        **how,
    }
    return create_api(router=router, **made)


def ask(app: FastAPI, method: str, path: str, **how: Any) -> httpx.Response:
    """Ask an app without a socket."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **how)

    return asyncio.run(asked())


@contextmanager
def asking(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve an app, and give a client of it."""
    with (
        serving(app) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield client


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app from a thread, as uvicorn serves it in production; gives its address."""
    listening = socket.create_server((LOOPBACK, 0))
    server = uvicorn.Server(limited(app, listening, stop_seconds=1))
    with beside(lambda: server.run([listening]), lambda: setattr(server, "should_exit", True)):
        eventually(lambda: server.started, what="the app serves")
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
