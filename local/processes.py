"""The table of processes that make up the system on one machine."""

import signal
import sys
from collections.abc import Mapping

from local import engines
from local.isolation import REGION, SAMPLE_ENVIRONMENT
from local.ports import LOOPBACK
from local.process import Engine, Process
from local.settings import LocalSettings

DATABASE = "payments"


def engine_processes(settings: LocalSettings) -> list[Process]:
    """MiniStack and mongod; raises MongodMissing."""
    ministack = engines.ministack_command(
        settings.aws_port, settings.state_dir / "ministack", region=REGION
    )
    mongod = engines.mongod_command(settings.mongodb_port, settings.state_dir / "mongod")
    return [
        Process(
            name="ministack",
            command=ministack.argv,
            env=ministack.env,
            port=settings.aws_port,
            port_variable="AWS_PORT",
            ready_path=engines.MINISTACK_HEALTH_PATH,
            is_engine=True,
            log=settings.state_dir / "ministack.log",
            on_parent_death=signal.SIGTERM,  # it writes its state only then
        ),
        Process(
            name="mongod",
            command=mongod.argv,
            port=settings.mongodb_port,
            port_variable="MONGODB_PORT",
            ready_path=None,
            is_engine=True,
            log=settings.state_dir / "mongod.log",
            on_parent_death=signal.SIGTERM,
        ),
    ]


def our_processes(settings: LocalSettings) -> list[Process]:
    """The three services, the relays and the tap."""
    every = {
        **SAMPLE_ENVIRONMENT,
        "LOG_FORMAT": settings.log_format,
        "LOG_LEVEL": settings.log_level,
        "PYTHONUNBUFFERED": "1",
    }
    aws = {**every, "AWS_ENDPOINT_URL": aws_endpoint(settings)}
    mongodb = {
        "MONGODB_URI": engines.mongodb_uri(settings.mongodb_port),
        "MONGODB_DATABASE": DATABASE,
    }
    subscription = {
        **aws,
        "SUBSCRIPTIONS_TABLE": "subscriptions",
        "SUBSCRIPTIONS_OUTBOX_TABLE": "subscriptions-outbox",
    }
    stock = {**aws, "STOCK_TABLE": "stock", "STOCK_OUTBOX_TABLE": "stock-outbox"}

    def api(service: str, port: int, colour: int, env: Mapping[str, str]) -> Process:
        return Process(
            name=f"{service}-api",
            command=_python(f"services.{service}.main", "api"),
            env={**env, "HTTP_HOST": LOOPBACK, "HTTP_PORT": str(port)},
            port=port,
            port_variable=f"{service}_api_port".upper(),
            colour=colour,
            needs=_needs(env),
        )

    def worker(
        name: str, command: tuple[str, ...], port: int, colour: int, env: Mapping[str, str]
    ) -> Process:
        return Process(
            name=name,
            command=command,
            env={
                **env,
                "HEALTH_HOST": LOOPBACK,
                "HEALTH_PORT": str(port),
                # A long poll cannot be cut short, and a person waits for Ctrl-C.
                "QUEUE_WAIT_SECONDS": "2",
            },
            port=port,
            port_variable=f"{name}_port".replace("-", "_").upper(),
            colour=colour,
            needs=_needs(env),
        )

    return [
        api("subscription", settings.subscription_api_port, 36, subscription),
        api("stock", settings.stock_api_port, 33, stock),
        api("payment", settings.payment_api_port, 35, {**every, **mongodb}),
        worker(
            "subscription-consumer",
            _python("services.subscription.main", "consumer"),
            settings.subscription_consumer_port,
            36,
            {**subscription, "PAYMENT_CANCELLED_QUEUE": "subscriptions-payment-cancelled"},
        ),
        worker(
            "stock-consumer",
            _python("services.stock.main", "consumer"),
            settings.stock_consumer_port,
            33,
            {
                **stock,
                "SUBSCRIPTION_CREATED_QUEUE": "stock-subscription-created",
                "PAYMENT_CANCELLED_QUEUE": "stock-payment-cancelled",
            },
        ),
        worker(
            "payment-consumer",
            _python("services.payment.main", "consumer"),
            settings.payment_consumer_port,
            35,
            {**aws, **mongodb, "SUBSCRIPTION_CREATED_QUEUE": "payments-subscription-created"},
        ),
        worker(
            "subscriptions-relay",
            _python("relay", "dynamodb"),
            settings.subscriptions_relay_port,
            96,
            {
                **aws,
                "OUTBOX_TABLE": "subscriptions-outbox",
                "EVENT_BUS": "subscriptions-event-bus",
                "DEAD_LETTER_QUEUE": "subscriptions-dlq",
            },
        ),
        worker(
            "stock-relay",
            _python("relay", "dynamodb"),
            settings.stock_relay_port,
            93,
            {
                **aws,
                "OUTBOX_TABLE": "stock-outbox",
                "EVENT_BUS": "stock-event-bus",
                "DEAD_LETTER_QUEUE": "stock-dlq",
            },
        ),
        worker(
            "payments-change-stream",
            _python("relay", "change-stream"),
            settings.payments_change_stream_port,
            95,
            {
                **aws,
                **mongodb,
                "OUTBOX_COLLECTION": "outbox",
                "FIFO_QUEUE": "payment-events.fifo",
                "DEAD_LETTER_QUEUE": "payment-events-dlq.fifo",
            },
        ),
        worker(
            "payments-forward",
            _python("relay", "forward"),
            settings.payments_forward_port,
            95,
            {**aws, "FIFO_QUEUE": "payment-events.fifo", "EVENT_BUS": "payments-event-bus"},
        ),
        worker("tap", _python("local.tap"), settings.tap_port, 34, aws),
    ]


def aws_endpoint(settings: LocalSettings) -> str:
    return f"http://{LOOPBACK}:{settings.aws_port}"


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _needs(env: Mapping[str, str]) -> frozenset[Engine]:
    wanted: set[Engine] = set()
    if "AWS_ENDPOINT_URL" in env:
        wanted.add("ministack")
    if "MONGODB_URI" in env:
        wanted.add("mongod")
    return frozenset(wanted)
