"""What the Dockerfile fetches is pinned by what it is, not by what it is called."""

import hashlib
from collections.abc import Mapping

import pytest

from infra.local_system.settings import ROOT
from tools import image_pins
from tools.image_pins import BASE, BUNDLE_PIN, INDEX_URL, TOKEN_URL, with_pins

INDEX, BUNDLE = b'{"manifests": []}', b"-----BEGIN CERTIFICATE-----"
BUNDLE_URL = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


def docker_hub(url: str, headers: Mapping[str, str]) -> bytes:
    """And Amazon RDS: an index is for who has a token, and says which form it takes."""
    if url == TOKEN_URL.format("python"):
        return b'{"token": "a-token"}'
    if url == INDEX_URL.format("python", "3.11-slim-bookworm"):
        assert headers["Authorization"] == "Bearer a-token"
        assert "application/vnd.oci.image.index.v1+json" in headers["Accept"]
        return INDEX
    assert url == BUNDLE_URL
    return BUNDLE


def test_base_and_certificates_are_pinned_by_their_digests() -> None:
    """Of now; another run changes nothing, and after a change each gets its new one."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    pinned = with_pins(dockerfile, docker_hub)
    index, bundle = (hashlib.sha256(content).hexdigest() for content in (INDEX, BUNDLE))
    assert f"\nARG BASE=python:3.11-slim-bookworm@sha256:{index}\n" in pinned
    assert f"\nARG BUNDLE_SHA256={bundle}\n" in pinned
    assert with_pins(pinned, docker_hub) == pinned
    renewed = with_pins(pinned, lambda url, headers: docker_hub(url, headers) + b" ")
    assert len(renewed) == len(pinned)
    assert renewed != pinned


def test_the_dockerfile_has_a_place_for_each_pin() -> None:
    """One of each, and the certificates are compared with theirs after they were fetched."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert len(BASE.findall(dockerfile)) == len(BUNDLE_PIN.findall(dockerfile)) == 1
    fetched = dockerfile.index(BUNDLE_URL)
    assert dockerfile.index("ARG BUNDLE_SHA256=") < fetched < dockerfile.index("sha256sum --check")


def test_without_a_registry_the_pins_stay(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one sentence, and a code that `make lock` ends with."""

    def away(url: str, headers: Mapping[str, str]) -> bytes:
        raise OSError(f"{url} is away")

    before = (ROOT / "Dockerfile").read_text()
    monkeypatch.setattr("sys.argv", ["image_pins"])
    monkeypatch.setattr(image_pins, "fetched", away)
    assert image_pins.main() == 1
    assert "its pins stay as they are" in capsys.readouterr().err
    assert (ROOT / "Dockerfile").read_text() == before
