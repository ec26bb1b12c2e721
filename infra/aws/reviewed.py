"""Findings of cdk-nag that were looked at and stand, each with the reason why."""

from aws_cdk import Acknowledgment, Validations
from constructs import Construct


def stands(construct: Construct, finding: str, *, because: str) -> None:
    """Acknowledge one finding on a construct and what it is made of."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=because))
