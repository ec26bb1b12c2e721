"""What tests share: the engines, started on first use and on free ports, and synthesized stages."""

import argparse
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import hypothesis
import pytest
import structlog
from pydantic import TypeAdapter, ValidationError

from infra.local import refuse_aws
from infra.local_system import addresses
from infra.local_system.environment import REGION
from local.isolation import COLLECTOR, isolate
from local.probes import Emulator, ask, emulator_at
from local.replica_set import ensure_replica_set
from runtime.errors import Misconfigured
from runtime.settings import Address
from tests.dynamodb_local import DynamoDBLocal, running_dynamodb_local
from tests.localstack import running_localstack
from tests.missing_tools import CATEGORY, missing_of, summary
from tests.shared_engines import died, shared_engine
from tests.synthesis import Synthesize, synthesized_once
from verification.testkit import engines
from verification.testkit.launcher import COVERAGE

# A busy machine makes an example slow, which says nothing about what is tested.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


MINISTACK, LOCALSTACK = "ministack", "localstack"

EMULATOR = pytest.StashKey[Emulator | None]()
"""Of what kind the engine of `--aws` is, once it runs."""


def aws_engine(named: str) -> str:
    """Read `--aws`: a name, or the address of an emulator that runs already."""
    if named in {MINISTACK, LOCALSTACK}:
        return named
    try:
        address = TypeAdapter(Address).validate_python(named).rstrip("/")
        refuse_aws(address)
    except (ValidationError, Misconfigured) as error:
        raise argparse.ArgumentTypeError(
            f"{named} is neither {MINISTACK} nor {LOCALSTACK}, nor an emulator's address such as"
            " http://127.0.0.1:4566"
        ) from error
    return address


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--system",
        choices=("local", "compose"),
        default="local",
        help="what the end-to-end tests run against: processes of this machine, or containers",
    )
    parser.addoption(
        "--auth",
        action="store_true",
        help="run them against a system whose APIs require tokens; else some of them are",
    )
    parser.addoption(
        "--aws",
        type=aws_engine,
        default=MINISTACK,
        help="the engine that facts about AWS and lifecycles are held against: ministack,"
        " localstack, or the address of one that runs",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("begins_first") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """An engine that died takes many tests with it: each failure says so."""
    report = yield
    if report.failed:
        report.sections += [("an engine died", words) for words in died(item.config)]
    return report


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, str] | None:
    """What wants a missing tool is counted by itself, and not listed test by test."""
    return (CATEGORY, "s", "SKIPPED") if missing_of(report) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, at the end, which tools are missing and how to install them."""
    if lines := summary(terminalreporter.stats.get(CATEGORY, [])):
        terminalreporter.section("missing tools")
        for line in lines:
            terminalreporter.write_line(line)


@dataclass(frozen=True)
class MiniStack:
    endpoint: str
    region: str = REGION


@pytest.fixture(scope="session", autouse=True)
def sample_credentials() -> Iterator[None]:
    """Sample AWS credentials, no look-up of real ones, and no setting of the shell's anywhere."""
    isolated = dict(os.environ)
    isolate(isolated)
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - isolated.keys():
            patch.delenv(name)
        if isolated.pop(COLLECTOR, None) is not None:  # it gets no spans of tests
            patch.delenv(COLLECTOR)
        for name, value in isolated.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def unmeasured_engines() -> Iterator[None]:
    """Coverage measures what the launcher starts, and slows no emulator down."""
    with pytest.MonkeyPatch.context() as patch:
        for name in COVERAGE:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def service_models_are_read_once() -> Iterator[None]:
    """Each AWS of a test has clients of its own: botocore would parse its models for each anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_logger_is_kept() -> Iterator[None]:
    """A logger that is first used while a test has configured logs does not stay as it is then."""
    configure = structlog.configure

    def configured(**how: Any) -> None:
        configure(**how | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", configured)
        yield


@pytest.fixture(autouse=True)
def logs_go_to_pytest(no_logger_is_kept: None) -> None:
    """Hand what we log in this process to pytest, which shows it where a test fails.

    For each test anew: the one before may have run what configures a process's logs.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


@pytest.fixture(scope="session")
def ministack(
    sample_credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[MiniStack]:
    """An AWS emulator that every test of the session shares: name what you create uniquely."""
    with running_ministack(tmp_path_factory.mktemp("ministack"), pytestconfig) as started:
        yield started


@pytest.fixture(scope="session")
def emulator(
    request: pytest.FixtureRequest,
    sample_credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[MiniStack]:
    """The AWS emulator that --aws names, shared by the session; the stash has of what kind it is.

    One at an address of its own has no name: it is asked.
    """
    named = pytestconfig.getoption("--aws")
    with ExitStack() as stack:
        if named == MINISTACK:
            started: MiniStack = request.getfixturevalue("ministack")
        elif named == LOCALSTACK:
            folder = tmp_path_factory.mktemp("localstack")
            started = MiniStack(stack.enter_context(running_localstack(folder, pytestconfig)))
        else:
            if ask(named) is None:
                pytest.exit(
                    f"no emulator answers at {named}", returncode=pytest.ExitCode.USAGE_ERROR
                )
            started = MiniStack(named)
        pytestconfig.stash[EMULATOR] = emulator_at(started.endpoint)
        yield started


@contextmanager
def running_ministack(state: Path, config: pytest.Config) -> Iterator[MiniStack]:
    """An AWS emulator for as long as the block lasts, with its state and its log in a folder."""
    with engines.running_ministack(state, run=partial(shared_engine, config)) as endpoint:
        yield MiniStack(endpoint)


@pytest.fixture(scope="session")
def dynamodb_local(
    sample_credentials: None,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[DynamoDBLocal]:
    """AWS's own DynamoDB for one machine, shared by the session: use a region of your own."""
    folder = tmp_path_factory.mktemp("dynamodb-local")
    with running_dynamodb_local(folder, pytestconfig) as started:
        yield started


@pytest.fixture(scope="session")
def mongodb_uri(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[str]:
    """The URI of a replica set of one, shared by the session: use a database of your own."""
    state = tmp_path_factory.mktemp("mongod")
    with engines.running_mongod(state, run=partial(shared_engine, pytestconfig)) as port:
        uri = addresses.mongodb_uri(port)
        ensure_replica_set(uri)
        yield uri


@pytest.fixture(scope="session")
def synthesized(sample_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """The stages of cdk.json by name, each synthesized once for all of pytest's workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return cache(partial(synthesized_once, folder))
