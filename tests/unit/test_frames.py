"""Through how many functions of this repository a message, or a request, comes to its commit."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import MagicMock

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry

from runtime.metrics import ConsumerMetrics
from runtime.process.shutdown import Stop
from runtime.sqs.consumer import Consumer
from runtime.sqs.handler import EventHandler, Instruments
from services.payment import api as payment_api
from services.payment import consumer as payment_consumer
from services.payment.handlers import Handlers as PaymentHandlers
from services.payment.store import MongoStore
from services.stock import consumer as stock_consumer
from services.stock.handlers import Handlers as StockHandlers
from services.stock.store import DynamoStore as StockStore
from services.subscription import api as subscription_api
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.schemas import NewSubscription
from services.subscription.store import DynamoStore as SubscriptionStore
from tests.builders import START, a_cause, an_order, delivered
from tests.consuming import QUEUES, messages_of
from tests.fakes import MemorySubscriptions, opened
from tests.memory_queues import MemorySqs
from tests.recorded import Recorded
from tests.system import an_app
from tests.system import ask as ask_app

ROOT = Path(__file__).parent.parent.parent
OURS = tuple(str(ROOT / package) for package in ("contracts", "runtime", "services"))

FROM_SQS = [
    "Consumer._settle",
    "Messages.settle",
    "EventHandler.handle",
    "subscription_created.<locals>.<lambda>",
]
OF_A_THREAD = ["_Threads._work", "_Call.run"]
MOST_FROM_SQS, MOST_FROM_HTTP = 7, 4


class Commit:
    """A database's call that commits: it keeps the names of our functions that led to it."""

    def __init__(self) -> None:
        self.then: Callable[[], object] = lambda: None
        self.frames: list[str] = []

    def __call__(self, **_: Any) -> None:
        self.frames = [
            frame.f_code.co_qualname
            for frame in _stack()
            if frame.f_code.co_filename.startswith(OURS)
        ]
        self.then()


def _stack() -> list[FrameType]:
    """The caller's frames, the outermost first."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        frames.insert(0, frame)
        frame = frame.f_back
    return frames


@pytest.fixture
def commit() -> Commit:
    return Commit()


def dynamodb(commit: Commit) -> Any:
    return MagicMock(transact_write_items=commit)


def a_mongo_store(commit: Commit) -> MongoStore:
    mongo = MagicMock()
    database = mongo.database
    database.client.start_session().__enter__().commit_transaction = commit
    database.__getitem__().find_one.return_value = {
        "_id": "one",
        "accountNumber": "12345678",
        "status": "active",
        "created": START,
        "updated": START,
        "version": 1,
        "event": "PaymentCreated",
    }
    return MongoStore(mongo)


def consume(commit: Commit, handler: EventHandler) -> list[str]:
    """The frames from the thread that handles a message, traced as in production."""
    subscriptions = MemorySubscriptions()
    SubscriptionHandlers(subscriptions).subscribe(an_order(), a_cause())
    sqs = MemorySqs(QUEUES, now=lambda: 0.0)
    sqs.send_message(QueueUrl="work", MessageBody=delivered(subscriptions.outbox[0]))
    stop, metrics = Stop(), ConsumerMetrics(CollectorRegistry())
    commit.then = stop.request
    traced = replace(handler, instruments=Instruments("work", metrics, Recorded().tracer))
    Consumer(messages_of(sqs, traced, stop=stop, metrics=metrics)).run()
    return commit.frames


def ask(commit: Commit, router: APIRouter, method: str, path: str, body: object) -> list[str]:
    """The frames from a route on; the middleware's and those that begin a thread are left out."""
    assert ask_app(an_app(router), method, path, json=body).is_success
    (route,) = (
        each
        for each in router.routes
        if isinstance(each, APIRoute)
        and method in (each.methods or ())
        and each.path_regex.match(path)
    )
    begun, called = commit.frames[:2], commit.frames[2:]
    assert begun == OF_A_THREAD
    return [route.endpoint.__qualname__, *called]


def test_from_a_message_to_a_transaction_of_dynamodb(commit: Commit) -> None:
    """Receive, parse and call, decide, write: each once."""
    client = dynamodb(commit)
    client.get_item.return_value = {}  # no inventory is set
    store = StockStore(client, table="rows", outbox="rows-outbox", inventory="rows-inventory")
    handlers = StockHandlers(store)
    frames = consume(commit, stock_consumer.subscription_created(handlers))
    assert frames == [*FROM_SQS, "Handlers.allocate", "UseCases.change", "VersionedTable.commit"]
    assert len(frames) <= MOST_FROM_SQS


def test_from_a_message_to_a_transaction_of_mongodb(commit: Commit) -> None:
    """The same way, into the other database."""
    handlers = PaymentHandlers(a_mongo_store(commit))
    frames = consume(commit, payment_consumer.subscription_created(handlers, opened))
    assert frames == [*FROM_SQS, "Handlers.create", "UseCases.change", "VersionedCollection.commit"]
    assert len(frames) <= MOST_FROM_SQS


def test_from_a_post_to_a_transaction_of_dynamodb(commit: Commit) -> None:
    """The use case is the one that a message would lead to."""
    store = SubscriptionStore(dynamodb(commit), table="rows", outbox="rows-outbox")
    router = subscription_api.routes(SubscriptionHandlers(store), store)
    body = NewSubscription.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
    frames = ask(commit, router, "POST", "/subscriptions", body)
    assert frames == [
        "routes.<locals>.subscribe",
        "Handlers.subscribe",
        "UseCases.change",
        "VersionedTable.commit",
    ]
    assert len(frames) <= MOST_FROM_HTTP


def test_from_a_patch_to_a_transaction_of_mongodb(commit: Commit) -> None:
    """A row that exists is read first, and written the same way."""
    store = a_mongo_store(commit)
    router = payment_api.routes(PaymentHandlers(store), store)
    frames = ask(commit, router, "PATCH", "/payments/one", {"status": "cancelled"})
    assert frames == [
        "routes.<locals>.patch",
        "Handlers.cancel",
        "UseCases.change",
        "VersionedCollection.commit",
    ]
    assert len(frames) <= MOST_FROM_HTTP
