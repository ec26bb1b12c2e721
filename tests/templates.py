"""Synthesized CloudFormation templates, with what their intrinsic functions come to."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ACCOUNT = "000000000000"
"""Where a stack without an account of its own lands: the emulator's."""


@dataclass(frozen=True)
class Resource:
    """`properties` are resolved as far as a template tells them."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class Stack:
    """`account` is None for the account of the credentials that deploy.

    `tags` are the stack's own, which CloudFormation gives to everything in it.
    """

    name: str
    account: str | None
    region: str
    tags: Mapping[str, str]
    termination_protection: bool
    template: Mapping[str, Any]
    metadata: Mapping[str, Any]
    path: Path

    @classmethod
    def read(cls, folder: Path, name: str, artifact: Mapping[str, Any]) -> "Stack":
        """From a cloud assembly's folder and its manifest's entry."""
        account, region = artifact["environment"].removeprefix("aws://").split("/")
        properties = artifact["properties"]
        metadata = folder / artifact.get("additionalMetadataFile", f"{name}.metadata.json")
        path = folder / properties["templateFile"]
        return cls(
            name=properties.get("stackName", name),
            account=None if account == "unknown-account" else account,
            region=region,
            tags=properties.get("tags", {}),
            termination_protection=properties.get("terminationProtection", False),
            template=json.loads(path.read_text()),
            metadata=json.loads(metadata.read_text()),
            path=path,
        )

    def resources(self, *types: str) -> Iterator[Resource]:
        """Those of some types, or all."""
        for logical_id, resource in self.template["Resources"].items():
            if not types or resource["Type"] in types:
                properties = self.resolve(resource.get("Properties", {}))
                yield Resource(logical_id, resource["Type"], properties)

    def logical_id(self, path: str) -> str:
        """Of the resource at a construct's path within the stack."""
        entries = self.metadata[f"/{self.name}/{path}"]
        (found,) = (each["data"] for each in entries if each["type"] == "aws:cdk:logicalId")
        return str(found)

    def resolve(self, value: Any) -> Any:
        """`value` with what Ref, Fn::GetAtt, Fn::Join and Fn::Sub come to.

        What only a deployment can tell stays as ${LogicalId.Attribute}.
        """
        resolved = value
        match value:
            case {"Ref": name}:
                resolved = self._pseudo_parameters.get(name) or self._reference(name)
            case {"Fn::GetAtt": [name, attribute]}:
                resolved = self._attribute(name, attribute)
            case {"Fn::Join": [separator, parts]}:
                resolved = separator.join(map(str, map(self.resolve, parts)))
            case {"Fn::Sub": str(text)}:
                resolved = re.sub(r"\$\{([^}!]+)\}", lambda name: self._named(name[1]), text)
            case dict():
                resolved = {key: self.resolve(each) for key, each in value.items()}
            case list():
                resolved = [self.resolve(each) for each in value]
        return resolved

    @cached_property
    def _pseudo_parameters(self) -> Mapping[str, str]:
        return {
            "AWS::AccountId": self.account or ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _named(self, name: str) -> str:
        """What stands in the braces of Fn::Sub."""
        reference = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
        return str(self.resolve(reference))

    def _reference(self, logical_id: str) -> str:
        kind, name = self._kind_and_name(logical_id)
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{self.region}.amazonaws.com/{self.account or ACCOUNT}/{name}"
        return name

    def _attribute(self, logical_id: str, attribute: str) -> str:
        kind, name = self._kind_and_name(logical_id)
        if attribute == "Arn" and kind in _ARNS:
            where = {"region": self.region, "account": self.account or ACCOUNT}
            return "arn:aws:" + _ARNS[kind].format(**where, name=name)
        return f"${{{logical_id}.{attribute}}}"

    def _kind_and_name(self, logical_id: str) -> tuple[str, str]:
        resource = self.template["Resources"].get(logical_id, {"Type": "a parameter"})
        named = resource.get("Properties", {}).get(NAMES.get(resource["Type"], ""))
        return resource["Type"], str(self.resolve(named)) if named else f"${{{logical_id}}}"


NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property that is a resource's name, and what Ref gives but for queues."""

_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
}
