"""The budget of imports: which packages each process may load, as `make up` starts it.

Real processes, all at the same time, while the system that they need is away: each is put together
as ever. Then one that serves finds its port taken, and one that works waits until it is stopped.
"""

import re
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from subprocess import Popen

from infra.local_system.bank import make_secret, secret_file
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT, LocalSettings
from local.child import running_child, signal_child
from local.process_table import console_process, our_processes
from verification.testkit.waiting import eventually

EVERY = (
    "annotated_types prometheus_client pydantic pydantic_core structlog typing_extensions"
    " typing_inspection uuid_utils"
)
WORKER = f"{EVERY} anyio click h11 starlette uvicorn"
CONSUMER = f"{WORKER} standardwebhooks"
API = f"{CONSUMER} annotated_doc fastapi fastapi_offline opentelemetry"
AWS = "botocore certifi dateutil jmespath six urllib3"
MONGODB = "bson pymongo"

BUDGETS = {
    "subscription-api": f"{API} {AWS}",
    "stock-api": f"{API} {AWS}",
    "payment-api": f"{API} {MONGODB}",
    "subscription-consumer": f"{CONSUMER} {AWS}",
    "stock-consumer": f"{CONSUMER} {AWS}",
    "payment-consumer": f"{CONSUMER} {AWS} {MONGODB}",
    "subscriptions-relay": f"{WORKER} {AWS}",
    "stock-relay": f"{WORKER} {AWS}",
    "payments-change-stream": f"{WORKER} {AWS} {MONGODB}",
    "payments-forward": f"{WORKER} {AWS}",
    "tap": f"{WORKER} {AWS}",
    "console": f"{API} {AWS} httpcore httpx idna rich",
    "lambda": f"{EVERY} {AWS}",
    "probe": "",
}
"""By process: `lambda` is the relay as a function, `probe` what checks a container."""

BESIDES = {"brotli", "coverage", "greenlet", "h2", "hpack", "hyperframe"}
"""Libraries take what they find: the image has none of these, the tests' environment does."""

NEVER = ("opentelemetry.sdk", "opentelemetry.exporter")
"""Of packages that are allowed: tracing is off where no endpoint is set. FastAPI has the API."""

OURS = {"console", "contracts", "infra", "local", "operations", "relay", "runtime", "services"}

PROGRAM = """
import atexit, runpy, signal, sys

# A process that does not listen to it yet would end without a report.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())

@atexit.register
def report(path=sys.argv[1]):
    with open(path, "w") as file:
        file.writelines(name + chr(10) for name, module in sys.modules.items() if module)

sys.argv[:2] = []
"""
PYTHON = sys.executable, "-X", "importtime", "-c"
MODULE = PROGRAM + "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
FUNCTION = PROGRAM + "from relay import aws_lambda; aws_lambda._composed('relay-dynamodb')"

PUT_TOGETHER = re.compile("waiting at start|already in use|is unavailable|refused$", re.MULTILINE)
"""What a process says that needs its system, or its port, and for that nothing more of itself."""


def test_a_process_imports_what_it_uses(tmp_path: Path) -> None:
    """And no other package: it would take its time at each start, and its memory for ever."""
    _put_together(tmp_path)
    beyond = {name: found for name in BUDGETS if (found := _beyond_its_budget(tmp_path, name))}
    assert not beyond


def _put_together(folder: Path) -> None:
    """Write what each process has imported to NAME.modules, and by whom to NAME.log."""
    settings = LocalSettings(state_dir=folder, aws_port=1, mongodb_port=1)
    make_secret(secret_file(settings))
    with socket.create_server((LOOPBACK, 0)) as taken, ExitStack() as stack:
        port = str(taken.getsockname()[1])
        ports = {"HTTP_PORT": port, "CONSOLE_PORT": port, "HEALTH_PORT": "0"}
        untraced = {"OTEL_SDK_DISABLED": "true"}
        children = {
            name: stack.enter_context(
                running_child(
                    name,
                    [*PYTHON, program, f"{folder}/{name}.modules", *arguments],
                    log=folder / f"{name}.log",
                    env={**environment, **ports, **untraced},
                    cwd=ROOT,
                )
            )
            for name, ((program, *arguments), environment) in _processes(settings).items()
        }
        for name, child in children.items():
            log = folder / f"{name}.log"
            eventually(partial(_is_put_together, child, log), what=f"{name} is put together")
        for child in children.values():
            signal_child(child, signal.SIGTERM)


def _beyond_its_budget(folder: Path, process: str) -> list[str]:
    """The packages that a process has beyond it, each with who imported it."""
    modules = (folder / f"{process}.modules").read_text().split()
    allowed = {*BUDGETS[process].split(), *BESIDES, *OURS, *sys.stdlib_module_names}
    log = (folder / f"{process}.log").read_text()
    return [
        " <- ".join([each, *_importers(log, each)])
        for each in sorted(modules)
        if each in NEVER or not ("." in each or each in allowed or each.startswith("_"))
    ]


def _processes(settings: LocalSettings) -> dict[str, tuple[list[str], Mapping[str, str]]]:
    """What Python runs for each process after the report's path, and its environment."""
    table = {each.name: each for each in [*our_processes(settings), console_process(settings)]}
    return {
        **{name: ([MODULE, *each.command[2:]], each.env) for name, each in table.items()},
        "lambda": ([FUNCTION], table["subscriptions-relay"].env),
        "probe": ([MODULE, "runtime.probe", "1/"], {}),
    }


def _is_put_together(child: Popen[bytes], log: Path) -> bool:
    ended = child.poll() is not None
    if PUT_TOGETHER.search(text := log.read_text(errors="replace")):
        return True
    assert not ended, text
    return False


def _importers(log: str, name: str) -> Iterator[str]:
    """Who imported a module first, who imported that, and so on, from -X importtime's lines."""
    lines = re.findall(r"^import time: +\d+ \| +\d+ \| ( *)(\S+)$", log, re.MULTILINE)
    depth = -1
    for indent, module in lines:  # each stands below what it imports, which is indented
        if depth < 0 and module == name:
            depth = len(indent)
        elif len(indent) < depth:
            depth = len(indent)
            yield module
