"""Rendering to an emulator as a whole: again without a change, never to AWS, and as a command."""

from pathlib import Path
from uuid import uuid4

import pytest

from infra.local import main, provision
from runtime.aws import Aws
from runtime.errors import Misconfigured
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws
from tests.observed import observed
from verification.testkit.launcher import run_to_end


def test_running_it_again_changes_nothing(ministack: MiniStack) -> None:
    """The second run finds everything in place and says so."""
    aws = empty_aws(ministack)
    first = provision(aws)
    made = observed(aws)
    assert {change.action for change in first.changes} == {"created"}
    assert str(provision(aws)) == "0 created, 0 updated, 0 removed"
    assert observed(aws) == made


@pytest.mark.parametrize("endpoint", [None, "https://events.eu-west-1.amazonaws.com"])
def test_aws_itself_is_refused(endpoint: str | None) -> None:
    """No call leaves for AWS, whether the endpoint is missing or spelled out."""
    with pytest.raises(Misconfigured, match="is AWS itself: set AWS_ENDPOINT_URL"):
        provision(Aws(region="eu-west-1", endpoint_url=endpoint))


def test_the_command_names_every_missing_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a region and an endpoint it ends with one message that names both."""
    for name in ("AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured) as refusal:
        main()
    told = str(refusal.value)
    assert "AWS_REGION" in told
    assert "AWS_ENDPOINT_URL" in told


def test_the_command_tells_what_it_changed(
    ministack: MiniStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints each change and a summary, and next time only a summary of nothing."""
    monkeypatch.setenv("AWS_REGION", f"test-{uuid4().hex[:8]}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.endpoint)
    assert main() == 0
    assert "created bus stock-event-bus\n" in capsys.readouterr().out
    assert main() == 0
    assert capsys.readouterr().out.startswith("0 created, 0 updated, 0 removed in ")


def test_the_command_says_when_the_emulator_is_away(tmp_path: Path) -> None:
    """Nobody listening is exit code 1 and a sentence with the address, not a traceback."""
    env = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    code, output = run_to_end(tmp_path, "infra.local", "", env)
    assert code == 1
    (sentence,) = output.splitlines()
    assert "http://127.0.0.1:1" in sentence
