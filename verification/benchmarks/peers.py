"""Other ways to relay: on aiobotocore, and EventBridge Pipes by the limits that AWS publishes."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from infra.local_system.settings import ROOT

_LOCK = ROOT / "requirements-aiobotocore.lock"
"""Its pins clash with ours: aiobotocore takes few versions of botocore."""

PIPES_BATCH = 10
"""Events of a batch to a bus, at most:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html"""

PIPES_CONCURRENCY = 10
"""Batches at a time from a shard, at most (ParallelizationFactor; the default is 1):
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
aws-properties-pipes-pipe-pipesourcedynamodbstreamparameters.html"""

PIPES_READ = "2026-12-01"
"""When both pages were read."""


def pipes_rate(milliseconds: float, *, concurrency: int = PIPES_CONCURRENCY) -> float:
    """Events/s of a pipe from one shard to a bus, if each call takes so long and all are full.

    Arithmetic with the published limits: no pipe was run. It deletes no rows.
    """
    return PIPES_BATCH * concurrency / (milliseconds / 1000)


@cache
def asyncio_python() -> Path:
    """The Python with aiobotocore, in build/, filled from its lock. Raises CalledProcessError."""
    venv = ROOT / "build" / "aiobotocore"
    python, uv = venv / "bin" / "python", str(Path(sys.executable).with_name("uv"))
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([*sync, "--python", str(python), str(_LOCK)], check=True)
    return python
