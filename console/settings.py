"""What the console reads from the environment, and how it refuses to be open to the network."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from infra.topology import TOPOLOGY, WORKLOADS
from operations.environment import AUDIT_FILE, Environment
from operations.settings import AccountSettings, HandlingSettings
from runtime.http.hosts import hosts_in, is_loopback
from runtime.http.settings import ClientSettings
from runtime.settings import Address, with_fields


@with_fields(
    {
        f"{each.name}_url".replace("-", "_"): (Address, f"http://127.0.0.1:{each.port}")
        for each in WORKLOADS
        if each.path
    }
)
class ConsoleSettings(HandlingSettings, AccountSettings, ClientSettings):
    """Read by `python -m console`.

    `console_name` is unlike any other console's of one system: its taps' queues carry it.
    `console_allowed_hosts` are the Host headers that it answers to beside loopback's, with commas
    between them; without them it listens on loopback only. `console_breaking_socket` is where the
    supervisor of a local system takes orders to break it. `console_try_…` is the client that Try it
    takes tokens for: the console's own may only read.
    """

    console_host: str = "127.0.0.1"
    console_port: int = Field(default=8000, ge=0, le=65535)
    console_name: str = Field(default="console", pattern=r"^[a-z0-9-]{1,20}$")
    console_allowed_hosts: str = Field(default="", pattern=r"^[A-Za-z0-9._:,\[\] -]*$")
    console_breaking_socket: str | None = None
    console_dead_letter_seconds: float = Field(default=2, gt=0, le=600)
    console_try_client_id: str | None = None
    console_try_client_secret_file: Path | None = None
    console_try_client_secret: SecretStr | None = None

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """In lower case; each may have a port."""
        return hosts_in(self.console_allowed_hosts)

    @property
    def try_secret(self) -> SecretStr | Path | None:
        return self.console_try_client_secret or self.console_try_client_secret_file

    @model_validator(mode="after")
    def _tries_with_a_whole_client(self) -> Self:
        secrets = (self.console_try_client_secret, self.console_try_client_secret_file)
        given = [bool(self.console_try_client_id), any(secrets)]
        if all(secrets) or len(set(given)) > 1 or (any(given) and not self.auth_token_url):
            raise ValueError(
                "set CONSOLE_TRY_CLIENT_ID and one of CONSOLE_TRY_CLIENT_SECRET and"
                " CONSOLE_TRY_CLIENT_SECRET_FILE beside AUTH_TOKEN_URL, or none of them"
            )
        return self

    @model_validator(mode="after")
    def _is_not_open_by_accident(self) -> Self:
        if not is_loopback(self.console_host) and not self.allowed_hosts:
            raise ValueError(
                f"CONSOLE_HOST={self.console_host} is not a loopback address: any client that"
                " reaches it could act on the system. Keep 127.0.0.1, or set CONSOLE_ALLOWED_HOSTS"
                " to the names under which you will open the console"
            )
        return self


def environment_of(settings: ConsoleSettings) -> Environment:
    """The system as the console reaches it, beside the APIs: AWS, and no database."""
    return Environment(
        region=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        audit_file=settings.streamed_audit_file or Path(AUDIT_FILE),
        hold_seconds=settings.streamed_hold_seconds,
        has_custom_buses=settings.event_bus_kind == "custom",
        profiles={domain.name: settings.profile(domain.name) for domain in TOPOLOGY.domains},
    )
