"""cdk-nag's AwsSolutions over every stage: no finding is left, and what stands has a reason."""

from pathlib import Path

import pytest

from tests.synthesis import Acknowledgement, Synthesize, context_of, synthesize

STAGES = ("dev", "prod")

WORDS_OF_A_REASON = 6
"""Below that it says nothing that a reviewer could weigh."""


@pytest.mark.parametrize("stage", STAGES)
def test_no_finding_is_left(stage: str, synthesized: Synthesize) -> None:
    """Neither cdk-nag nor CDK's own template checks have anything to say, warnings included."""
    assembly = synthesized(stage)
    assert assembly.violations == []
    assert assembly.exit_code == 0, assembly.output


@pytest.mark.parametrize("stage", STAGES)
def test_what_stands_has_a_reason_and_a_place(stage: str, synthesized: Synthesize) -> None:
    """Each acknowledged finding is one construct's, never a whole stack's, and says why."""
    found = synthesized(stage).acknowledgements
    assert found
    assert [each for each in found if not _is_sound(each)] == []


def test_a_finding_that_nobody_acknowledged_fails_the_synthesis(
    sample_credentials: None, tmp_path: Path
) -> None:
    """The same app with an open queue ends with an error, and names the queue and both rules."""
    assembly = synthesize(tmp_path, context_of("dev"), app="tests.offending")
    assert assembly.exit_code != 0
    assert sorted(each.split(":")[0] for each in assembly.violations) == [
        "AwsSolutions-SQS3 offending/queue",
        "AwsSolutions-SQS4 offending/queue",
    ]


def test_a_reason_of_no_substance_is_found_out() -> None:
    """The check above rejects an empty reason, a short one, and a stack-wide acknowledgement."""
    reason = "EventBridge alone may assume it, and only for this rule."
    assert _is_sound(Acknowledgement("/stack/role", "AwsSolutions-IAM5", reason))
    assert not _is_sound(Acknowledgement("/stack", "AwsSolutions-IAM5", reason))
    assert not _is_sound(Acknowledgement("/stack/role", "AwsSolutions-IAM5", "not needed here"))
    assert not _is_sound(Acknowledgement("/stack/role", "AwsSolutions-IAM5", ""))


def _is_sound(one: Acknowledgement) -> bool:
    of_one_construct = one.construct.count("/") > 1
    return of_one_construct and len(one.reason.split()) >= WORDS_OF_A_REASON
