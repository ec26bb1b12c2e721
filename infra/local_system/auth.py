"""Who may do what in a system on one machine that requires tokens (`make up AUTH=1`)."""

from collections.abc import Mapping
from pathlib import Path

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings
from runtime.http.client_credentials import ClientCredentials, OAuthClient

AUDIENCE = "streamed-events"
"""The APIs, as their tokens name them."""

JWKS_PATH, TOKEN_PATH = "/.well-known/jwks.json", "/token"

_READS = frozenset({"subscriptions:read:all", "stock:read", "payments:read", "operations:read"})
_ONES_OWN = frozenset({"subscriptions:read", "subscriptions:write"})
_STAFF_WRITES = frozenset(
    {"payments:cancel", "subscriptions:cancel:all", "subscriptions:erase", "stock:write"}
)

CLIENTS: Mapping[str, frozenset[str]] = {
    "customer": _ONES_OWN,
    "staff": _ONES_OWN | _READS | _STAFF_WRITES,
    "demo": _ONES_OWN | {"stock:read", "stock:write", "payments:read", "payments:cancel"},
    "console": _READS,
    "console-try": frozenset({"subscriptions:write", "payments:cancel"}),
}
"""The issuer's clients, with the scopes that each may have."""


def issuer_address(settings: LocalSettings) -> str:
    return f"http://{LOOPBACK}:{settings.issuer_port}"


def issuer_folder(settings: LocalSettings) -> Path:
    return settings.state_dir / "issuer"


def secret_file(folder: Path, client: str) -> Path:
    """The file in the issuer's folder that has a client's secret, and nothing else."""
    return folder / "clients" / client


def api_environment(settings: LocalSettings) -> dict[str, str]:
    """The variables by which an API requires tokens of the local issuer, or none."""
    if not settings.auth:
        return {"AUTH": "off"}
    issuer = issuer_address(settings)
    return {
        "AUTH": "required",
        "AUTH_ISSUER": issuer,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_URL": f"{issuer}{JWKS_PATH}",
    }


def console_environment(settings: LocalSettings) -> dict[str, str]:
    """The variables of the console's two clients; none where no tokens are required."""
    if not settings.auth:
        return {}
    folder = issuer_folder(settings)
    return {
        "AUTH_TOKEN_URL": f"{issuer_address(settings)}{TOKEN_PATH}",
        "AUTH_CLIENT_ID": "console",
        "AUTH_CLIENT_SECRET_FILE": str(secret_file(folder, "console")),
        "CONSOLE_TRY_CLIENT_ID": "console-try",
        "CONSOLE_TRY_CLIENT_SECRET_FILE": str(secret_file(folder, "console-try")),
    }


def client_tokens(client: str, settings: LocalSettings) -> ClientCredentials | None:
    """Take tokens for one of CLIENTS; None where the system of these settings requires none."""
    if not settings.auth:
        return None
    url = f"{issuer_address(settings)}{TOKEN_PATH}"
    secret = secret_file(issuer_folder(settings), client)
    return ClientCredentials(OAuthClient(url, client, secret))
