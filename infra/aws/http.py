"""A service's door: an HTTP API for requests with a token, throttled, logged and measured."""

import json
from collections.abc import Sequence

from aws_cdk import CfnOutput, Tags
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.aws.grounds import Grounds
from infra.aws.tasks import TASK_PORT, Task
from infra.aws.webhook import route_webhook
from infra.routes import GatewayRoute, routes_of

REQUESTS_A_SECOND, BURST = 100, 200
"""For each API, all callers together; above that they get 429. Raise it with the tasks."""

ACCESS_LOG_FIELDS = (
    "requestId",
    "requestTime",
    "httpMethod",
    "path",
    "status",
    "responseLatency",
    "integrationLatency",
    "integrationErrorMessage",
    "identity.caller",
    "identity.sourceIp",
    "authorizer.error",
    "error.message",
)
"""Of API Gateway's $context. No body and no query: bank details stay out of the logs."""

ANYTHING_BELOW = "{below+}"
"""API Gateway has no route with a slash at its end: what is asked for so, a greedy one takes."""


class HttpApi(Construct):
    """Reaches the service's tasks through a VPC link; they have no address outside of the VPC."""

    def __init__(self, scope: Construct, task: Task, path: str, grounds: Grounds) -> None:
        name = grounds.plan.stack_name(path)
        super().__init__(scope, "HttpApi")
        Tags.of(self).add("service", task.name)
        self.api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        registered = task.service.cloud_map_service
        assert registered is not None  # noqa: S101 (as is each service with a path)
        self._integration = integrations.HttpServiceDiscoveryIntegration(
            "Tasks", registered, vpc_link=_vpc_link(self, name, task, grounds.cluster.vpc)
        )
        stage, issuer = self._stage(grounds), grounds.issuer
        tokens = authorizers.HttpJwtAuthorizer(
            "Tokens", issuer.url, jwt_audience=[*issuer.audiences]
        )
        for route in routes_of(path, task.webhook):
            match route.guard:
                case "token":
                    scopes = [issuer.scope_prefix + scope for scope in route.scopes]
                    self._add(route, tokens, scopes)
                case "signed request":
                    self._add(route, authorizers.HttpIamAuthorizer())
                case "webhook":
                    route_webhook(self.api, _paths(route), self._integration, stage)
        CfnOutput(self, "Url", value=f"{self.api.api_endpoint}/{path}")

    def _add(
        self,
        route: GatewayRoute,
        authorizer: apigateway.IHttpRouteAuthorizer,
        scopes: Sequence[str] | None = None,
    ) -> None:
        for path in _paths(route):
            self.api.add_routes(
                path=path,
                methods=[apigateway.HttpMethod(route.method)],
                integration=self._integration,
                authorizer=authorizer,
                authorization_scopes=scopes,
            )

    def _stage(self, grounds: Grounds) -> apigateway.CfnStage:
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigateway.ThrottleSettings(rate_limit=REQUESTS_A_SECOND, burst_limit=BURST),
        )
        log = grounds.log_group(self, f"{grounds.domain.name}-http-access")
        rendered = stage.node.default_child
        assert isinstance(rendered, apigateway.CfnStage)  # noqa: S101 (for mypy)
        rendered.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log.log_group_arn,
            format=json.dumps({field: f"$context.{field}" for field in ACCESS_LOG_FIELDS}),
        )
        return rendered


def _paths(route: GatewayRoute) -> tuple[str, str]:
    """Without and with a slash at the end, which to a service is the same."""
    return route.path, f"{route.path}/{ANYTHING_BELOW}"


def _vpc_link(scope: Construct, name: str, task: Task, vpc: ec2.IVpc) -> apigateway.VpcLink:
    group = ec2.SecurityGroup(
        scope,
        "LinkSecurityGroup",
        vpc=vpc,
        description=f"The VPC link of {name}",
        allow_all_outbound=False,
    )
    task.service.connections.allow_from(group, ec2.Port.tcp(TASK_PORT), "requests")
    return apigateway.VpcLink(
        scope,
        "Link",
        vpc=vpc,
        vpc_link_name=name,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        security_groups=[group],
    )
