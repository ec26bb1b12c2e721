"""Asks a process of this machine how it is."""

from functools import cache

import httpx


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


@cache
def _client() -> httpx.Client:
    """One for all: each loads the certificates, which takes 30 ms; and no connection stays."""
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
