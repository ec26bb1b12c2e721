"""What a person can change about the system on their laptop: ports, where state lives, restarts."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field

from infra.topology import WORKLOADS
from runtime.settings import Address, Settings, with_fields

ROOT = Path(__file__).parents[2]

LONGEST_TOKEN_LIFE = 3600
"""Seconds; the local issuer publishes a key for as long after its successor signs."""

Port = Annotated[int, Field(ge=1, le=65535)]


def port_field(process: str) -> str:
    """Which field has the port of a process: stock_api_port for stock-api."""
    return f"{process}_port".replace("-", "_")


class AuthSettings(Settings):
    """Whether the APIs of a system on one machine require tokens, and how long each one lives.

    AUTH=1 has them require tokens of an issuer that runs beside them.
    """

    auth: bool = False
    issuer_token_seconds: int = Field(default=300, ge=1, le=LONGEST_TOKEN_LIFE)


@with_fields({port_field(each.name): (Port, each.port) for each in WORKLOADS})
class LocalSettings(AuthSettings):
    """Read from the environment: AWS_PORT=4567 MONGODB_PORT=27018 make up.

    With MONGOD and OTEL_EXPORTER_OTLP_ENDPOINT it is all that configures what runs on a laptop.

    STATE_DIR holds the engines' data. RESTART=1 starts a process of ours that died again, instead
    of stopping everything; an engine that dies stops everything either way. BREAK=1 lets the
    console stop processes, have the buses refuse and send poison. EVENT_VERSION=1 has the services
    publish what a release without sealed bank details can read. STREAMED_AUDIT_FILE is where the
    console and `streamed` write what they did with dead letters. UP_LOG_LEVEL and UP_LOG_FORMAT are
    the log of our processes; their own names are for what else a developer runs. EMULATOR_URL is an
    emulator of AWS that runs already, in place of a MiniStack on AWS_PORT.
    """

    aws_port: Port = 4566
    emulator_url: Address | None = None
    mongodb_port: Port = 27017
    console_port: Port = 8000
    tap_port: Port = 9108
    issuer_port: Port = 8009

    state_dir: Annotated[Path, AfterValidator(Path.absolute)] = ROOT / ".local"
    streamed_audit_file: Annotated[Path, AfterValidator(Path.absolute)] | None = None
    restart: bool = False
    up_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    up_log_format: Literal["json", "console"] = "console"
    event_version: int = Field(default=2, ge=1, le=2)
    breakable: bool = Field(default=False, validation_alias=AliasChoices("break", "breakable"))
