"""The table of processes that make up the system on one machine."""

import sys
from collections.abc import Mapping
from typing import Literal

from infra.local_system.addresses import (
    DATABASE,
    addresses,
    audit_file,
    aws_endpoint,
    breaking_socket,
    mongodb_uri,
    port_of,
)
from infra.local_system.auth import (
    api_environment,
    console_environment,
    issuer_address,
    issuer_folder,
)
from infra.local_system.bank import secret_file
from infra.local_system.environment import SAMPLE_ENVIRONMENT
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings, port_field
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local.engines import ministack_process, mongod_process
from local.process import Process

TAP_COLOUR, CONSOLE_COLOUR, ISSUER_COLOUR = 34, 32, 31
"""ANSI."""

SHORT_POLLS = {"QUEUE_WAIT_SECONDS": "2"}
"""A long poll cannot be cut short, and a person waits for Ctrl-C."""


def engine_processes(settings: LocalSettings) -> list[Process]:
    """MiniStack, unless another emulator is named, and mongod; raises what `find_mongod` does."""
    mongod = mongod_process(settings.mongodb_port, settings.state_dir / "mongod")
    if settings.emulator_url:
        return [mongod]
    return [ministack_process(settings.aws_port, settings.state_dir / "ministack"), mongod]


def our_processes(settings: LocalSettings) -> list[Process]:
    """The three services, the relays and the tap; first the issuer, where tokens are required."""
    ours = [*(_process(workload, settings) for workload in WORKLOADS), _tap_process(settings)]
    return [_issuer(settings), *ours] if settings.auth else ours


def console_process(settings: LocalSettings) -> Process:
    """The console, for who wants one: it needs nothing but what the others are seen by."""
    environment = {
        **_aws(settings),
        **{f"{name}_API_URL".upper(): url for name, url in addresses(settings).items()},
        "STREAMED_AUDIT_FILE": str(audit_file(settings)),
        **console_environment(settings),
    }
    if settings.breakable:
        environment["CONSOLE_BREAKING_SOCKET"] = str(breaking_socket(settings))
    return _ours(
        "console", ("console",), environment, settings, listens="CONSOLE", colour=CONSOLE_COLOUR
    )


def _issuer(settings: LocalSettings) -> Process:
    environment = {
        "ISSUER_URL": issuer_address(settings),
        "ISSUER_FOLDER": str(issuer_folder(settings)),
        "ISSUER_TOKEN_SECONDS": str(settings.issuer_token_seconds),
    }
    return _ours(
        "issuer", ("local.issuer",), environment, settings, listens="HTTP", colour=ISSUER_COLOUR
    )


def _process(workload: Workload, settings: LocalSettings) -> Process:
    environment = dict(workload.settings)
    if "EVENT_VERSION" in environment:
        environment["EVENT_VERSION"] = str(settings.event_version)
    if workload.path:
        environment |= api_environment(settings)
    if workload.uses_aws:
        environment |= _aws(settings)
    if workload.uses_documents:
        environment["MONGODB_URI"] = mongodb_uri(settings.mongodb_port)
        environment["MONGODB_DATABASE"] = DATABASE
    if workload.webhook:
        environment["WEBHOOK_SECRETS_FILE"] = str(secret_file(settings))
    return _ours(
        workload.name,
        workload.command,
        environment if workload.path else environment | SHORT_POLLS,
        settings,
        listens="HTTP" if workload.path else "HEALTH",
        colour=workload.colour,
        needs_mongod=workload.uses_documents,
    )


def _tap_process(settings: LocalSettings) -> Process:
    environment = _aws(settings) | SHORT_POLLS
    return _ours("tap", ("local.tap",), environment, settings, listens="HEALTH", colour=TAP_COLOUR)


def _ours(
    name: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    settings: LocalSettings,
    *,
    listens: Literal["HTTP", "HEALTH", "CONSOLE"],
    colour: int,
    needs_mongod: bool = False,
) -> Process:
    """`listens` is how the variables of its host and its port begin."""
    port = port_of(name, settings)
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
            f"{listens}_HOST": LOOPBACK,
            f"{listens}_PORT": str(port),
            **environment,
        },
        port=port,
        port_variable=port_field(name).upper(),
        colour=colour,
        needs_mongod=needs_mongod,
    )


def _aws(settings: LocalSettings) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": aws_endpoint(settings)}
