"""POST to an API, with the ways in which that fails as the operator's errors."""

import httpx

from operations.errors import NotTaken
from runtime.errors import Misconfigured, Unavailable

POST_TIMEOUT = 15.0
"""Seconds; an API waits a few for a database that is away, and then says so."""

AWAY_FROM = 500
"""Statuses from which on the same request may succeed later."""


def post(
    url: str,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
    auth: httpx.Auth | None = None,
) -> httpx.Response:
    """Send once. Raises Misconfigured for a bad URL, Unavailable, NotTaken for a refusal."""
    try:
        with httpx.Client(auth=auth, timeout=POST_TIMEOUT, trust_env=False) as http:
            answer = http.post(url, content=content, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Misconfigured(f"--url {url}: {error}") from None
    except httpx.HTTPError as error:
        raise Unavailable(url, str(error) or type(error).__name__) from None
    if answer.status_code >= AWAY_FROM:
        raise Unavailable(url, _detail(answer))
    if not answer.is_success:
        raise NotTaken(url, answer.status_code, _detail(answer))
    return answer


def _detail(answer: httpx.Response) -> str:
    """Read a problem's detail; another server may answer something else."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return answer.reason_phrase
