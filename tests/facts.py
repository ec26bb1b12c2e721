"""Facts about AWS that an emulator is declared to fake: their tests have to fail as declared."""

from collections.abc import Generator

import pytest

from tests.conftest import EMULATOR
from verification.testkit.emulators import FAKED, Fake


def fake_of(item: pytest.Item) -> Fake | None:
    """What the engine under test is declared to do instead; memory fakes nothing."""
    is_in_memory = hasattr(item, "callspec") and "memory" in item.callspec.params.values()
    emulator = item.config.stash.get(EMULATOR, None)
    fact = FAKED.get(getattr(item, "originalname", item.name).removeprefix("test_"))
    return fact.faked.get(emulator) if fact and emulator and not is_in_memory else None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A declared fake has to fail as declared: the table cannot go stale."""
    fake = fake_of(pyfuncitem)
    try:
        result = yield
    except (Exception, pytest.fail.Exception) as error:
        if fake is None or fake.shows not in str(error):
            raise
        pytest.xfail(fake.instead)
    if fake is not None:
        pytest.fail(f"declared as faked, and true by now: {fake.instead}", pytrace=False)
    return result
