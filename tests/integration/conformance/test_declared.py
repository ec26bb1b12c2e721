"""The table of what emulators fake, and how a declared fake is taken."""

import ast
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.probes import EMULATORS, Emulator
from tests.conftest import EMULATOR, aws_engine
from tests.facts import fake_of, pytest_pyfunc_call
from verification.testkit.emulators import FAKED

HERE = Path(__file__).parent
FACT = "a_log_target_writes_each_event_as_one_line"
SHOWS = FAKED[FACT].faked["MiniStack"].shows


def an_item(emulator: Emulator | None, *, name: str = FACT, **more: Any) -> Any:
    """A test as pytest has it, of a run against an engine."""
    config = SimpleNamespace(stash={EMULATOR: emulator})
    return SimpleNamespace(name=f"test_{name}", config=config, **more)


def ends(item: Any, failure: BaseException | None) -> object:
    """Have a test fail or pass; raises what pytest then takes for its outcome."""
    hook: Generator[None, object, object] = pytest_pyfunc_call(item)
    next(hook)
    try:
        if failure is None:
            hook.send(True)
        else:
            hook.throw(failure)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("the hook goes on")


def test_every_fact_that_is_declared_as_faked_has_a_test() -> None:
    """Else nothing would hold the row."""
    files = [*HERE.glob("test_*.py"), *(HERE.parents[1] / "e2e").glob("test_*.py")]
    tests = {
        each.name.removeprefix("test_")
        for file in files
        for each in ast.parse(file.read_text()).body
        if isinstance(each, ast.FunctionDef)
    }
    assert FAKED.keys() <= tests
    assert {emulator for fact in FAKED.values() for emulator in fact.faked} == EMULATORS.keys()


def test_a_declared_fake_that_fails_as_declared_is_expected() -> None:
    """With what the engine does instead as the reason."""
    with pytest.raises(pytest.xfail.Exception, match=r"local\.tap does"):
        ends(an_item("MiniStack"), AssertionError(f"{SHOWS}\nassert []"))


def test_a_declared_fake_that_works_fails() -> None:
    """The table would be stale."""
    with pytest.raises(pytest.fail.Exception, match="declared as faked, and true by now"):
        ends(an_item("MiniStack"), None)


def test_a_declared_fake_that_fails_in_another_way_fails() -> None:
    """Whatever the reason is, it is not the declared one."""
    failure = AssertionError("something else")
    with pytest.raises(AssertionError, match="something else") as raised:
        ends(an_item("MiniStack"), failure)
    assert raised.value is failure


@pytest.mark.parametrize(
    "item",
    [
        an_item(None),  # an engine of a kind that we do not know
        an_item("LocalStack"),  # it is true there
        an_item("MiniStack", name="something_else"),
        an_item("MiniStack", callspec=SimpleNamespace(params={"fifo": "memory"})),
    ],
)
def test_what_is_not_declared_has_to_be_true(item: Any) -> None:
    """Of an engine that we do not know, nothing is declared: its run names each fact that fails."""
    assert fake_of(item) is None
    with pytest.raises(AssertionError, match=SHOWS):
        ends(item, AssertionError(SHOWS))
    assert ends(item, None) is True


@pytest.mark.parametrize(
    "named", ["mini", "127.0.0.1:4566", "https://events.eu-west-1.amazonaws.com"]
)
def test_an_engine_is_named_or_has_an_address(named: str) -> None:
    """AWS itself is none: the suite makes and leaves resources."""
    with pytest.raises(Exception, match="nor an emulator's address such as http://127"):
        aws_engine(named)
    assert aws_engine("http://127.0.0.1:4566/") == "http://127.0.0.1:4566"
    assert aws_engine("localstack") == "localstack"
