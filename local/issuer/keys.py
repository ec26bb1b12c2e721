"""The keys that sign: one file, the newest first. It signs; all that are in it are published."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from infra.local_system.settings import LONGEST_TOKEN_LIFE
from runtime.errors import Misconfigured

ALGORITHM = "ES256"


class SigningKey(BaseModel):
    """A private key as PEM; `replaced` is when its successor came, in seconds since 1970."""

    model_config = ConfigDict(frozen=True)

    kid: str
    pem: str
    replaced: float | None = None

    def private(self) -> EllipticCurvePrivateKey:
        key = load_pem_private_key(self.pem.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError(f"the key {self.kid} is not of {ALGORITHM}")
        return key

    def jwk(self) -> dict[str, Any]:
        """The public half, as RFC 7517 writes it."""
        public = ECAlgorithm.to_jwk(self.private().public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": ALGORITHM}


_KEYS = TypeAdapter(tuple[SigningKey, ...])


class KeyFile:
    """Read at each use: who rotates need not tell the process that serves.

    A method raises Misconfigured, naming the file, if what is in it are no keys.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = folder / "keys.json", clock

    def ensure(self) -> None:
        """Make the first key where there is none."""
        if not self._file.exists():
            self.rotate()

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on; the one before is published while its tokens live."""
        now, new = self._clock(), _new_key()
        held = self.published() if self._file.exists() else ()
        old = [
            each if each.replaced is not None else each.model_copy(update={"replaced": now})
            for each in held
        ]
        write_private(self._file, _KEYS.dump_json((new, *old), indent=2).decode())
        return new

    def published(self) -> tuple[SigningKey, ...]:
        """List the keys by which a token may be checked now; the first one signs."""
        now = self._clock()
        return tuple(
            each
            for each in self._read()
            if each.replaced is None or now < each.replaced + LONGEST_TOKEN_LIFE
        )

    def _read(self) -> tuple[SigningKey, ...]:
        try:
            return _KEYS.validate_json(self._file.read_bytes())
        except ValidationError:
            raise Misconfigured(
                f"{self._file} has no keys that can be read: remove it, and new ones are made"
            ) from None


def write_private(file: Path, text: str) -> None:
    """Replace a file at once by one that only its owner reads (0600), in a folder likewise."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{token_urlsafe(6)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    new.replace(file)


def _new_key() -> SigningKey:
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return SigningKey(kid=token_urlsafe(12), pem=pem.decode())
