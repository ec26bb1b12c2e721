"""What set-up asks of the machine, of pip's configuration and of what pip and uv say."""

import errno
import re
from functools import partial
from pathlib import Path

import pytest

from tools.setup.__main__ import too_old
from tools.setup.machine import mongod_note
from tools.setup.pip_settings import configured, for_uv
from tools.setup.refusals import (
    NO_SPACE,
    NO_VENV,
    NOT_WHAT_IS_LOCKED,
    NOT_WRITABLE,
    NOTHING_PUBLISHED,
    SILENT,
    TOOL_FAILED,
    UNREACHABLE,
    CannotSetUp,
    Unreachable,
    refusal,
    refusal_of,
)
from tools.setup.uv import can_be_written, version_of


@pytest.mark.parametrize(
    ("said", "sentence", "names"),
    [
        ("error: Failed to fetch: `https://x/`\n  cause: dns error", UNREACHABLE, "dns error"),
        ("  cause: Connection refused (os error 111)", UNREACHABLE, "refused"),
        ("  cause: invalid peer certificate: UnknownIssuer", UNREACHABLE, "UnknownIssuer"),
        (
            (
                "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("
                "'<pip.HTTPSConnection object at 0>: Failed to establish a new connection: [Errno"
                " -3] Temporary failure in name resolution')': /simple/uv/\n"
                "ERROR: Could not find a version that satisfies uv==1 (from versions: none)\n"
                "ERROR: No matching distribution found for uv==1"
            ),
            UNREACHABLE,
            "(Failed to establish a new connection",
        ),
        ("ERROR: Could not find uv==1 (from versions: none)", SILENT, "did not answer"),
        ("ERROR: No matching distribution found for x==1", NOTHING_PUBLISHED, "make PYTHON="),
        ("  cause: there is no version of x==9", NOTHING_PUBLISHED, "there is no version"),
        (
            "error: Failed to download `x`\n  cause: Hash mismatch for `x`",
            NOT_WHAT_IS_LOCKED,
            "hash",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", NOT_WHAT_IS_LOCKED, "PIP_INDEX_URL"),
        (
            "error: Failed to download `x`\n  cause: No space left on device (os error 28)",
            NO_SPACE,
            "make room",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", NO_SPACE, "make room"),
        ("  cause: Read-only file system (os error 30)", NOT_WRITABLE, "UV_CACHE_DIR"),
        ("not created successfully because ensurepip is not available.", NO_VENV, "-venv"),
        ("something new", TOOL_FAILED, "something new"),
        ("", TOOL_FAILED, "said nothing"),
    ],
)
def test_a_failure_is_one_sentence_with_what_to_do(said: str, sentence: str, names: str) -> None:
    """Whatever pip or uv wrote, and in whatever order its causes came."""
    refused = refusal("uv", said.splitlines())
    assert is_one(sentence, str(refused))
    assert names in str(refused)
    assert isinstance(refused, Unreachable) == (sentence in {UNREACHABLE, SILENT})


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(errno.ENOSPC, NO_SPACE), (errno.EROFS, NOT_WRITABLE), (errno.EIO, TOOL_FAILED)],
)
def test_an_error_of_the_file_system_is_one_too(code: int, sentence: str) -> None:
    """Set-up's own files meet a full or a read-only disk as uv's do."""
    assert is_one(sentence, str(refusal_of(OSError(code, "it failed", "/some/file"))))


def is_one(sentence: str, text: str) -> bool:
    """Whether the text is that sentence, in one line."""
    pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(sentence))
    return re.fullmatch(pattern, text) is not None


def test_what_mongod_links_against_is_looked_for() -> None:
    """A minimal Debian lacks libcurl: the command that installs it comes before any download."""
    nothing = {"PATH": "/nowhere"}
    with pytest.raises(CannotSetUp, match=r"libcurl\.so\.4.* libcurl") as refused:
        mongod_note(nothing, system="linux", loads=lambda name: "curl" not in name)
    assert "libssl" not in str(refused.value)
    assert not mongod_note({"MONGOD": "/opt/mongod"}, system="linux", loads=lambda _: False)


def test_where_no_wheel_has_mongod_a_sentence_says_so() -> None:
    """Set-up goes on: the checks and the console on AWS need none."""
    note = partial(mongod_note, {"PATH": "/nowhere"}, loads=lambda _: True)
    assert not note(system="linux", machine="aarch64")
    assert not note(system="darwin", machine="arm64")
    assert "MONGOD=/path/to/mongod" in (note(system="linux", machine="riscv64") or "")
    assert not mongod_note({"MONGOD": "/x"}, system="linux", machine="riscv64")


def test_uv_gets_what_pip_is_configured_with(tmp_path: Path) -> None:
    """The environment before the file, `install` before `global`, and no folder that is missing."""
    pip = configured(
        [
            ":env:.find-links='/nowhere'",
            "global.cert='/etc/ours.pem'",
            "global.find-links='/ignored'",
            "global.index-url='https://one.example/simple'",
            f"global.extra-index-url='https://two.example/simple file:///nowhere {tmp_path}'",
            "global.proxy='http://proxy.example:3128'",
            "global.timeout='180'",
            "install.index-url='https://ours.example/simple'",
            "freeze.timeout='1'",
        ]
    )
    assert for_uv(pip, {}) == {
        "UV_DEFAULT_INDEX": "https://ours.example/simple",
        "UV_INDEX": f"https://two.example/simple {tmp_path}",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/ours.pem",
        "ALL_PROXY": "http://proxy.example:3128",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_settings_of_uv_are_left_as_they_are() -> None:
    """Who configured uv meant it: pip's indexes are not added."""
    pip = {"index-url": "https://one.example/simple", "cert": "/etc/ours.pem"}
    env = {"UV_DEFAULT_INDEX": "https://uv.example/simple", "SSL_CERT_FILE": "/etc/theirs.pem"}
    assert for_uv(pip, env) == {}


def test_an_old_python_is_refused_in_one_line() -> None:
    """With the command that takes a newer one, where there is one."""
    refused = too_old((3, 9), "python3.12")
    assert "is 3.9" in refused
    assert "make PYTHON=python3.12" in refused
    assert "make PYTHON=/path" in too_old((3, 9), None)


def test_versions_of_uv_compare_as_numbers() -> None:
    """0.13.10 is newer than 0.13.9, and no uv is older than all."""
    assert version_of("uv 0.13.10 (x86_64)\n") > version_of("# lock\nuv==0.13.9 \\\n") > ()
    assert version_of("uv: command not found") == ()


def test_a_cache_is_written_to_where_its_nearest_folder_is(tmp_path: Path) -> None:
    """uv makes the folders itself, if it can."""
    file = tmp_path / "file"
    file.touch()
    assert can_be_written(tmp_path / "not" / "there" / "yet")
    assert not can_be_written(file / "uv")
