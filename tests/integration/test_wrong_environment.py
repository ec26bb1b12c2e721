"""Every command in a wrong environment: one sentence with what to set, and exit code 2.

Real processes: whatever is imported, read or made before the sentence may not fail either.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.local_system.environment import SAMPLE_ENVIRONMENT
from infra.local_system.settings import ROOT
from infra.topology import WORKLOADS

COMPLETE = {
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/?replicaSet=rs0",
    "MONGODB_DATABASE": "payments",
    **dict.fromkeys(("HTTP_PORT", "HEALTH_PORT"), "0"),
    **{variable: name for each in WORKLOADS for variable, name in each.settings.items()},
}
"""All that any process needs."""

KEYLESS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
NO_COLLECTOR, NO_MONGOD = {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, {"MONGOD": "/nowhere"}
NOT_A_PROGRAM = "MONGOD=/nowhere is not a program"
ENDED = {**KEYLESS, "AWS_PROFILE": "ended", "AWS_CONFIG_FILE": "{}/config"}
UNWRITABLE = "/dev/null/x"

WRONG: tuple[tuple[str, Mapping[str, str], str], ...] = (
    ("services.stock.main", {}, "say what to run: api, consumer"),
    ("services.stock.main worker", {}, "say what to run: api, consumer"),
    ("services.stock.main api", NO_COLLECTOR, "OTEL_EXPORTER_OTLP_ENDPOINT: give a URL"),
    ("services.stock.main consumer", KEYLESS, "AWS_ACCESS_KEY_ID"),
    ("services.subscription.main api", {**KEYLESS, "AWS_PROFILE": "gone"}, "set AWS_PROFILE"),
    ("services.payment.main api", {"MONGODB_URI": "mongodb://h:port"}, "MONGODB_URI: "),
    ("services.payment.main api", {"MONGODB_URI": "mongodb://h/?tlsCAFile=/no"}, "MONGODB_URI: "),
    ("relay dynamodb", {"AWS_REGION": "-x-"}, "AWS_REGION: "),
    ("relay change-stream", {"MONGODB_USERNAME": "me"}, "MONGODB_PASSWORD: "),
    ("relay forward", {"AWS_CONFIG_FILE": "{}/malformed"}, "Unable to parse config file"),
    ("relay sweep dynamodb", NO_COLLECTOR, "OTEL_EXPORTER_OTLP_ENDPOINT: "),
    ("console", {"STOCK_API_URL": "http://[::1"}, "STOCK_API_URL: "),
    ("console", {"STREAMED_AUDIT_FILE": UNWRITABLE}, "STREAMED_AUDIT_FILE: "),
    ("local.tap", {"AWS_ENDPOINT_URL": "http://h:port"}, "AWS_ENDPOINT_URL: "),
    ("infra.local", {"AWS_ENDPOINT_URL": "zebra"}, "AWS_ENDPOINT_URL: "),
    ("infra.documentdb", {"MONGODB_URI": "mongodb://h:99999/"}, "MONGODB_URI: "),
    ("local.provision", {"MONGODB_URI": "mongodb://h:9/"}, "MONGODB_URI: "),
    ("operations --at aws status", ENDED, "`aws sso login --profile ended`"),
    ("operations status", {"STREAMED_AT": "moon"}, "STREAMED_AT: "),
    ("local.up", {"STATE_DIR": UNWRITABLE}, "STATE_DIR: /dev/null/x cannot be written"),
    ("local.up", {"STREAMED_AUDIT_FILE": UNWRITABLE}, "STREAMED_AUDIT_FILE: /dev/null/x cannot"),
    ("local.up", NO_COLLECTOR, "OTEL_EXPORTER_OTLP_ENDPOINT: give"),
    ("local.demo", {"STATE_DIR": UNWRITABLE}, "STATE_DIR: /dev/null/x cannot be"),
    ("verification.chaos --minutes 0.1", NO_MONGOD, NOT_A_PROGRAM),
    ("verification.load poison", NO_MONGOD, NOT_A_PROGRAM),
    ("verification.benchmarks relay", NO_MONGOD, NOT_A_PROGRAM),
    ("verification.benchmarks.calls", NO_MONGOD, NOT_A_PROGRAM),
)
"""Every command once, and every kind: what boto3 alone can meet has tests of its own, in one
process (tests/unit/test_aws_configuring.py). Nobody is at the addresses: nothing may be called."""


@pytest.fixture
def wrong_files(tmp_path: Path) -> Path:
    """A folder with what is wrong in a home directory."""
    (tmp_path / "malformed").write_text("[profile broken\nregion")
    (tmp_path / "config").write_text(
        "[profile ended]\nsso_session = work\nsso_account_id = 111111111111\n"
        "sso_role_name = reader\nregion = eu-west-1\n"
        "[sso-session work]\nsso_region = eu-west-1\n"
        "sso_start_url = https://example.awsapps.com/start\n"
    )
    return tmp_path


def ended(folder: Path, command: str, env: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `python -m command` with COMPLETE but for `env`; its exit code, stdout and stderr.

    A value of "" is a variable that is not set.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"AWS_PROFILE", "AWS_ENDPOINT_URL"}
    }
    given = {**clean, **SAMPLE_ENVIRONMENT, **COMPLETE, "STATE_DIR": str(folder / "state"), **env}
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        env={name: value for name, value in given.items() if value},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("command", "wrong", "said"), WRONG)
def test_a_wrong_environment_is_one_sentence(
    wrong_files: Path, command: str, wrong: Mapping[str, str], said: str
) -> None:
    """The variable's name, or what to run; no traceback; exit code 2."""
    given = {name: value.replace("{}", str(wrong_files)) for name, value in wrong.items()}
    code, stdout, stderr = ended(wrong_files, command, given)
    assert code == 2, (stdout, stderr)
    assert "Traceback" not in stdout + stderr
    assert said in (stderr or stdout).splitlines()[-1]


def test_the_shell_script_passes_it_on(wrong_files: Path) -> None:
    """`./streamed` itself: the sentence on stderr, nothing on stdout, exit code 2."""
    done = subprocess.run(
        [str(ROOT / "streamed"), "--at", "aws", "--json", "status"],
        env={**os.environ, **COMPLETE, "AWS_PROFILE": "gone"},
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "set AWS_PROFILE" in done.stderr
