"""Credentials that change while a process runs: when they are read again, and from where.

botocore reads static keys of a profile once, and what `credential_process` gives without an
`Expiration` too. Here both are read again when a profile file changed or AWS refused the keys.
What expires by its own account (SSO, roles, containers) botocore refreshes; where that fails the
call fails, and the next call tries again.
"""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, cast

import botocore.session
import structlog
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    NoCredentialsError,
)

from runtime.aws_failures import CODES
from runtime.verdicts import Family

log = structlog.get_logger(__name__)

CREDENTIALS_CHECK_INTERVAL = 5.0
"""Seconds between two looks for other keys while they are refused or cannot be had.

`credential_process` starts a program, and SSO asks AWS."""

CREDENTIAL_ERRORS = frozenset[str]().union(
    *(CODES[family] for family in (Family.CREDENTIALS, Family.EXPIRED, Family.CLOCK))
)
"""A secret that does not belong to its key looks like a wrong clock, and the other way round."""


def session_of(region: str, profile: str | None) -> "tuple[Current, botocore.session.Session]":
    """Make a session whose clients sign with what is current at each call.

    A refused call is sent once more, if there are other credentials by then.
    """
    session = _session(region, profile)
    files = (session.get_config_variable(name) for name in ("credentials_file", "config_file"))
    current = Current(
        lambda: _session(region, profile).get_credentials(),
        tuple(Path(os.path.expandvars(each)).expanduser() for each in files if each),
    )
    for chatty in ("botocore.credentials", "botocore.tokens"):
        # They write a traceback beside each error that they raise, and the caller says it.
        logging.getLogger(chatty).setLevel(logging.ERROR)
    session.register_component("credential_provider", current)
    session.register("needs-retry", cast("Any", current.retries))  # botocore reads what it returns
    return current, session


def _session(region: str, profile: str | None) -> botocore.session.Session:
    session = botocore.session.Session(profile=profile)
    session.set_config_variable("region", region)
    return session


class Current:
    """What a botocore session takes for its credential provider, and for the credentials.

    `find` goes through botocore's whole chain, from the beginning; `files` are looked at before
    each call. What cannot be used yet, as from a file that is being written, replaces nothing.
    """

    method = "current"

    def __init__(self, find: Callable[[], Credentials | None], files: tuple[Path, ...]) -> None:
        self._find, self._files = find, [str(file) for file in files]
        self._lock = threading.Lock()
        self._found: Credentials | None = None
        self._trouble: BotoCoreError | None = None
        self._seen: object = None
        self._look_at = 0.0
        self._signed = threading.local()  # a call is signed and answered in one thread

    def load_credentials(self) -> "Current":
        return self

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Raise a BotoCoreError where there are none, or where they cannot be refreshed."""
        with self._lock:
            if self._stamps() != self._seen or (self._trouble and monotonic() >= self._look_at):
                self._look()
            found = self._found
            if found is None:
                raise (self._trouble or NoCredentialsError()).with_traceback(None)
        self._signed.by = frozen = _frozen(found)
        return frozen

    def get_deferred_property(self, name: str) -> Callable[[], str | None]:
        return lambda: getattr(self.get_frozen_credentials(), name)

    def retries(self, response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> int | None:
        """Answer botocore's question after a call: 0 to send it again at once, signed again."""
        code = None if response is None else response[1].get("Error", {}).get("Code")
        return 0 if code in CREDENTIAL_ERRORS and self.has_others() else None

    def has_others(self) -> bool:
        """Look for others than those that this thread signed with last: they were refused."""
        refused: ReadOnlyCredentials = self._signed.by
        with self._lock:
            if monotonic() >= self._look_at:
                self._look_at = monotonic() + CREDENTIALS_CHECK_INTERVAL
                self._look()
        try:
            return self.get_frozen_credentials() != refused
        except BotoCoreError:
            return False

    def _look(self) -> None:
        self._seen = self._stamps()
        try:
            found = self._find()
            if found is None:
                raise NoCredentialsError  # noqa: TRY301 (one way out for all that cannot be used)
            _frozen(found)
        except Exception as error:  # noqa: BLE001 (raised again where there are no others)
            self._trouble = _as_botocores(error)
            self._look_at = monotonic() + CREDENTIALS_CHECK_INTERVAL
            self._trouble.__cause__ = None if self._trouble is error else error
            if self._found is not None:
                log.warning("credentials stay as they are", reason=str(self._trouble))
        else:
            self._found, self._trouble = found, None

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(each) for each in self._files]


def _frozen(found: Credentials) -> ReadOnlyCredentials:
    """Raise only what botocore's errors are: `reaching` takes those for an outage."""
    try:
        return found.get_frozen_credentials()
    except Exception as error:
        raise _as_botocores(error) from error


def _as_botocores(error: Exception) -> BotoCoreError:
    if isinstance(error, BotoCoreError):
        return error
    why = f"{type(error).__name__}: {error}"
    return CredentialRetrievalError(provider="the credentials' source", error_msg=why)


def _stamp(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 (of a Path it takes twice as long, in each call)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
