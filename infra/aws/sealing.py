"""The key of bank details: one process seals under it, one opens, and no other may do either."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.keys import removal_policy
from infra.aws.plan import Plan
from infra.aws.reviewed import accept_finding
from infra.resources import SealingKey
from infra.topology import WORKLOADS
from infra.workloads import Opens, Seals, Workload

ADMINISTER = (
    *("kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey"),
    *("kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy"),
    *("kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:PutKeyPolicy"),
    *("kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias"),
    "kms:UpdateKeyDescription",
)
"""What the key's account may do with it: all that a deployment needs, and no use of it."""


def sealing_key(scope: Construct, plan: Plan, key: SealingKey) -> kms.Key:
    """Make the key, which those alone may use whose roles its policy names.

    KMS refuses a policy that names a role which does not exist yet, so that it names the account of
    who seals, and on condition the role, whose name is fixed.
    """
    protected = plan.stage.protected
    made = kms.Key(
        scope,
        "".join(part.title() for part in key.name.split("-")),
        alias=key.alias,
        description=f"Seals {key.name} for one reader",
        enable_key_rotation=True,
        pending_window=Duration.days(30 if protected else 7),
        removal_policy=removal_policy(protected=protected),
        policy=iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="AccountMayAdminister",
                    principals=[iam.AccountRootPrincipal()],
                    actions=list(ADMINISTER),
                    resources=["*"],
                )
            ]
        ),
    )
    for workload in (each for each in WORKLOADS if Seals(key) in each.uses):
        account = plan.arns.accounts[workload.domain].account
        role = f"arn:aws:iam::{account}:role/{role_name(plan, workload)}"
        made.add_to_resource_policy(
            iam.PolicyStatement(
                sid="MaySeal",
                principals=[iam.AccountPrincipal(account)],
                actions=["kms:GenerateDataKey"],
                resources=["*"],
                conditions={"ArnEquals": {"aws:PrincipalArn": role}, **_for(key)},
            )
        )
    return made


def let_open(made: kms.Key, key: SealingKey, role: iam.IRole) -> None:
    """Let a role of the key's own stack open what was sealed."""
    made.add_to_resource_policy(
        iam.PolicyStatement(
            sid="MayOpen",
            principals=[iam.ArnPrincipal(role.role_arn)],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions=_for(key),
        )
    )


def role_name(plan: Plan, workload: Workload) -> str | None:
    """The fixed name of a role that another account's key names; None for any other role's."""
    seals = any(isinstance(use, Seals) for use in workload.uses)
    return plan.stack_name(workload.name) if seals else None


def let_seal(role: iam.Role, plan: Plan, workload: Workload) -> None:
    """Let the role of a process that seals use the key, which it knows by its alias alone."""
    for use in workload.uses:
        if isinstance(use, Seals):
            conditions = _for(use.key)
            conditions["StringEquals"]["kms:RequestAlias"] = use.key.alias
            keys = plan.arns.keys_beside(use.key)
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["kms:GenerateDataKey"], resources=[keys], conditions=conditions
                )
            )
            accept_finding(
                role,
                f"AwsSolutions-IAM5[Resource::{keys}]",
                because=(
                    "The key's id is not known before it is made, in another account, and IAM knows"
                    " no key by its alias: kms:RequestAlias is the condition instead."
                ),
            )


def sealing_environment(
    plan: Plan, workload: Workload, keys: Mapping[str, kms.Key]
) -> dict[str, str]:
    """SEALING_KEY: the alias' ARN for who seals, the key's for who opens, which compares it."""
    found: dict[str, str] = {}
    for use in workload.uses:
        if isinstance(use, Seals):
            found["SEALING_KEY"] = plan.arns.alias(use.key)
        elif isinstance(use, Opens):
            found["SEALING_KEY"] = keys[use.key.name].key_arn
    return found


def _for(key: SealingKey) -> dict[str, Any]:
    context = {f"kms:EncryptionContext:{name}": value for name, value in key.context.items()}
    return {"StringEquals": context}
