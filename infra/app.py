"""Renders the topology to AWS CDK: `cdk synth -c stage=dev` runs this, as cdk.json says."""

import sys

from aws_cdk import App, Aws, Validations
from cdk_nag import AwsSolutionsChecks

from infra.aws.alarms import UnwatchedServiceError
from infra.aws.plan import Plan
from infra.routes import UnguardedRouteError
from infra.stacks import render
from infra.stages import Stage, StageError
from infra.topology import TOPOLOGY
from runtime.process.command import FAILED, MISCONFIGURED, run_command

FINDINGS = "ValidationFailed"
"""How jsii names the error of a synthesis that cdk-nag finds something in; CDK has printed what."""


def build(app: App) -> None:
    """Fill the app with the stacks of the stage that its context names, checked by cdk-nag."""
    context = app.node.try_get_context
    stage = Stage.of(context("stage"), context("stages"))
    render(app, Plan.of(stage, TOPOLOGY, Aws.ACCOUNT_ID))
    Validations.of(app).add_plugins(
        AwsSolutionsChecks(app, write_suppressions_to_cloud_formation=True)
    )


def main() -> int:
    app = App()
    try:
        build(app)
    except (StageError, UnguardedRouteError, UnwatchedServiceError) as error:
        sys.stderr.write(f"{error}\n")
        return MISCONFIGURED
    try:
        app.synth()
    except RuntimeError as error:
        if not str(error).startswith(FINDINGS):
            raise
        return FAILED
    return 0


if __name__ == "__main__":
    run_command(main)
