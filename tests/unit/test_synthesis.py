"""Where the tests that synthesize find Node, and what they say where there is none."""

import sys
from pathlib import Path

import pytest

from tests.synthesis import find_node, node_or_skip


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which this Python stands alone, and nothing is on PATH."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_without_node_a_test_is_skipped_and_says_what_to_install(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not a failure of what is tested, and not silent either."""
    monkeypatch.delenv("CI", raising=False)
    assert find_node() is None
    with pytest.raises(pytest.skip.Exception, match="Node: sudo apt-get install nodejs"):
        node_or_skip()


def test_node_on_the_path_will_do(elsewhere: Path) -> None:
    """Whatever the machine has."""
    node = a_program(elsewhere / "bin" / "node")
    assert find_node() == node


def test_node_beside_python_comes_first(elsewhere: Path) -> None:
    """That is the wheel's, whose version is locked."""
    a_program(elsewhere / "bin" / "node")
    node = a_program(elsewhere / "node")
    assert find_node() == node


def a_program(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o755)
    return path
