"""One system for all tests, which leave it at work.

`pytest tests/e2e --system=compose` runs the same tests against `docker compose up`.
"""

import signal
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.local_system.auth import client_tokens
from tests.conftest import MINISTACK
from tests.e2e.compose_system import ComposeSystem
from tests.e2e.local_system import LocalSystem
from tests.e2e.world import System, World
from tests.facts import pytest_pyfunc_call  # noqa: F401  (a hook: facts about AWS that are faked)
from verification.testkit.ports import settings_on_free_ports

HERE = Path(__file__).parent
CONTAINERS_TAKE = 900
"""Seconds for one test with its fixtures: the first one may build the image."""

TOKEN_SECONDS = 10
"""So short that a test outlives one, and so long that a request on a busy machine does not."""

PROCESSES_TAKE = 400
"""The same for fourteen processes that start at once on a busy machine."""


def pytest_configure(config: pytest.Config) -> None:
    """CI ends a run with SIGTERM, too, and containers do not go away by themselves."""
    if config.getoption("--system") == "compose":
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    in_compose = config.getoption("--system") == "compose"
    for item in items:
        if item.path.is_relative_to(HERE):
            seconds = CONTAINERS_TAKE if in_compose else PROCESSES_TAKE
            item.add_marker(pytest.mark.timeout(seconds))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What takes `either` system runs with both, unless both would share an emulator."""
    if "either" in metafunc.fixturenames:
        option = metafunc.config.getoption
        is_shared = option("--system") == "compose" or option("--aws") != MINISTACK
        alone = option("--auth") or is_shared
        names = ["running"] if alone else ["running", "enforced"]
        metafunc.parametrize("either", names, indirect=True, scope="package")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the processes said last is beside a failure: after the run it is gone."""
    report = yield
    for value in getattr(item, "funcargs", {}).values() if report.failed else ():
        if isinstance(value, World):
            report.sections.append(("the system's last lines", value.system.logs()))
    return report


# Of the package, not of the session: a system that idles takes a tenth of a core.
@pytest.fixture(scope="package")
def running(
    request: pytest.FixtureRequest,
    sample_credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """The system, at work, and left as it was found; with --auth it requires tokens."""
    folder = tmp_path_factory.mktemp("system")
    option = request.config.getoption
    is_composed, changes = option("--system") == "compose", {"auth": option("--auth")}
    if option("--aws") != MINISTACK:
        changes["emulator_url"] = request.getfixturevalue("emulator").endpoint
    with settings_on_free_ports(folder) as on_free_ports:
        settings = on_free_ports.model_copy(update=changes)
        system = ComposeSystem(settings) if is_composed else LocalSystem(settings)
        with at_work(system) as world:
            yield world


@pytest.fixture(scope="package")
def enforced(sample_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A system that requires tokens, to the second of their ends; it is for several tests."""
    folder, exact = tmp_path_factory.mktemp("enforced"), {"AUTH_LEEWAY_SECONDS": "0"}
    with local(folder, exact, auth=True, issuer_token_seconds=TOKEN_SECONDS) as world:
        yield world


@pytest.fixture(scope="package")
def either(request: pytest.FixtureRequest) -> World:
    """A system that is open, and one that requires tokens."""
    world: World = request.getfixturevalue(request.param)
    return world


@contextmanager
def local(
    folder: Path, environment: Mapping[str, str] | None = None, **settings: object
) -> Iterator[World]:
    """A system of processes, whose settings are the usual ones but for these."""
    with settings_on_free_ports(folder) as on_free_ports:
        changed = on_free_ports.model_copy(update=settings)
        with at_work(LocalSystem(changed, environment)) as world:
            yield world


@contextmanager
def at_work(system: System) -> Iterator[World]:
    try:
        system.start()  # an error of which has notes of its own
        tokens = client_tokens("demo", system.settings)
        with httpx.Client(auth=tokens, timeout=30, trust_env=False) as http:
            try:
                yield World(system, http)
            except BaseException as error:
                error.add_note(system.logs())
                raise
    finally:
        system.remove()
