"""What set-up asks of the machine, of pip's configuration and of what pip and uv say."""

import errno
from pathlib import Path

import pytest

from tools.setup.__main__ import too_old
from tools.setup.machine import mongod_note, refuse_without_libraries
from tools.setup.pip_settings import configured, for_uv
from tools.setup.refusals import (
    CannotSetUp,
    Failed,
    LibraryMissing,
    NoSpace,
    NothingPublished,
    NotWhatIsLocked,
    NotWritable,
    NoVenv,
    Unreachable,
    refusal,
    refusal_of,
)
from tools.setup.uv import can_be_written, version_of


@pytest.mark.parametrize(
    ("said", "kind", "names"),
    [
        ("error: Failed to fetch: `https://x/`\n  cause: dns error", Unreachable, "dns error"),
        ("  cause: Connection refused (os error 111)", Unreachable, "refused"),
        ("  cause: invalid peer certificate: UnknownIssuer", Unreachable, "UnknownIssuer"),
        (
            (
                "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("
                "'<pip.HTTPSConnection object at 0>: Failed to establish a new connection: [Errno"
                " -3] Temporary failure in name resolution')': /simple/uv/\n"
                "ERROR: Could not find a version that satisfies uv==1 (from versions: none)\n"
                "ERROR: No matching distribution found for uv==1"
            ),
            Unreachable,
            "(Failed to establish a new connection",
        ),
        ("ERROR: Could not find uv==1 (from versions: none)", Unreachable, "did not answer"),
        ("ERROR: No matching distribution found for x==1", NothingPublished, "make PYTHON="),
        ("  cause: there is no version of x==9", NothingPublished, "there is no version"),
        ("error: Failed to download `x`\n  cause: Hash mismatch for `x`", NotWhatIsLocked, "hash"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", NotWhatIsLocked, "PIP_INDEX_URL"),
        (
            "error: Failed to download `x`\n  cause: No space left on device (os error 28)",
            NoSpace,
            "make room",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", NoSpace, "make room"),
        ("  cause: Read-only file system (os error 30)", NotWritable, "UV_CACHE_DIR"),
        ("not created successfully because ensurepip is not available.", NoVenv, "-venv"),
        ("something new", Failed, "something new"),
        ("", Failed, "said nothing"),
    ],
)
def test_a_failure_is_one_sentence_with_what_to_do(
    said: str, kind: type[CannotSetUp], names: str
) -> None:
    """Whatever pip or uv wrote, and in whatever order its causes came."""
    refused = refusal("uv", said.splitlines())
    assert type(refused) is kind
    assert names in str(refused)
    assert "\n" not in str(refused)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, NoSpace), (errno.EROFS, NotWritable), (errno.EIO, Failed)],
)
def test_an_error_of_the_file_system_is_one_too(code: int, kind: type[CannotSetUp]) -> None:
    """Set-up's own files meet a full or a read-only disk as uv's do."""
    assert type(refusal_of(OSError(code, "it failed", "/some/file"))) is kind


def test_what_mongod_links_against_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minimal Debian lacks libcurl: the command that installs it comes before any download."""
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(LibraryMissing, match=r"libcurl\.so\.4.* libcurl") as refused:
        refuse_without_libraries({"PATH": "/nowhere"}, loads=lambda name: "curl" not in name)
    assert "libssl" not in str(refused.value)
    refuse_without_libraries({"PATH": "/nowhere"}, loads=lambda _: True)
    refuse_without_libraries({"MONGOD": "/opt/mongod"}, loads=lambda _: False)


def test_where_no_wheel_has_mongod_a_sentence_says_so() -> None:
    """Set-up goes on: the checks and the console on AWS need none."""
    nothing = {"PATH": "/nowhere"}
    assert not list(mongod_note(nothing, system="linux", machine="aarch64"))
    assert not list(mongod_note(nothing, system="darwin", machine="arm64"))
    (note,) = mongod_note(nothing, system="linux", machine="riscv64")
    assert "MONGOD=/path/to/mongod" in note
    assert not list(mongod_note({"MONGOD": "/x"}, system="linux", machine="riscv64"))


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
