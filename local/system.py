"""The whole system on one machine: engines, then what they hold, then our processes."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from infra.local import refuse_aws
from infra.local_system.addresses import DATABASE, aws_endpoint, mongodb_uri
from infra.local_system.bank import make_secret, secret_file
from infra.local_system.settings import LocalSettings
from local.console import Console
from local.errors import AlreadyRunning, LocalError
from local.isolation import isolate
from local.process import Process
from local.process_table import engine_processes, our_processes
from local.provision import (
    CANNOT_PROVISION,
    about_unknown_emulator,
    provision_aws,
    provision_documentdb,
)
from local.supervisor import Supervisor
from runtime.paths import require_private_folder, require_writable_file
from runtime.process import tracing
from runtime.process.shutdown import Stop

CANNOT_START = (LocalError, *CANNOT_PROVISION)
"""Why the system may not come up: each carries a sentence for the person at the terminal."""


@contextmanager
def running_system(
    settings: LocalSettings,
    *,
    console: Console,
    stop: Stop | None = None,
    ours: Sequence[Process] | None = None,
    beside: Sequence[Process] = (),
) -> Iterator[Supervisor]:
    """Bring everything up, yield its supervisor when all is ready, and stop everything.

    Deaths are not watched for until `Supervisor.supervise` is called: a test that kills processes
    does without, or runs it in a thread. What would reach the processes by accident is taken out
    of this process's environment, with one line that says so.
    `ours` is the table of our processes, for who runs them otherwise than `make up`. Those in
    `beside` are started with them, and not waited for.
    Raises Misconfigured and what CANNOT_START lists; nothing is left running then.
    """
    isolate(os.environ, configured_by=LocalSettings, say=console.say)
    tracing.is_wanted(os.environ)  # raises where each process would
    stop = stop or Stop()
    ours = our_processes(settings) if ours is None else ours
    if settings.streamed_audit_file is not None:
        require_writable_file(settings.streamed_audit_file, "STREAMED_AUDIT_FILE")
    if settings.emulator_url:
        refuse_aws(settings.emulator_url, "EMULATOR_URL")
    with (
        only_one(settings.state_dir),
        Supervisor(
            [*(engines := engine_processes(settings)), *ours, *beside],
            console=console,
            stop=stop,
            restart_ours=settings.restart,
        ) as supervisor,
    ):
        supervisor.check_ports()
        make_secret(secret_file(settings))
        console.say(_starting(settings))
        supervisor.start(*(engine.name for engine in engines))
        with ThreadPoolExecutor(2) as pool, ending(stop):
            aws = pool.submit(_prepare_aws, supervisor, settings, console)
            mongodb = pool.submit(_prepare_mongodb, supervisor, settings)
            console.say(f"provisioned AWS: {aws.result()}")
            supervisor.start(*(one.name for one in ours if not one.needs_mongod))
            console.say(f"provisioned DocumentDB: {mongodb.result()}")
            supervisor.start(*(one.name for one in ours if one.needs_mongod))
        console.say(f"starting {len(ours)} processes")
        supervisor.start(*(one.name for one in beside))
        supervisor.wait_ready(*(one.name for one in ours))
        yield supervisor


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the directory, by a lock that the kernel takes back when its holder dies.

    Raises AlreadyRunning, naming the holder, if another process has it, and Misconfigured, naming
    STATE_DIR, where it cannot be written.
    """
    require_private_folder(state_dir, "STATE_DIR")
    with (state_dir / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(state_dir, lock.read().strip() or "unknown") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def ending(stop: Stop) -> Iterator[None]:
    """Where one engine cannot be prepared, do not wait for the other one."""
    try:
        yield
    except BaseException:
        stop.request()
        raise


def _starting(settings: LocalSettings) -> str:
    mongod = f"mongod (port {settings.mongodb_port})"
    if settings.emulator_url:
        return f"starting {mongod}; AWS is {settings.emulator_url}"
    return f"starting MiniStack (port {settings.aws_port}) and {mongod}"


def _prepare_aws(supervisor: Supervisor, settings: LocalSettings, console: Console) -> str:
    if not settings.emulator_url:
        supervisor.wait_ready("ministack")
    endpoint = aws_endpoint(settings)
    report = provision_aws(endpoint)
    if warning := about_unknown_emulator(endpoint):
        console.say(warning)
    return str(report)


def _prepare_mongodb(supervisor: Supervisor, settings: LocalSettings) -> str:
    supervisor.wait_ready("mongod")
    return str(provision_documentdb(mongodb_uri(settings.mongodb_port), DATABASE))
