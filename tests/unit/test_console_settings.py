"""What the console takes from the environment, and what it refuses."""

import pytest

from console.settings import ConsoleSettings
from runtime.errors import Misconfigured
from runtime.settings import is_loopback, load


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    for name in ("CONSOLE_HOST", "CONSOLE_ALLOWED_HOSTS", "CONSOLE_NAME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_it_listens_on_loopback_unless_told_otherwise(environment: pytest.MonkeyPatch) -> None:
    """Nobody opens it to a network by forgetting something."""
    settings = load(ConsoleSettings)
    assert (settings.console_host, settings.console_port) == ("127.0.0.1", 8000)


def test_another_address_needs_names_to_answer_to(environment: pytest.MonkeyPatch) -> None:
    """The error says what is at stake and how to mend it."""
    environment.setenv("CONSOLE_HOST", "0.0.0.0")
    with pytest.raises(Misconfigured, match="CONSOLE_ALLOWED_HOSTS"):
        load(ConsoleSettings)

    environment.setenv("CONSOLE_ALLOWED_HOSTS", "Console.example, box")
    assert load(ConsoleSettings).allowed_hosts == {"console.example", "box"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_what_no_other_machine_reaches(host: str, expected: bool) -> None:
    """A name that merely looks like it is none."""
    assert is_loopback(host) is expected


def test_a_name_that_no_queue_could_carry_is_refused(environment: pytest.MonkeyPatch) -> None:
    """The name is part of a queue's and of a rule's."""
    environment.setenv("CONSOLE_NAME", "a name")
    with pytest.raises(Misconfigured, match="CONSOLE_NAME"):
        load(ConsoleSettings)
