"""Findings of cdk-nag that were looked at and stand, each with the reason why."""

from aws_cdk import Acknowledgment, Aws, Validations
from constructs import Construct


def accept_finding(construct: Construct, finding: str, *, because: str) -> None:
    """Acknowledge one finding on a construct and what it is made of.

    A finding that names a resource has the account as cdk-nag prints it where that is not known.
    """
    known = finding.replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
    Validations.of(construct).acknowledge(Acknowledgment(id=known, reason=because))
