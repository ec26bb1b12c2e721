"""`make deploy`: who is asked before it widens permissions."""

import os
import pty
import subprocess

import pytest

from infra.local_system.settings import ROOT

DONE = ("--assume-old=setup", "--assume-old=build/npm/cdk/installed")
"""What it needs first is not the test's; and a program that prints stands for CDK."""


def deploy(*arguments: str, terminal: bool = False) -> str:
    """What CDK is called with, by make with or without a terminal."""
    command = ["make", *DONE, "deploy", "STAGE=dev", "CDK=echo", *arguments]
    if not terminal:
        return subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    ours, its = pty.openpty()
    try:
        subprocess.run(command, cwd=ROOT, stdin=its, stdout=its, stderr=its, check=True)
        return os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(its)


def test_at_a_terminal_it_asks_before_it_widens_permissions() -> None:
    """As CDK does by itself: what changes is shown, and waits for a yes."""
    assert "deploy --all --require-approval broadening -c stage=dev" in deploy(terminal=True)


def test_without_a_terminal_there_is_no_question() -> None:
    """CDK would fail, for it has nothing to ask on."""
    assert "deploy --all --require-approval never -c stage=dev" in deploy()


@pytest.mark.parametrize("terminal", [True, False])
def test_who_deploys_may_decide(terminal: bool) -> None:
    """In CI as well: a job that must not widen permissions fails where it would."""
    called = deploy("APPROVAL=any-change", terminal=terminal)
    assert "--require-approval any-change" in called
