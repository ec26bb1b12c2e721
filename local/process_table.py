"""The table of processes that make up the system on one machine."""

import signal
import sys
from collections.abc import Mapping

from infra.local_system.addresses import (
    DATABASE,
    audit_file,
    aws_endpoint,
    breaking_socket,
    mongodb_uri,
    port_of,
)
from infra.local_system.environment import REGION, SAMPLE_ENVIRONMENT
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings, port_field
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local import engines
from local.process import Engine, Process

TAP_COLOUR, CONSOLE_COLOUR = 34, 32
"""ANSI."""


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
    return [*(_process(workload, settings) for workload in WORKLOADS), _tap(settings)]


def console_process(settings: LocalSettings) -> Process:
    """The console, for who wants one: it needs nothing but what the others are seen by."""
    port = port_of("console", settings)
    apis = {
        f"{port_field(each.name).removesuffix('_port')}_url".upper(): (
            f"http://{LOOPBACK}:{port_of(each.name, settings)}"
        )
        for each in WORKLOADS
        if each.path
    }
    environment = {
        **_aws(settings),
        **apis,
        "CONSOLE_HOST": LOOPBACK,
        "CONSOLE_PORT": str(port),
        "STREAMED_AUDIT_FILE": str(audit_file(settings)),
    }
    if settings.breakable:
        environment["CONSOLE_BREAKING_SOCKET"] = str(breaking_socket(settings))
    needs: frozenset[Engine] = frozenset({"ministack"})
    return _ours(
        "console", ("console",), environment, port, settings, colour=CONSOLE_COLOUR, needs=needs
    )


def _process(workload: Workload, settings: LocalSettings) -> Process:
    environment = dict(workload.settings)
    needs: set[Engine] = set()
    if workload.uses_aws:
        environment |= _aws(settings)
        needs.add("ministack")
    if workload.uses_documents:
        environment |= {
            "MONGODB_URI": mongodb_uri(settings.mongodb_port),
            "MONGODB_DATABASE": DATABASE,
        }
        needs.add("mongod")
    port = port_of(workload.name, settings)
    environment |= _http(port) if workload.path else _health(port)
    return _ours(
        workload.name,
        workload.command,
        environment,
        port,
        settings,
        colour=workload.colour,
        needs=frozenset(needs),
    )


def _tap(settings: LocalSettings) -> Process:
    port = port_of("tap", settings)
    environment = {**_aws(settings), **_health(port)}
    needs: frozenset[Engine] = frozenset({"ministack"})
    return _ours("tap", ("local.tap",), environment, port, settings, colour=TAP_COLOUR, needs=needs)


def _ours(
    name: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    port: int,
    settings: LocalSettings,
    *,
    colour: int,
    needs: frozenset[Engine],
) -> Process:
    return Process(
        name=name,
        command=(sys.executable, "-m", *command),
        env={
            **SAMPLE_ENVIRONMENT,
            "LOG_FORMAT": settings.up_log_format,
            "LOG_LEVEL": settings.up_log_level,
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",  # as the supervisor reads it, whatever the terminal's is
            "OTEL_SERVICE_NAME": name,
            **environment,
        },
        port=port,
        port_variable=port_field(name).upper(),
        colour=colour,
        needs=needs,
    )


def _aws(settings: LocalSettings) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": aws_endpoint(settings)}


def _http(port: int) -> dict[str, str]:
    return {"HTTP_HOST": LOOPBACK, "HTTP_PORT": str(port)}


def _health(port: int) -> dict[str, str]:
    """A long poll cannot be cut short, and a person waits for Ctrl-C: so it waits 2 s."""
    return {"HEALTH_HOST": LOOPBACK, "HEALTH_PORT": str(port), "QUEUE_WAIT_SECONDS": "2"}
