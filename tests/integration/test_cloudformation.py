"""The synthesized messaging and tables, deployed by CloudFormation, and the system on them.

MiniStack takes the templates as they were synthesized, less what tests/deployment.py leaves out.
It writes no log groups and checks no policies: those are compared, not tried.
"""

import json
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError
from pymongo import MongoClient

from infra.documentdb import provision_collections
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local.child import signal_child
from runtime.aws import CachingAws
from tests.agreement import Meant, differences, unexpected
from tests.conftest import running_ministack
from tests.declared import declared
from tests.deployment import DEPLOYED, LEFT_OUT, deploy, deployable, keys
from tests.e2e.world import ORDER
from tests.observed import observed
from tests.synthesis import Synthesize
from tests.templates import Stack
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

PARTS = ("shared", "subscriptions", "stock", "payments")
"""In the order in which the app deploys them."""

GAPS = (
    Meant("on AWS", "bus *", "Policy.*", "MiniStack's CloudFormation drops a bus's policy"),
    Meant("on AWS", "bus *", "KmsKeyIdentifier", "and its encryption"),
    Meant("on AWS", "table *", "SSESpecification.*", "and a table's"),
    Meant("on AWS", "table *", "PointInTimeRecovery*", "and its recovery"),
    Meant("on AWS", "log group *", "Tags", "and what a process's log is booked under"),
)


@pytest.fixture(scope="module")
def stacks(synthesized: Synthesize) -> list[Stack]:
    """Of the stage dev; the overview is a dashboard."""
    made = synthesized("dev").stacks
    return [deployable(made[f"streamed-events-dev-{part}"]) for part in PARTS]


@pytest.fixture(scope="module")
def deployed(
    stacks: list[Stack], tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[CachingAws]:
    """An AWS in which CloudFormation alone has made anything."""
    folder = tmp_path_factory.mktemp("cloudformation")
    with running_ministack(folder, pytestconfig) as ministack:
        aws = CachingAws(region=ministack.region, endpoint_url=ministack.endpoint)
        deploy(aws, stacks)
        yield aws


def test_only_what_is_named_is_left_out(synthesized: Synthesize) -> None:
    """Every type of resource is deployed, or says why it is not."""
    found = {resource.type for resource in synthesized("dev").resources()}
    known = tuple(LEFT_OUT)
    assert [each for each in sorted(found - DEPLOYED) if not each.startswith(known)] == []
    assert [each for each in known if not any(one.startswith(each) for one in found)] == []


def test_archives_are_left_out_because_the_emulator_takes_none(deployed: CachingAws) -> None:
    """One refuses the whole template: when this fails, tests/deployment.py can keep them."""
    archive = {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": "arn"}}
    with pytest.raises(ClientError, match=r"Unrecognized.*Events::Archive"):
        deployed.client("cloudformation").create_stack(
            StackName="archive", TemplateBody=json.dumps({"Resources": {"Archive": archive}})
        )


def test_cloudformation_makes_what_the_templates_declare(
    deployed: CachingAws, stacks: list[Stack]
) -> None:
    """Read back by AWS's own APIs, it is all there, but for what MiniStack drops."""
    made = json.dumps(observed(deployed, region="eu-west-1"))
    for key_id, logical_id in keys(deployed, stacks).items():
        made = made.replace(f"key/{key_id}", f"key/${{{logical_id}}}")
    found = list(differences(declared(stacks), json.loads(made)))
    assert unexpected(found, GAPS) == []
    assert [gap for gap in GAPS if not any(map(gap.covers, found))] == []


def test_the_lifecycle_runs_on_what_cloudformation_made(
    deployed: CachingAws, mongodb_uri: str, tmp_path: Path
) -> None:
    """A subscription is stocked and paid for; cancelling the payment undoes all of it."""
    database = f"payments-{uuid4().hex[:8]}"
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        provision_collections(client[database])
    documents = {"MONGODB_URI": mongodb_uri, "MONGODB_DATABASE": database}

    with ExitStack() as system:
        processes = {
            workload.name: system.enter_context(_running(workload, deployed, documents, tmp_path))
            for workload in WORKLOADS
        }
        system.callback(_stop_all, processes.values())
        for process in processes.values():
            process.until_ready()

        # Given a customer who subscribes
        created = _call(processes["subscription-api"], "POST", "/subscriptions", json=ORDER)
        subscription_id = created["subscriptionId"]

        # Then stock is allocated, and a direct debit is set up
        stock, payment = f"/stock/{subscription_id}", f"/payments/{subscription_id}"
        assert _until(processes["stock-api"], stock, "allocated")["stock"] == 36
        _until(processes["payment-api"], payment, "active")

        # When the debit is cancelled
        _call(processes["payment-api"], "PATCH", payment, json={"status": "cancelled"})

        # Then the stock is given back, and the subscription ends
        assert _until(processes["stock-api"], stock, "deallocated")["stock"] == 0
        _until(processes["subscription-api"], f"/subscriptions/{subscription_id}", "cancelled")


def _running(
    workload: Workload, aws: CachingAws, documents: Mapping[str, str], folder: Path
) -> AbstractContextManager[LaunchedProcess]:
    module, *command = workload.command
    return running(
        folder,
        module,
        " ".join(command),
        {
            **workload.settings,
            **(
                {"AWS_ENDPOINT_URL": aws.client("sqs").meta.endpoint_url}
                if workload.uses_aws
                else {}
            ),
            **(documents if workload.uses_documents else {}),
            "QUEUE_WAIT_SECONDS": "1",
        },
        port_name="HTTP_PORT" if workload.path else "HEALTH_PORT",
        is_measured=False,
    )


def _stop_all(processes: Iterable[LaunchedProcess]) -> None:
    """At once: one after the other would wait for each one's last long poll."""
    for process in processes:
        signal_child(process.child, signal.SIGTERM)


def _call(process: LaunchedProcess, method: str, path: str, **given: Any) -> dict[str, Any]:
    answer = httpx.request(method, process.url + path, timeout=20, trust_env=False, **given)
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _until(process: LaunchedProcess, path: str, status: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        answer = process.get(path)
        body: dict[str, Any] = answer.json() if answer is not None else {}
        return body if body.get("status") == status else None

    return eventually(found, timeout=40, what=f"{path} is {status}", every=0.1)
