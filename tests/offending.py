"""Our app with one offending stack in place of ours: `python -m tests.offending`."""

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import app
from infra.aws.plan import Plan


def one_open_queue(scope: Construct, plan: Plan) -> None:
    """Neither a dead-letter queue nor TLS, which AwsSolutions asks for."""
    sqs.CfnQueue(Stack(scope, "offending"), "queue")


if __name__ == "__main__":
    app.render = one_open_queue  # type: ignore[attr-defined]
    raise SystemExit(app.main())
