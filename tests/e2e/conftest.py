"""One system for all tests, which leave it at work.

`pytest tests/e2e --system=compose` runs the same tests against `docker compose up`.
"""

import signal
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.compose_system import ComposeSystem
from tests.e2e.local_system import LocalSystem
from tests.e2e.world import System, World
from verification.testkit.ports import settings_on_free_ports

HERE = Path(__file__).parent
CONTAINERS_TAKE = 900
"""Seconds for one test with its fixtures: the first one may build the image."""

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


@pytest.fixture(scope="session")
def running(
    request: pytest.FixtureRequest,
    sample_credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """The system, at work, and left as it was found."""
    folder = tmp_path_factory.mktemp("system")
    is_composed = request.config.getoption("--system") == "compose"
    with settings_on_free_ports(folder) as settings:
        system = ComposeSystem(settings) if is_composed else LocalSystem(settings)
        with at_work(system) as world:
            yield world


@contextmanager
def local(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[World]:
    with (
        settings_on_free_ports(folder) as settings,
        at_work(LocalSystem(settings, environment)) as world,
    ):
        yield world


@contextmanager
def at_work(system: System) -> Iterator[World]:
    try:
        system.start()  # an error of which has notes of its own
        with httpx.Client(timeout=30, trust_env=False) as http:
            try:
                yield World(system, http)
            except BaseException as error:
                error.add_note(system.logs())
                raise
    finally:
        system.remove()
