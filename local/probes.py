"""Asks a process of this machine how it is, and an emulator of what kind it is."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import httpx

from infra.local_system.ports import LOOPBACK, is_listening
from local.process import Process

HEALTH_WITHIN = 5.0
"""Seconds for one answer about a process's health: it asks its database, on a busy machine."""

MOST_OF_AN_ANSWER = 120
"""Characters of it that a line about waiting has room for."""


Emulator = Literal["MiniStack", "LocalStack"]
"""The kinds of emulator that this system is held against: docs/reference/emulators.md."""

EMULATORS: dict[Emulator, str] = {
    "MiniStack": "/_ministack/health",  # first: it answers for LocalStack's path as well
    "LocalStack": "/_localstack/health",
}
"""By kind, what only that kind answers with success."""


@dataclass(frozen=True)
class Health:
    """What a process answered when it was asked whether it is ready."""

    is_ready: bool
    text: str = "no answer yet"


def health_of(process: Process) -> Health:
    """Ask for `ready_path`, or look whether the port listens where there is none."""
    if process.ready_path is None:
        return Health(is_listening(process.port))
    answer = ask(f"http://{LOOPBACK}:{process.port}{process.ready_path}", within=HEALTH_WITHIN)
    if answer is None:
        return Health(is_ready=False)
    said = f"{answer.status_code} {' '.join(answer.text.split())}"
    return Health(answer.status_code == httpx.codes.OK, said[:MOST_OF_AN_ANSWER].rstrip())


def ask(url: str, *, within: float = 2) -> httpx.Response | None:
    """Send GET; the answer, or None where there is none `within` seconds."""
    try:
        return _client().get(url, timeout=within)
    except httpx.TransportError:
        return None


def answers(url: str) -> bool:
    """Whether a server answers there with success."""
    answer = ask(url)
    return answer is not None and answer.is_success


def emulator_at(endpoint: str) -> Emulator | None:
    """Of what kind the emulator at an address is; None for one that we do not know, or none."""
    address = endpoint.rstrip("/")
    return next((kind for kind, path in EMULATORS.items() if answers(address + path)), None)


@cache
def _client() -> httpx.Client:
    """One for all: each loads the certificates, which takes 30 ms; and no connection stays."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
