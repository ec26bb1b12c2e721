"""A domain's DynamoDB tables: on demand, encrypted, recoverable to any second, streaming."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.keys import removal_policy
from infra.aws.plan import Plan
from infra.resources import KEY_TYPES, Domain, Key, Table, attributes_of


class Tables(Construct):
    """`streams` has the ARN of each table's stream, by table."""

    def __init__(self, scope: Construct, plan: Plan, domain: Domain, key: kms.Key) -> None:
        super().__init__(scope, "Tables")
        self.streams: dict[str, str] = {}
        for table in domain.tables:
            rendered = _table(self, table, key, protected=plan.stage.protected)
            if table.stream:
                self.streams[table.name] = rendered.attr_stream_arn


def _table(scope: Construct, table: Table, key: kms.Key, *, protected: bool) -> dynamodb.CfnTable:
    rendered = dynamodb.CfnTable(
        scope,
        table.name,
        table_name=table.name,
        billing_mode="PAY_PER_REQUEST",
        key_schema=_key_schema(table.key),
        attribute_definitions=_definitions(table),
        global_secondary_indexes=[
            dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                index_name=index.name,
                key_schema=_key_schema(index.key),
                projection=dynamodb.CfnTable.ProjectionProperty(projection_type="ALL"),
            )
            for index in table.indexes
        ]
        or None,
        stream_specification=dynamodb.CfnTable.StreamSpecificationProperty(
            stream_view_type=table.stream
        )
        if table.stream
        else None,
        sse_specification=dynamodb.CfnTable.SSESpecificationProperty(
            sse_enabled=True, sse_type="KMS", kms_master_key_id=key.key_arn
        ),
        point_in_time_recovery_specification=(
            dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
                point_in_time_recovery_enabled=True
            )
        ),
        deletion_protection_enabled=protected,
    )
    rendered.apply_removal_policy(removal_policy(protected=protected))
    return rendered


def _key_schema(key: Key) -> list[dynamodb.CfnTable.KeySchemaProperty]:
    return [
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=attribute.name, key_type=kind)
        for attribute, kind in zip(key.attributes, KEY_TYPES, strict=False)
    ]


def _definitions(table: Table) -> list[dynamodb.CfnTable.AttributeDefinitionProperty]:
    return [
        dynamodb.CfnTable.AttributeDefinitionProperty(
            attribute_name=attribute.name, attribute_type=attribute.type
        )
        for attribute in attributes_of(*table.keys)
    ]
