"""An issuer's public keys (a JSON Web Key Set, RFC 7517), kept while the issuer is away.

Not PyJWT's PyJWKClient: it fetches while a request waits, and once its cache has expired and the
issuer is away, it refuses the keys that it knew.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import httpx
import structlog
from jwt import PyJWK, PyJWKSet

from runtime.errors import Unavailable
from runtime.retry import backoff

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 300.0
"""Between two refreshes: a key that the issuer withdraws is valid for so long."""

STALE_SECONDS = 24 * 3600.0
"""How long keys are kept while the issuer is away."""

UNKNOWN_KEY_SECONDS = 30.0
"""At most one refresh in this time for tokens that name unknown keys: any client can send them."""

LONGEST_RETRY_SECONDS = 30.0
"""Between two refreshes while the issuer is away."""

FETCH_SECONDS = 2.0
MAX_KEY_SET_BYTES = 256 * 1024
"""A set of keys takes some 2 KB."""

Keys = Mapping[str, PyJWK]
"""By `kid`."""


class KeySet:
    """The keys, refreshed by a thread. Only a request that names an unknown key waits for it.

    `fetch` returns the keys, or raises any error; `clock` is monotonic, in seconds.
    """

    def __init__(
        self, fetch: Callable[[], Keys], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._keys: Keys = {}
        self._fetched: float | None = None
        self._failures = 0
        self._reason = "no answer yet"
        self._asked_for: float | None = None
        self._awaited: Future[None] | None = None

    def start(self) -> None:
        """Begin to refresh in the background, at once."""
        threading.Thread(target=self._run, name="jwks", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def check(self) -> None:
        """Raise Unavailable before the first key, and once the keys are too old."""
        self._held()

    async def find(self, kid: str) -> PyJWK | None:
        """Find a key, asking the issuer again for one that is unknown. Raises Unavailable."""
        key = self._held().get(kid)
        if key is None and (awaited := self._ask()) is not None:
            await asyncio.wait([asyncio.wrap_future(awaited)], timeout=FETCH_SECONDS)
            key = self._held().get(kid)
        return key

    def refresh(self) -> None:
        """Fetch the keys; those that are held stay where that fails."""
        awaited = self._awaited
        try:
            self._keys, self._fetched, self._failures = self._fetch(), self._clock(), 0
        except Exception as error:  # noqa: BLE001 (whatever it is, the next refresh must come)
            self._failures += 1
            self._reason = type(error).__name__
            log.warning("the issuer's keys were not refreshed", reason=str(error))
        with self._lock:
            if awaited is not None:
                awaited.set_result(None)
            if self._awaited is awaited:  # else it was asked for while this one was under way
                self._awaited = None

    def _held(self) -> Keys:
        if self._fetched is None:
            raise Unavailable("the issuer of tokens", f"there are no keys yet ({self._reason})")
        if self._clock() - self._fetched > STALE_SECONDS:
            raise Unavailable("the issuer of tokens", f"its keys are too old ({self._reason})")
        return self._keys

    def _ask(self) -> "Future[None] | None":
        """Ask for a refresh, unless one was too recently; return what to wait for, if anything."""
        with self._lock:
            now = self._clock()
            if self._asked_for is None or now - self._asked_for >= UNKNOWN_KEY_SECONDS:
                self._asked_for, self._awaited = now, Future()
                self._wake.set()
            return self._awaited

    def _run(self) -> None:
        while not self._stopped:
            self.refresh()
            self._wake.wait(self._pause())
            self._wake.clear()

    def _pause(self) -> float:
        if not self._failures:
            return REFRESH_SECONDS
        return backoff(self._failures, first=0.5, longest=LONGEST_RETRY_SECONDS)


def fetch_keys(url: str, algorithms: frozenset[str]) -> Keys:
    """Fetch the keys for these algorithms within FETCH_SECONDS.

    A key without a `kid`, for encryption, too short or for another algorithm is left out. Raises
    httpx.HTTPError, jwt.PyJWTError or ValueError.
    """
    with httpx.stream("GET", url, timeout=FETCH_SECONDS) as response:
        response.raise_for_status()
        found = PyJWKSet.from_json(_text(response)).keys
    usable = {key.key_id: key for key in found if key.key_id and _is_usable(key, algorithms)}
    if not usable:
        raise ValueError(f"no key for {' or '.join(sorted(algorithms))} with a kid is in the set")
    return usable


def _text(response: httpx.Response) -> str:
    """Read the body; raises ValueError for one that is too long or too slow."""
    deadline = time.monotonic() + FETCH_SECONDS
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_KEY_SET_BYTES or time.monotonic() > deadline:
            raise ValueError(f"the set takes over {MAX_KEY_SET_BYTES} bytes or {FETCH_SECONDS:g} s")
    return body.decode()


def _is_usable(key: PyJWK, algorithms: frozenset[str]) -> bool:
    return (
        key.algorithm_name in algorithms
        and key.public_key_use in {None, "sig"}
        and not key.Algorithm.check_key_length(key.key)
    )
