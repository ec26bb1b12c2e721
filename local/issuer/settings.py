"""What the local issuer reads from its environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from infra.local_system.settings import LONGEST_TOKEN_LIFE, ROOT
from runtime.http.settings import HttpSettings
from runtime.settings import Address, Settings


class IssuerState(Settings):
    """`issuer_folder` has the keys and the clients' secrets; it is made where it is missing."""

    issuer_folder: Annotated[Path, AfterValidator(Path.absolute)] = ROOT / ".local" / "issuer"


class IssuerSettings(IssuerState, HttpSettings):
    """`issuer_url` is `iss` in every token, and where the APIs and their clients reach it."""

    issuer_url: Address
    issuer_token_seconds: int = Field(default=300, ge=1, le=LONGEST_TOKEN_LIFE)
