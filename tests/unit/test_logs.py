"""Logs: one JSON object a line, bound to what is going on, and never a bank detail."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from runtime import logs

SECRETS = ["12345678", "123456", "1234567890", "12-34-56"]


@pytest.fixture
def _restored() -> Iterator[None]:
    """Logging as it was, once a test has configured it."""
    root = logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**before)


pytestmark = pytest.mark.usefixtures("_restored")


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    """Event, level, time, process and what is bound."""
    logs.configure(process="stock-consumer")
    with structlog.contextvars.bound_contextvars(correlationId="c", eventId="e"):
        structlog.get_logger("somewhere").info("handled", count=3)
    (line,) = written(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "handled",
        "level": "info",
        "logger": "somewhere",
        "process": "stock-consumer",
        "correlationId": "c",
        "eventId": "e",
        "count": 3,
    }


def test_other_peoples_records_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The standard library's loggers, uvicorn's among them, with their arguments and context."""
    logs.configure(process="stock-api")
    with structlog.contextvars.bound_contextvars(correlationId="c"):
        logging.getLogger("uvicorn.error").error("[Errno %d] %s", 98, "address in use")
        logging.getLogger("uvicorn.error").info("Started server process")
    (line,) = written(capsys)
    assert line["event"] == "[Errno 98] address in use"
    assert (line["level"], line["process"], line["correlationId"]) == ("error", "stock-api", "c")


def test_an_exception_is_one_line_without_bank_details(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback is a field, and masked like any other text."""
    logs.configure(process="x")
    try:
        int("account 12345678 at 12-34-56")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = written(capsys)
    assert (
        "ValueError: invalid literal for int() with base 10: 'account *** at ***'"
        in (line["exception"])
    )


def test_the_level_is_a_floor(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below it is not written."""
    logs.configure(level="WARNING", process="x")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in written(capsys)] == ["loud"]


def test_the_console_form_is_for_people_and_masked(capsys: pytest.CaptureFixture[str]) -> None:
    """No JSON, no colours, no bank details."""
    logs.configure(form="console", process="x")
    structlog.get_logger().info("opened", accountNumber="12345678", text="account 12345678.")
    out = capsys.readouterr().out
    assert "opened" in out
    assert "12345678" not in out
    assert "\x1b" not in out


class Gone(io.StringIO):
    """The stdout of a process whose reader has left."""

    def flush(self) -> None:
        raise BrokenPipeError


class Nameless:
    """What has no text."""

    def __str__(self) -> str:
        raise LookupError


def test_a_line_that_cannot_be_written_fails_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nothing reads it, or it cannot be rendered: who logs goes on, and stderr says so."""
    logs.configure(process="x")
    structlog.get_logger().info("lost", value=Nameless())
    monkeypatch.setattr("sys.stdout", Gone())
    structlog.get_logger().info("lost")
    said = capsys.readouterr().err.splitlines()
    assert said == ["a log line was lost: LookupError", "a log line was lost: BrokenPipeError"]


json_values = st.recursive(
    st.sampled_from([*SECRETS, "harmless", 3, None, True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "accountNumber", "account_sort_code"]), inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["detail", "accountName", "event"]), json_values))
def test_bank_details_are_masked_at_any_depth(event: dict[str, Any]) -> None:
    """Under their own names, inside lists and dicts, and as plain texts."""
    text = json.dumps(logs.redact(None, "info", dict(event)))
    assert not any(secret in text for secret in SECRETS)


def test_names_and_numbers_are_masked_by_their_key() -> None:
    """A name looks like any text: its key tells, in either spelling."""
    event = {"accountName": "A Lovelace", "account_number": 12345678, "stock": 24}
    assert logs.redact(None, "info", dict(event)) == {
        "accountName": "***",
        "account_number": "***",
        "stock": 24,
    }
