"""Findings of cdk-nag and of checkov that were looked at and stand, each with the reason why."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Aws, CfnResource, Validations
from constructs import IConstruct


def accept_finding(construct: IConstruct, finding: str, *, because: str) -> None:
    """Acknowledge one finding on a construct and what it is made of.

    A finding that names a resource has the account as cdk-nag prints it where that is not known.
    """
    known = finding.replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
    Validations.of(construct).acknowledge(Acknowledgment(id=known, reason=because))


def accept_checks(construct: IConstruct, because: Mapping[str, str]) -> None:
    """Have checkov, which reads it in the template, pass over checks of one resource."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)  # noqa: S101 (for mypy)
    skip = [{"id": check, "comment": reason} for check, reason in because.items()]
    resource.add_metadata("checkov", {"skip": skip})
