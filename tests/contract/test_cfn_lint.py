"""cfn-lint over every synthesized template: CloudFormation's own schemas find nothing."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.synthesis import ROOT, Synthesize

CFN_LINT = Path(sys.executable).with_name("cfn-lint")


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_template_is_clean(stage: str, synthesized: Synthesize) -> None:
    """No error and no warning, and no template switches a rule off."""
    stacks = synthesized(stage).stacks.values()
    assert _lint(stack.path for stack in stacks) == []
    assert [stack.name for stack in stacks if "cfn-lint" in stack.path.read_text()] == []


def test_what_is_ignored_says_why() -> None:
    """The configuration only ignores rules, and a comment stands above each."""
    head, *lines = (ROOT / ".cfnlintrc").read_text().splitlines()
    assert head == "ignore_checks:"
    pairs = zip(["", *lines], lines, strict=False)
    for above, line in pairs:
        assert line.startswith("  # ") or (line.startswith("  - ") and above.startswith("  # "))


def test_a_template_with_a_fault_is_found_out(synthesized: Synthesize, tmp_path: Path) -> None:
    """A retention that SQS does not take is named."""
    stack = synthesized("dev").stacks["streamed-events-dev-stock"]
    queue = next(stack.resources("AWS::SQS::Queue"))
    template = json.loads(stack.path.read_text())
    faulty = {queue.logical_id: template["Resources"][queue.logical_id]}
    faulty[queue.logical_id]["Properties"] = {"MessageRetentionPeriod": 1}
    path = tmp_path / "template.json"
    path.write_text(json.dumps({"Resources": faulty}))
    (found,) = _lint([path])
    assert found.startswith("E3034 ")
    assert queue.logical_id in found


def _lint(paths: Iterable[Path]) -> list[str]:
    ended = subprocess.run(
        [CFN_LINT, "--format", "json", "--template", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(ended.stdout)
    return [
        f"{match['Rule']['Id']} {match['Location']['Path']}: {match['Message']}" for match in found
    ]
