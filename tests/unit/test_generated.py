"""What is written from the code and committed is what the code says now."""

from importlib import import_module
from pathlib import Path

import pytest

from tools.generated import main, outdated


@pytest.mark.parametrize(
    "tool", ["asyncapi.__main__", "openapi", "diagrams.__main__", "reference.__main__", "book"]
)
def test_what_is_committed_is_what_the_code_says(tool: str) -> None:
    """Whoever changes the topology, an event, a setting or a route sees it in the diff."""
    assert outdated(import_module(f"tools.{tool}").rendered()) == [], "make schemas diagrams docs"


def test_drift_is_found_named_and_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing and an edited file are told by name; writing puts both right."""
    monkeypatch.chdir(tmp_path)
    files = {tmp_path / "new" / name: name for name in ("missing", "edited", "good")}
    assert main([], files, "make docs") == 0
    assert main(["--check"], files, "make docs") == 0
    (tmp_path / "new" / "missing").unlink()
    (tmp_path / "new" / "edited").write_text("something else")
    assert main(["--check"], files, "make docs") == 1
    assert capsys.readouterr().err == "run `make docs`: new/missing, new/edited\n"
    assert main([], files, "make docs") == 0
    assert outdated(files) == []
