"""Where the system is that an operator looks at: what `make up` serves, or an AWS account."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from infra.local_system.settings import LocalSettings
from infra.topology import TOPOLOGY
from operations.environment import LEASE_SECONDS
from runtime.http.settings import ClientSettings, WebhookSettings
from runtime.settings import AwsSettings, MongoSettings, Settings, with_fields

Where = Literal["local", "aws"]

BusKind = Literal["classic", "custom"]


class HandlingSettings(Settings):
    """How dead letters are handled.

    `streamed_audit_file` is where each message that is redriven or dropped gets its line.
    `streamed_hold_seconds` is how long leased messages stay hidden after the process that leased
    them was killed; 12 hours is the most that SQS allows.
    """

    streamed_audit_file: Path | None = None
    streamed_hold_seconds: int = Field(default=LEASE_SECONDS, ge=2, le=43_200)


class OperationsSettings(HandlingSettings):
    """Read by every command, wherever the system is; `streamed_at` is the default of --at."""

    streamed_at: Where = "local"


class LocalEnvironmentSettings(OperationsSettings, LocalSettings):
    """`--at local`: the ports of `make up`, from the same variables."""


class WebhookCommandSettings(LocalSettings, WebhookSettings):
    """`streamed webhook`: the port and the state of `make up`, or secrets of another system."""


class EraseCommandSettings(LocalSettings, ClientSettings):
    """`streamed erase`: the port and the clients of `make up`, or a client of another system."""


@with_fields({f"{each.name}_profile": (str | None, None) for each in TOPOLOGY.domains})
class AccountSettings(AwsSettings):
    """Credentials come from boto3's own chain, as for every process of the system.

    A domain with an account of its own is reached through an AWS profile. `event_bus_kind` is the
    stage's: where a redrive publishes what a relay could not.
    """

    event_bus_kind: BusKind = "classic"

    def profile(self, domain: str) -> str | None:
        profile: str | None = getattr(self, f"{domain}_profile")
        return profile


class AwsEnvironmentSettings(OperationsSettings, AccountSettings, MongoSettings):
    """`--at aws`.

    `streamed_metrics_url` is where a process serves /metrics, with {process} in the place of its
    name; AWS's own metrics take its place where it is not set.
    """

    streamed_metrics_url: str | None = Field(default=None, pattern=r"^https?://.*\{process\}.*$")
