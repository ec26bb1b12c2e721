"""The provisioner on AWS: a Lambda function that CloudFormation calls before any process starts.

It alone signs in as the cluster's master user, whose password DocumentDB keeps in Secrets Manager
and changes every seven days. So it is read when it is needed, and kept nowhere.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import structlog
from pymongo import MongoClient

from infra.documentdb import provision_collections
from infra.documentdb_users import provision_users
from runtime import logs
from runtime.aws import Aws
from runtime.mongodb import Document
from runtime.settings import AwsSettings, MongoSettings, load

log = structlog.get_logger(__name__)

PHYSICAL_ID = "documentdb-provisioner"

ANSWER_ATTEMPTS = 3
"""Tries to reach CloudFormation: without an answer it waits until the resource's own time is over.
"""


LONGEST_REASON = 1000
"""Characters: an answer of more than 4096 bytes is refused."""


class ProvisionerSettings(MongoSettings, AwsSettings):
    """Of the cluster, as of any process but for its password: that is read from AWS."""


def handle(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001 (Lambda gives both)
    """Provision, and answer CloudFormation whatever happens: a failure undoes the deployment.

    Of ResourceProperties, `Cluster` is the cluster's identifier, and `Users` has the ARN of each
    process's IAM role by the process's name.
    Nothing is undone when the resource is deleted: with it goes the cluster, or stays.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
    """
    try:
        if event["RequestType"] != "Delete":
            properties = event["ResourceProperties"]
            _provision(properties["Cluster"], properties["Users"])
    except Exception as error:
        log.exception("cannot provision")
        _answer(event, "FAILED", f"{type(error).__name__}: {error}"[:LONGEST_REASON])
    else:
        _answer(event, "SUCCESS", "provisioned")


def _provision(cluster: str, role_arns: Mapping[str, str]) -> None:
    settings = load(ProvisionerSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process=PHYSICAL_ID)
    master = master_user(Aws.of(settings), cluster)
    with MongoClient[Document](settings.mongodb_uri, **master) as client:
        report = provision_collections(client[settings.mongodb_database])
        provision_users(client, role_arns)
    log.info("provisioned", changes=[str(change) for change in report.changes])


def master_user(aws: Any, cluster: str) -> dict[str, Any]:
    """The username and the password of now; raises a ClientError for what may not be read."""
    found = aws.client("docdb").describe_db_clusters(DBClusterIdentifier=cluster)
    arn = found["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    secret = aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return {name: json.loads(secret)[name] for name in ("username", "password")}


def _answer(event: Mapping[str, Any], status: str, reason: str) -> None:
    """Put the answer where CloudFormation looks for it: a signed URL, which takes no type."""
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": PHYSICAL_ID,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    with httpx.Client(transport=httpx.HTTPTransport(retries=ANSWER_ATTEMPTS)) as client:
        response = client.put(event["ResponseURL"], content=json.dumps(answer).encode())
        response.raise_for_status()
