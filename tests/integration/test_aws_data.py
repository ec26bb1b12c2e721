"""How data is kept on AWS: encrypted, recoverable, and safe from the stack that holds it."""

import pytest

from infra.topology import TOPOLOGY
from tests.synthesis import Synthesize
from tests.templates import ACCOUNT

KEEPS_DATA = (
    "AWS::DocDB::DBCluster",
    "AWS::DocDB::DBClusterParameterGroup",
    "AWS::DocDB::DBInstance",
    "AWS::DocDB::DBSubnetGroup",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
)


def test_tables_are_encrypted_recoverable_and_paid_by_use(synthesized: Synthesize) -> None:
    """Five tables, each under its domain's own key, recoverable to any second of 35 days."""
    tables = list(synthesized("dev").resources("AWS::DynamoDB::Table"))

    assert len(tables) == 5
    for table in tables:
        assert table.properties["SSESpecification"]["SSEType"] == "KMS"
        assert "Key" in table.properties["SSESpecification"]["KMSMasterKeyId"]
        assert table.properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        assert table.properties["BillingMode"] == "PAY_PER_REQUEST"


def test_documentdb_wants_tls_and_tells_of_changes(synthesized: Synthesize) -> None:
    """The engine is pinned, and its parameters leave no way round TLS."""
    (cluster,) = synthesized("dev").resources("AWS::DocDB::DBCluster")
    (parameters,) = synthesized("dev").resources("AWS::DocDB::DBClusterParameterGroup")

    assert cluster.properties["EngineVersion"] == "5.0.0"
    assert cluster.properties["StorageEncrypted"] is True
    assert cluster.properties["ManageMasterUserPassword"] is True
    assert "Key" in cluster.properties["MasterUserSecretKmsKeyId"]
    assert "MasterUserPassword" not in cluster.properties
    # The profiler would write commands out, and account numbers with them.
    assert cluster.properties["EnableCloudwatchLogsExports"] == ["audit"]
    assert "profiler" not in parameters.properties["Parameters"]
    assert parameters.properties["Family"] == "docdb5.0"
    assert parameters.properties["Parameters"]["tls"] == "enabled"
    assert int(parameters.properties["Parameters"]["change_stream_log_retention_duration"]) > 0


def test_queues_and_log_groups_are_encrypted_with_a_key_of_ours(synthesized: Synthesize) -> None:
    """What is in transit, and what was said, is as well kept as what is stored."""
    queues = list(synthesized("dev").resources("AWS::SQS::Queue"))
    groups = list(synthesized("dev").resources("AWS::Logs::LogGroup"))

    assert len(queues) == len(TOPOLOGY.queues)
    assert len(groups) > len(TOPOLOGY.log_groups)
    for queue in queues:
        assert "Key" in queue.properties["KmsMasterKeyId"], queue.logical_id
    for group in groups:
        assert "Key" in group.properties["KmsKeyId"], group.logical_id


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_buses_and_archives_are_encrypted_with_a_key_of_ours(
    synthesized: Synthesize, stage: str
) -> None:
    """An event is as well kept on its way and for replay as it is in a queue."""
    buses = list(synthesized(stage).resources("AWS::Events::EventBus"))
    archives = list(synthesized(stage).resources("AWS::Events::Archive"))

    assert (len(buses), len(archives)) == (len(TOPOLOGY.buses), len(TOPOLOGY.archives))
    for each in (*buses, *archives):
        assert ":key/${Key" in each.properties["KmsKeyIdentifier"], each.logical_id


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_eventbridge_may_use_every_key_for_this_account_alone(
    synthesized: Synthesize, stage: str
) -> None:
    """Else a bus, a rule's target and its dead-letter queue would all refuse the event.

    The key of bank details is no service's: tests/integration/test_aws_sealing.py.
    """
    for stack in synthesized(stage).stacks.values():
        keys = stack.resources("AWS::KMS::Key")
        for key in (each for each in keys if not each.logical_id.startswith("BankDetails")):
            granted = {
                statement["Sid"]: (statement["Action"], statement.get("Condition"))
                for statement in key.properties["KeyPolicy"]["Statement"]
                if statement["Principal"] == {"Service": "events.amazonaws.com"}
            }
            here = {"StringEquals": {"aws:SourceAccount": stack.account or ACCOUNT}}
            assert granted == {
                "EventBridgeMayLook": ("kms:DescribeKey", None),
                "EventBridgeMayEncrypt": (
                    [
                        "kms:Decrypt",
                        "kms:GenerateDataKey",
                        "kms:ReEncryptFrom",
                        "kms:ReEncryptTo",
                    ],
                    here,
                ),
            }


@pytest.mark.parametrize(
    ("stage", "deletion", "replacement"),
    [("dev", "Delete", "Delete"), ("prod", "RetainExceptOnCreate", "Retain")],
)
def test_a_protected_stages_data_outlives_its_stacks(
    synthesized: Synthesize, stage: str, deletion: str, replacement: str
) -> None:
    """Elsewhere a stage leaves nothing behind, and nowhere does a first try that failed."""
    seen: set[str] = set()
    for stack in synthesized(stage).stacks.values():
        for name, resource in stack.template["Resources"].items():
            if resource["Type"] in KEEPS_DATA and "FlowLogs" not in name:
                seen.add(resource["Type"])
                assert resource["DeletionPolicy"] == deletion, name
                assert resource["UpdateReplacePolicy"] == replacement, name
    assert seen == set(KEEPS_DATA)


@pytest.mark.parametrize(("stage", "protected"), [("dev", False), ("prod", True)])
def test_a_protected_stages_databases_refuse_to_be_deleted(
    synthesized: Synthesize, stage: str, protected: bool
) -> None:
    """Not only by the stack: by anybody who has not switched that off first."""
    tables = list(synthesized(stage).resources("AWS::DynamoDB::Table"))
    assert len(tables) == len(TOPOLOGY.tables)
    for table in tables:
        assert table.properties["DeletionProtectionEnabled"] is protected
    (cluster,) = synthesized(stage).resources("AWS::DocDB::DBCluster")
    assert cluster.properties["DeletionProtection"] is protected
    assert cluster.properties["BackupRetentionPeriod"] == (35 if protected else 7)
