"""MiniStack and mongod on free ports, and everything of the topology in them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from infra.local_system.addresses import mongodb_uri
from infra.local_system.auth import AUDIENCE, JWKS_PATH, TOKEN_PATH, secret_file
from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local.child import running_child, wait_until_listening
from local.engines import ministack_process, mongod_process
from local.process import Process
from local.provision import provision_aws, provision_documentdb
from runtime.aws import CachingAws
from runtime.http.client_credentials import ClientCredentials, OAuthClient
from runtime.settings import ProcessSettings
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.ports import reserved_ports

ENGINE_LISTENS_WITHIN = 60
"""Seconds until an engine listens; it takes 2, and a busy machine more."""


S = TypeVar("S", bound=ProcessSettings)


class RunEngine(Protocol):
    """How an engine is run: as `running_child` does."""

    def __call__(
        self, name: str, command: tuple[str, ...], *, log: Path, env: Mapping[str, str]
    ) -> AbstractContextManager["Popen[bytes]"]: ...


@contextmanager
def running_ministack(folder: Path, *, run: RunEngine = running_child) -> Iterator[str]:
    """An AWS emulator until the block ends, with its state and its log in a folder; its address."""
    with _running_engine("MiniStack", ministack_process, folder, run) as port:
        yield f"http://{LOOPBACK}:{port}"


def running_mongod(
    folder: Path, *options: str, run: RunEngine = running_child
) -> AbstractContextManager[int]:
    """A mongod that is no replica set yet, with its data and its log in a folder; its port."""
    return _running_engine("mongod", mongod_process, folder, run, *options)


@contextmanager
def _running_engine(
    name: str, make: Callable[[int, Path], Process], folder: Path, run: RunEngine, *options: str
) -> Iterator[int]:
    with reserved_ports(1) as (port,):
        engine, log = make(port, folder), folder / f"{name.lower()}.log"
        with run(name, (*engine.command, *options), env=engine.env, log=log) as child:
            wait_until_listening(port, timeout=ENGINE_LISTENS_WITHIN, what=name, child=child)
            yield port


@dataclass(frozen=True)
class Engines:
    """Where AWS and DocumentDB are, for processes of the system, and a folder for their logs.

    `tokens` are taken for what asks the APIs, which `api_settings` have require them.
    """

    endpoint: str
    mongodb_uri: str
    folder: Path
    region: str = REGION
    database: str = "payments"
    api_settings: Mapping[str, str] = field(default_factory=dict)
    tokens: ClientCredentials | None = None

    def environment(self, workload: str) -> dict[str, str]:
        """What that process needs, but for its port."""
        aws = {"AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint}
        mongo = {"MONGODB_URI": self.mongodb_uri, "MONGODB_DATABASE": self.database}
        found = workload_of(workload)
        api = self.api_settings if found.path else {}
        return {"LOG_LEVEL": "WARNING", **aws, **mongo, **api, **found.settings}

    def settings(self, kind: type[S], workload: str) -> S:
        """A workload's settings as `kind`, which knows some of the variables; nothing listens."""
        values: dict[str, Any] = {"http_port": 0, "health_port": 0}
        values |= {name.lower(): value for name, value in self.environment(workload).items()}
        return kind(**{name: value for name, value in values.items() if name in kind.model_fields})

    @contextmanager
    def running(
        self, workload: str, settings: Mapping[str, str] | None = None, *, root: Path = ROOT
    ) -> Iterator[LaunchedProcess]:
        """A process of the system, ready when the block begins; its code is that in `root`."""
        found = workload_of(workload)
        module, *command = found.command
        with running(
            self.folder,
            module,
            " ".join(command),
            {**self.environment(workload), **(settings or {})},
            port_name="HTTP_PORT" if found.path else "HEALTH_PORT",
            name=workload,
            is_measured=False,
            root=root,
        ) as process:
            process.until_ready()
            yield process

    @cached_property
    def aws(self) -> CachingAws:
        """Clients for the run itself, which waits longer than the system's processes do."""
        return CachingAws(region=self.region, endpoint_url=self.endpoint, read_timeout=60)


def workload_of(name: str) -> Workload:
    return next(each for each in WORKLOADS if each.name == name)


@contextmanager
def temporary_engines(prefix: str) -> Iterator[Engines]:
    """`running_engines` in a folder whose name begins so, and that goes when the block ends."""
    with TemporaryDirectory(prefix=prefix) as folder, running_engines(Path(folder)) as engines:
        yield engines


@contextmanager
def running_engines(folder: Path) -> Iterator[Engines]:
    """MiniStack and mongod, provisioned, until the block ends; what they log is in the folder."""
    with (
        running_mongod(folder / "mongod") as port,  # first: it may not be installed
        running_ministack(folder / "ministack") as endpoint,
    ):
        found = Engines(endpoint, mongodb_uri(port), folder)
        provision_documentdb(found.mongodb_uri, found.database)
        provision_aws(found.endpoint, region=found.region)
        yield found


@contextmanager
def requiring_tokens(engines: Engines) -> Iterator[Engines]:
    """Have the APIs that are started in the block require tokens, of an issuer that runs in it."""
    folder, url = engines.folder / "issuer", "http://issuer.local"
    settings = {"ISSUER_FOLDER": str(folder), "ISSUER_URL": url, "LOG_LEVEL": "WARNING"}
    with running(
        engines.folder, "local.issuer", "", settings, port_name="HTTP_PORT", is_measured=False
    ) as issuer:
        issuer.until_ready()
        yield replace(
            engines,
            api_settings={
                "AUTH": "required",
                "AUTH_ISSUER": url,
                "AUTH_AUDIENCE": AUDIENCE,
                "AUTH_JWKS_URL": issuer.url + JWKS_PATH,
            },
            tokens=ClientCredentials(
                OAuthClient(issuer.url + TOKEN_PATH, "staff", secret_file(folder, "staff"))
            ),
        )
