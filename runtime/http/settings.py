"""The environment of processes that serve HTTP, call it, or take and send signed webhooks."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from runtime.http.hosts import hosts_in, is_loopback
from runtime.settings import ProcessSettings, Settings, can_be_parsed, content_of
from runtime.signatures import secrets_of

HttpUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$"), AfterValidator(can_be_parsed)
]
"""Something that HTTP serves: an address, and perhaps a path."""


HOST_NAMES = r"^[A-Za-z0-9._:,*\[\] -]*$"
"""Hosts as their header has them, with commas between them."""


class HttpSettings(ProcessSettings):
    """For a process that serves HTTP.

    `http_drain_seconds` is how long it goes on serving after a signal to stop, unready.
    """

    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65535)
    http_drain_seconds: float = Field(default=0, ge=0, le=60)
    http_max_connections_per_client: int | None = Field(default=None, ge=0)


class ApiSettings(HttpSettings):
    """For the process of an API.

    With `auth` off it serves every client. Beyond loopback that is refused, unless
    `auth_off_beyond_loopback` confirms it.

    `http_allowed_hosts` are the Host headers that it answers to beside loopback's, with commas
    between them; `*` is every one. It is needed where the process listens beyond loopback.
    """

    auth_off_beyond_loopback: bool = False
    auth: Literal["required", "off"] = Field(default="off", validate_default=True)
    auth_issuer: str | None = Field(default=None, validate_default=True)
    auth_audience: str | None = Field(default=None, validate_default=True)
    auth_jwks_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s/]+(/\S*)?$", validate_default=True
    )
    auth_algorithms: str = Field(default="RS256,ES256", pattern=r"^(RS|ES)256(,(RS|ES)256)?$")
    auth_leeway_seconds: int = Field(default=30, ge=0, le=300)
    auth_scope_prefix: str = ""
    http_allowed_hosts: str = Field(default="", pattern=HOST_NAMES, validate_default=True)

    @property
    def auth_audiences(self) -> frozenset[str]:
        """Without spaces; in the variable there are commas between them."""
        found = (each.strip() for each in (self.auth_audience or "").split(","))
        return frozenset(each for each in found if each)

    @field_validator("auth")
    @classmethod
    def _is_not_open_by_accident(cls, auth: str, info: ValidationInfo) -> str:
        host = info.data.get("http_host", "")
        if auth == "off" and not (is_loopback(host) or info.data.get("auth_off_beyond_loopback")):
            raise ValueError(
                f"it is off, and HTTP_HOST={host} is not a loopback address: any client that"
                " reaches it could read and change everything. Set AUTH=required with AUTH_ISSUER,"
                " AUTH_AUDIENCE and AUTH_JWKS_URL, or AUTH_OFF_BEYOND_LOOPBACK=1 to allow it"
            )
        return auth

    @field_validator("auth_issuer", "auth_audience", "auth_jwks_url")
    @classmethod
    def _is_there_where_tokens_are(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("auth") == "required":
            raise ValueError("set it where AUTH=required")
        return value

    @field_validator("auth_jwks_url")
    @classmethod
    def _has_a_host(cls, url: str | None) -> str | None:
        return url and can_be_parsed(url)

    @field_validator("http_allowed_hosts")
    @classmethod
    def _is_not_open_to_any_name(cls, names: str, info: ValidationInfo) -> str:
        host = info.data.get("http_host", "")
        if not names and not is_loopback(host):
            raise ValueError(
                f"HTTP_HOST={host} is not a loopback address: name the hosts under which clients"
                " ask for this API, with commas between them, or * where they are checked before it"
            )
        return names

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """In lower case; each may have a port."""
        return hosts_in(self.http_allowed_hosts)


class ClientSettings(Settings):
    """For a process that calls APIs which require tokens: the client credentials grant.

    Nothing is set where they require none. The secret is in a variable, or in a file.
    """

    auth_token_url: HttpUrl | None = None
    auth_client_id: str | None = None
    auth_client_secret_file: Path | None = None
    auth_client_secret: SecretStr | None = None
    auth_client_scope: str | None = None

    @property
    def auth_secret(self) -> SecretStr | Path | None:
        return self.auth_client_secret or self.auth_client_secret_file

    @model_validator(mode="after")
    def _is_a_whole_client(self) -> Self:
        if self.auth_client_secret and self.auth_client_secret_file:
            raise ValueError("set AUTH_CLIENT_SECRET or AUTH_CLIENT_SECRET_FILE, not both")
        given = {
            bool(each) for each in (self.auth_token_url, self.auth_client_id, self.auth_secret)
        }
        if len(given) > 1:
            raise ValueError(
                "set AUTH_TOKEN_URL, AUTH_CLIENT_ID and one of AUTH_CLIENT_SECRET and"
                " AUTH_CLIENT_SECRET_FILE, or none of them"
            )
        return self


class WebhookSettings(Settings):
    """For a process that takes signed webhooks, or sends one: the secrets, or a file with them.

    One to three `whsec_…` with commas between; any of them may have signed, the first one signs.
    """

    webhook_secrets_file: FilePath | None = None
    webhook_secrets: SecretStr | None = Field(default=None, validate_default=True)

    @field_validator("webhook_secrets")
    @classmethod
    def _can_sign(cls, secrets: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        file = info.data.get("webhook_secrets_file")
        if file is not None and secrets is not None:
            raise ValueError("set it or WEBHOOK_SECRETS_FILE, not both")
        if file is not None:
            secrets = SecretStr(content_of(file, "WEBHOOK_SECRETS_FILE"))
        if secrets is not None:
            secrets_of(secrets.get_secret_value())
        return secrets

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """None where none is set."""
        secrets = self.webhook_secrets
        return () if secrets is None else secrets_of(secrets.get_secret_value())
