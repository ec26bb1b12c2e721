"""A webhook on AWS: the secrets that it is signed with, and a route for who has no credentials."""

from collections.abc import Sequence

from aws_cdk import CfnOutput
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.aws.grounds import Grounds
from infra.aws.keys import removal_policy
from infra.aws.reviewed import accept_finding

WEBHOOKS_A_SECOND, WEBHOOK_BURST = 10, 20
"""For the route alone: a flood of it takes nothing from the API's other routes."""

SECRET_CHARACTERS = 32
"""Base64 of 24 bytes, the least that Standard Webhooks has."""


def webhook_secrets(scope: Construct, process: str, grounds: Grounds) -> secretsmanager.Secret:
    """Make WEBHOOK_SECRETS: random, so that no sender has it, until the bank's takes its place."""
    secret = secretsmanager.Secret(
        scope,
        "WebhookSecrets",
        description=f"WEBHOOK_SECRETS of {process}: one to three, with commas between",
        encryption_key=grounds.key,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=SECRET_CHARACTERS, exclude_punctuation=True
        ),
        removal_policy=removal_policy(protected=grounds.plan.stage.protected),
    )
    accept_finding(
        secret,
        "AwsSolutions-SMG4",
        because=(
            "The bank makes this secret and replaces it, which no function of this account can do;"
            " docs/how-to/connect-a-bank.md says how to add one, switch and drop the old one."
        ),
    )
    CfnOutput(scope, "WebhookSecretsArn", value=secret.secret_arn)
    return secret


def route_webhook(
    api: apigateway.HttpApi,
    paths: Sequence[str],
    integration: apigateway.HttpRouteIntegration,
    stage: apigateway.CfnStage,
) -> None:
    """Route POSTs to a webhook without an authorizer, and with a throttle of their own."""
    settings = {"ThrottlingRateLimit": WEBHOOKS_A_SECOND, "ThrottlingBurstLimit": WEBHOOK_BURST}
    for path in paths:
        (route,) = api.add_routes(
            path=path,
            methods=[apigateway.HttpMethod.POST],
            integration=integration,
            authorizer=apigateway.HttpNoneAuthorizer(),
        )
        accept_finding(
            route,
            "AwsSolutions-APIG4",
            because=(
                "A bank has neither AWS credentials nor a token of this system: it signs the body"
                " as Standard Webhooks says, and the service refuses what is not signed with 401."
            ),
        )
        stage.node.add_dependency(route)  # settings of a route that is not there fail
    stage.route_settings = {f"POST {path}": settings for path in paths}
