"""The services' processes without their threads: each does its next work when it is asked to."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from runtime.aws import Aws
from runtime.metrics import ConsumerMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.settings import ConsumerSettings
from runtime.sqs.deletions import Deletions
from runtime.sqs.handler import EventHandler
from runtime.sqs.messages import Messages
from runtime.sqs.queue import MAX_BATCH, find_queue
from verification.testkit.waiting import NotInTime, eventually


class InProcessApi:
    """A service's app, asked without a socket."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def ask(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a request and read its JSON; raises httpx.HTTPStatusError."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(send()).raise_for_status().json()


class Consuming:
    """A runtime.sqs.consumer.Consumer of one queue."""

    def __init__(self, settings: ConsumerSettings, name: str, handler: EventHandler) -> None:
        sqs = Aws.of(settings).client("sqs")
        queue = find_queue(sqs, name)
        self._name = name
        self._messages = Messages(
            sqs,
            queue,
            handler,
            stop=Stop(),
            metrics=ConsumerMetrics(CollectorRegistry()),
            readiness=Readiness(name),
            wait_seconds=settings.queue_wait_seconds,
        )
        self._deletions = Deletions(sqs, queue.url)

    def handle_next(self) -> None:
        """Receive what there is, handle it and delete it; raises NotInTime."""
        for message in eventually(lambda: self._messages.receive(MAX_BATCH), what=self._name):
            if not self._messages.settle(message):
                raise NotInTime(f"{self._name}: a message was not handled")
            self._deletions.add(message["ReceiptHandle"])
        self._deletions.delete_next()
