"""The edge of every command: any terminal, one sentence, and the exit code."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.errors import Misconfigured, Unavailable
from runtime.process.command import replacing, run_command
from tests.called import PACKAGES

ROOT = Path(__file__).parents[2]

PRINTS_NOTHING_OF_ITS_OWN = {
    "local/tether.py",  # becomes another program
    "verification/chaos/clocks.py",  # runs another module's edge
    "local/emulator.py",  # becomes MiniStack
    "runtime/probe.py",  # for a health check: its exit code is all
    "verification/benchmarks/http_load.py",  # its parent reads what it writes
    "verification/benchmarks/stub/__main__.py",
    "verification/testkit/tcp_proxy.py",
}


def written(encoding: str, text: str) -> str:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding=encoding, write_through=True)
    replacing(stream).write(text)
    return data.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "shown"),
    [
        ("utf-8", "stock │ café → “x”", "stock │ café → “x”"),
        ("latin-1", "stock │ café → “x”", 'stock | café > "x"'),
        ("ascii", "stock │ café → “x” …", 'stock | caf\\xe9 > "x" .'),
        ("ascii", "\u280b starting \u2713", ". starting \\u2713"),
        ("utf-8", "half \ud800 pair", "half \\ud800 pair"),
    ],
)
def test_what_an_encoding_lacks_is_replaced(encoding: str, text: str, shown: str) -> None:
    """Lines and quotes by their likeness, one for one; the rest by its escape; nothing is lost."""
    assert written(encoding, text) == shown


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Misconfigured("set X"), 2, "set X\n"),
        (Unavailable("SQS", "away"), 1, "SQS is unavailable: away\n"),
        (TimeoutError("it took long"), 1, "it took long\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_end_is_a_code_and_one_sentence(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, sentence: str
) -> None:
    """2 is for what a person has to set, 1 for what may pass."""

    def main() -> int:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_command(main, failures=(OSError,))
    assert ended.value.code == code
    assert capsys.readouterr().err == sentence


def test_a_bug_keeps_its_traceback() -> None:
    """What is no sentence is not made to look like one."""
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_process_prints_every_line_in_any_encoding(encoding: str) -> None:
    """On stdout, where Python would raise, and with stdout closed."""
    script = (
        "from runtime.process.command import run_command\n"
        "def main():\n"
        "    print('first \u2502 line'); print('second')\n"
        "    return 0\n"
        "run_command(main)\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    lines = done.stdout.decode(encoding).splitlines()
    bar = "\u2502" if encoding == "utf-8" else "|"
    assert lines == [f"first {bar} line", "second"]
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    assert subprocess.run(closed, env=environment, capture_output=True, check=True).stderr == b""


def edges() -> list[str]:
    """Every file of the product that is run as a program."""
    return sorted(
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if '__name__ == "__main__"' in file.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("path", edges())
def test_every_program_goes_through_one_edge(path: str) -> None:
    """runtime.process.command.run_command, or runtime.worker.main, which is as good."""
    if path in PRINTS_NOTHING_OF_ITS_OWN or path.startswith("verification/benchmarks/floors/"):
        return
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    (edge,) = [each for each in tree.body if isinstance(each, ast.If)][-1:]
    called = {ast.unparse(each.func) for each in ast.walk(edge) if isinstance(each, ast.Call)}
    imported = {
        f"{each.module}.{name.name}"
        for each in tree.body
        if isinstance(each, ast.ImportFrom)
        for name in each.names
    }
    through_worker = "main" in called and "runtime.process.worker.main" in imported
    of_the_operator = path == "operations/__main__.py"  # it begins with write_on_any_terminal
    assert "run_command" in called or through_worker or of_the_operator
