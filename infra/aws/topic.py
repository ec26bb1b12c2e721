"""The one topic of an account's alarms, and who hears of them."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.aws.keys import let_service_use
from infra.aws.plan import Plan

ALARMS, MAY_PUBLISH = "cloudwatch.amazonaws.com", "AlarmsMayPublish"


def topic_of_alarms(scope: Construct, plan: Plan, key: kms.Key) -> sns.Topic:
    """Make it, for our alarms to publish to: encrypted, and closed to everybody else."""
    ours = {
        "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        "ArnLike": {
            "aws:SourceArn": (
                f"arn:aws:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:{plan.stack_name('*')}"
            )
        },
    }
    let_service_use(key, ALARMS, MAY_PUBLISH, conditions=ours)
    topic = sns.Topic(
        scope, "Alarms", topic_name=plan.stack_name("alarms"), master_key=key, enforce_ssl=True
    )
    # A topic with a policy of its own has lost the default one: no account may publish unasked.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid=MAY_PUBLISH,
            principals=[iam.ServicePrincipal(ALARMS)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions=ours,
        )
    )
    if plan.stage.alarm_email:
        topic.add_subscription(subscriptions.EmailSubscription(plan.stage.alarm_email))
    return topic
