"""The synthesized stages: what `cdk synth` writes, made once for each stage and test run."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.missing_tools import NODE, missing
from tests.templates import Resource, Stack

ROOT = Path(__file__).parent.parent

Synthesize = Callable[[str], "Assembly"]
"""Of a stage's name."""

NEXT = "next"
"""A stage of the tests' own: dev with what no stage of cdk.json has, and protected."""

OF_NEXT: Mapping[str, Any] = {
    "eventBusKind": "custom",
    "zones": ["euw1-az1", "euw1-az3"],
    "protected": True,
    "lowCost": False,
    "alarmEmail": "alarms@example.com",
}

SYNTHESIS_WITHIN = 250
"""Seconds; it takes about 10, and a busy machine more."""


def find_node() -> Path | None:
    """Node, which CDK runs on: the wheel's, beside the interpreter, else one on PATH."""
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    return Path(found) if found else None


def node_or_skip() -> Path:
    node = find_node()
    if node is None:
        missing(NODE)
    return node


@dataclass(frozen=True)
class Acknowledgement:
    """A finding that somebody looked at and let stand."""

    construct: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Assembly:
    """What one synthesis wrote, and how it ended."""

    folder: Path
    exit_code: int
    output: str

    @cached_property
    def stacks(self) -> dict[str, Stack]:
        return {stack.name: stack for stack in self._stacks()}

    def resources(self, *types: str) -> Iterator[Resource]:
        """Of all stacks."""
        for stack in self.stacks.values():
            yield from stack.resources(*types)

    @cached_property
    def violations(self) -> list[str]:
        """The findings that nobody has acknowledged: cdk-nag's, and those of CDK's own checks."""
        report = json.loads((self.folder / "validation-report.json").read_text())
        return [
            f"{violation['ruleName']} {construct['constructPath']}: {violation['description']}"
            for plugin in report["pluginReports"]
            for violation in plugin["violations"]
            for construct in violation["violatingConstructs"]
        ]

    @cached_property
    def acknowledgements(self) -> list[Acknowledgement]:
        return [
            Acknowledgement(path, rule.removeprefix("Annotation::"), reason)
            for stack in self.stacks.values()
            for path, entries in stack.metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:acknowledged-rules"
            for rule, reason in entry["data"].items()
        ]

    def _stacks(self) -> Iterator[Stack]:
        manifest = json.loads((self.folder / "manifest.json").read_text())
        for name, artifact in manifest["artifacts"].items():
            if artifact["type"] == "aws:cloudformation:stack":
                yield Stack.read(self.folder, name, artifact)


def synthesize(folder: Path, context: dict[str, Any], *, app: str = "infra.app") -> Assembly:
    """Run the app as cdk.json has the CDK command line run it; without Node, skip the test.

    Findings make it fail, but only after everything was written: `exit_code` tells.
    """
    node = node_or_skip()
    ended = subprocess.run(
        [sys.executable, "-m", app],
        cwd=ROOT,
        env={
            **os.environ,
            "JSII_NODE": str(node),
            "CDK_OUTDIR": str(folder),
            "CDK_CONTEXT_JSON": json.dumps(context),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SYNTHESIS_WITHIN,
        check=False,
    )
    return Assembly(folder, ended.returncode, ended.stdout)


def context_of(stage: str) -> dict[str, Any]:
    """cdk.json's context, with `-c stage=…`; of NEXT, with that stage alone."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    if stage == NEXT:
        context["stages"] = {NEXT: {**context["stages"]["dev"], **OF_NEXT}}
    return {**context, "stage": stage}


def synthesized_once(folder: Path, stage: str) -> Assembly:
    """The stage's assembly in `folder`; of all workers that share the folder, one makes it.

    Raises AssertionError with the app's output if it wrote nothing.
    """
    made, ending = folder / stage, folder / f"{stage}.json"
    with _alone(folder / f"{stage}.lock"):
        if not ending.exists():
            assembly = synthesize(made, context_of(stage))
            ending.write_text(json.dumps([assembly.exit_code, assembly.output]))
    exit_code, output = json.loads(ending.read_text())
    assert (made / "manifest.json").exists(), output
    return Assembly(made, exit_code, output)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Held by one process at a time; the kernel takes it back from one that dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
