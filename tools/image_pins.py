"""Pins what the Dockerfile fetches: `python -m tools.image_pins`, which `make lock` runs.

The base image by the digest of its index, which names every platform's image, and the certificates
of Amazon RDS by their SHA-256. --check says what would change.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from urllib.request import Request, urlopen

from infra.local_system.settings import ROOT
from runtime.process.command import FAILED, complain

DOCKERFILE = ROOT / "Dockerfile"

TOKEN_URL = (
    "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/{}:pull"  # noqa: S105 (an address)
)
INDEX_URL = "https://registry-1.docker.io/v2/library/{}/manifests/{}"
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Docker Hub: https://distribution.github.io/distribution/spec/api/."""

SECONDS_TO_ANSWER = 30.0

BASE = re.compile(r"^ARG BASE=([\w.-]+):([\w.-]+)(?:@sha256:([0-9a-f]{64}))?$", re.MULTILINE)
BUNDLE = re.compile(r"^ADD [^\n]*?(https://\S+)", re.MULTILINE)
BUNDLE_PIN = re.compile(r"^ARG BUNDLE_SHA256=([0-9a-f]{64})?$", re.MULTILINE)

Fetch = Callable[[str, Mapping[str, str]], bytes]
"""Of an address, with headers; raises OSError."""


def main() -> int:
    parser = argparse.ArgumentParser("python -m tools.image_pins")
    parser.add_argument("--check", action="store_true", help="say what would change")
    checks = parser.parse_args().check
    dockerfile = DOCKERFILE.read_text()
    try:
        pinned = with_pins(dockerfile, fetched)
    except OSError as error:
        complain(f"Dockerfile: its pins stay as they are, for they cannot be looked up: {error}")
        return FAILED
    if not checks:
        DOCKERFILE.write_text(pinned)
    sys.stdout.write(f"Dockerfile: {'nothing changes' if pinned == dockerfile else 'new pins'}\n")
    return 0


def with_pins(dockerfile: str, fetch: Fetch) -> str:
    """The Dockerfile with the digests of now. Raises OSError."""
    name, tag, _ = BASE.findall(dockerfile)[0]
    (bundle,) = BUNDLE.findall(dockerfile)
    base = f"ARG BASE={name}:{tag}@sha256:{_sha256(_index(name, tag, fetch))}"
    pin = f"ARG BUNDLE_SHA256={_sha256(fetch(bundle, {}))}"
    return BUNDLE_PIN.sub(pin, BASE.sub(base, dockerfile))


def _index(name: str, tag: str, fetch: Fetch) -> bytes:
    """What an official image's tag names; its digest is that of these bytes."""
    token = json.loads(fetch(TOKEN_URL.format(name), {}))["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": ",".join(INDEX_TYPES)}
    return fetch(INDEX_URL.format(name, tag), headers)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetched(url: str, headers: Mapping[str, str]) -> bytes:
    """Raises OSError, which HTTP's errors are, too."""
    request = Request(url, headers=dict(headers))  # noqa: S310 (https, as the constants say)
    with urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


if __name__ == "__main__":
    sys.exit(main())
