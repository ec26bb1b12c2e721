"""Credentials of now: what is taken up, what is kept, and what is asked how often."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, NoCredentialsError, UnauthorizedSSOTokenError

from runtime.credentials import Current

REFUSED: Any = (None, {"Error": {"Code": "ExpiredToken"}})


class Source:
    """What botocore's chain would find; `found` may be changed, and `asked` counts."""

    def __init__(self, found: Credentials | Exception | None) -> None:
        self.found, self.asked = found, 0

    def __call__(self) -> Credentials | None:
        self.asked += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "credentials"


def key(current: Current) -> str | None:
    return current.get_frozen_credentials().access_key


def a_key(name: str) -> Credentials:
    return Credentials(name, "secret")


def signing(file: Path) -> tuple[Source, Current]:
    """A source, and what has signed a call with its key by now."""
    source = Source(a_key("one"))
    current = Current(source, (file,))
    assert key(current) == "one"
    return source, current


def refreshing(refresh: Callable[[], Any]) -> RefreshableCredentials:
    """Temporary credentials that are over, and are refreshed by this."""
    over = datetime.now(UTC) - timedelta(seconds=1)
    return RefreshableCredentials("over", "secret", "token", over, refresh, "test")


def test_a_source_is_asked_once_while_nothing_changes(file: Path) -> None:
    """Signing a call costs no program, no request and no parser."""
    source = Source(a_key("one"))
    current = Current(source, (file,))
    assert {key(current) for _ in range(5)} == {"one"}
    assert source.asked == 1


def test_a_file_that_changes_comes_or_goes_is_read_with_the_next_call(file: Path) -> None:
    """Whichever of its profiles changed."""
    source = Source(a_key("0"))
    current = Current(source, (file,))
    assert key(current) == "0"
    changes: tuple[Callable[[], object], ...] = (
        file.touch,
        lambda: file.write_text("x"),
        file.unlink,
    )
    for number, change in enumerate(changes, 1):
        source.found = a_key(str(number))
        change()
        assert key(current) == str(number)
    assert source.asked == 4


@pytest.mark.parametrize(
    "nothing",
    [None, OSError("gone"), ValueError("no JSON"), UnauthorizedSSOTokenError()],
    ids=repr,
)
def test_what_cannot_be_used_replaces_nothing(file: Path, nothing: Exception | None) -> None:
    """A file that is being written, a program that fails: the last keys may be good for hours."""
    source, current = signing(file)
    source.found = nothing
    file.touch()
    assert key(current) == "one"


def test_what_cannot_be_refreshed_replaces_nothing(file: Path) -> None:
    """An SSO session that ended, and a profile that was edited: the role's keys are still good."""

    def refuse() -> Any:
        raise UnauthorizedSSOTokenError

    source, current = signing(file)
    source.found = refreshing(refuse)
    file.touch()
    assert key(current) == "one"


@pytest.mark.parametrize("nothing", [None, OSError("gone"), RuntimeError("over")], ids=repr)
def test_without_any_it_is_always_an_error_of_botocores(
    file: Path, nothing: Exception | None
) -> None:
    """`reaching` takes those for an outage; the source is not asked for each of many calls."""
    source = Source(nothing)
    current = Current(source, (file,))
    for _ in range(3):
        with pytest.raises(BotoCoreError) as raised:
            current.get_frozen_credentials()
        assert isinstance(raised.value, NoCredentialsError) == (nothing is None)
    assert source.asked == 1


def test_credentials_that_are_over_when_they_are_fresh_are_an_outage(file: Path) -> None:
    """botocore raises a RuntimeError, which would take a good message for a bad one."""
    over = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    fresh = {"access_key": "a", "secret_key": "b", "token": "c", "expiry_time": over}
    current = Current(Source(refreshing(lambda: fresh)), (file,))
    with pytest.raises(BotoCoreError, match="still expired"):
        current.get_frozen_credentials()


def test_a_refused_call_is_sent_again_only_with_another_key(file: Path) -> None:
    """And the source is asked for one at most every few seconds."""
    source, current = signing(file)
    assert [current.retries(REFUSED) for _ in range(5)] == [None] * 5
    assert source.asked == 2
    source.found = a_key("two")
    file.touch()
    assert current.retries(REFUSED) == 0


@pytest.mark.parametrize(
    "answer", [None, (None, {}), (None, {"Error": {"Code": "AccessDenied"}})], ids=repr
)
def test_another_answer_is_botocores_to_retry(file: Path, answer: Any) -> None:
    """An outage says nothing of the keys."""
    source, current = signing(file)
    assert current.retries(answer) is None
    assert source.asked == 1


def test_calls_that_were_refused_together_all_go_again(file: Path) -> None:
    """One of their threads asks the source; each compares with what it signed with itself."""
    source = Source(a_key("one"))
    current, signed = Current(source, (file,)), threading.Barrier(8)

    def call(_: int) -> int | None:
        key(current)
        signed.wait(10)
        source.found = a_key("two")
        return current.retries(REFUSED)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(call, range(8))) == [0] * 8
    assert source.asked == 2
