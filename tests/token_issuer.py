"""An issuer of tokens that a test holds: its keys, its key set over HTTP, tokens good and bad."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from infra.local_system.ports import LOOPBACK
from tests.threads import served

ISSUER, AUDIENCE = "https://issuer.example", "streamed-events"
Algorithm = Literal["RS256", "ES256"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def a_key(name: str, algorithm: Algorithm = "RS256") -> PrivateKey:
    """The private key of that name; the same one each time, since it takes a while to make."""
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(name: str, algorithm: Algorithm = "RS256", **changes: object) -> dict[str, Any]:
    """Its public half, published under its name."""
    key = a_key(name, algorithm).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        public: dict[str, Any] = RSAAlgorithm.to_jwk(key, as_dict=True)
    else:
        public = ECAlgorithm.to_jwk(key, as_dict=True)
    named = {**public, "kid": name, "alg": algorithm, "use": "sig", **changes}
    return {member: value for member, value in named.items() if value is not None}


def claims(scope: str | None = None, **changes: object) -> dict[str, Any]:
    """A good token's claims; a change to None leaves one out."""
    now = int(time.time())
    found = {
        "iss": ISSUER,
        "sub": "ada",
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 3600,  # some are made when a run begins
        "client_id": "shop",
        "scope": scope,
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def a_token(
    scope: str | None = None,
    *,
    key: str = "one",
    algorithm: Algorithm = "RS256",
    header: dict[str, Any] | None = None,
    **changes: object,
) -> str:
    """A good token but for the changes of its claims or of its header."""
    return jwt.encode(
        claims(scope, **changes), a_key(key, algorithm), algorithm, {"kid": key, **(header or {})}
    )


def unsigned(header: dict[str, Any], signature: bytes = b"") -> str:
    """A token with whatever header and signature."""
    parts = [json.dumps(header).encode(), json.dumps(claims("stock:read")).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)


def public_key_as_secret() -> str:
    """A token with HS256, its secret being the issuer's public key."""
    secret = a_key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "kid": "one"}
    signing = unsigned(header).rpartition(".")[0].encode()
    return unsigned(header, jwt.get_algorithm_by_name("HS256").sign(signing, secret))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class KeyServer:
    """Publishes `keys` at `url`, and counts how often they were fetched.

    While it is `away` it answers 500; with a `body`, whatever that is.
    """

    def __init__(self) -> None:
        self.keys = [public_jwk("one")]
        self.fetches = 0
        self.away = False
        self.body: bytes | None = None
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_port}/jwks.json"

    @contextmanager
    def serving(self) -> Iterator["KeyServer"]:
        with served(self._server):
            yield self

    @property
    def settings(self) -> dict[str, str]:
        """The environment of an API that takes this issuer's tokens alone."""
        return {
            "AUTH": "required",
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_JWKS_URL": self.url,
        }

    def answer(self) -> tuple[int, bytes]:
        self.fetches += 1
        if self.away:
            return 500, b""
        return 200, json.dumps({"keys": self.keys}).encode() if self.body is None else self.body


def _handler(server: KeyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = server.answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            """Say nothing."""

    return Handler
