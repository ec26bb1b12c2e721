"""Sealing keys on an emulator: one each, enabled, found by its alias."""

from typing import TYPE_CHECKING

from infra.changes import Change, change_of
from infra.resources import SealingKey
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def render_keys(kms: "KMSClient", topology: Topology) -> list[Change]:
    return [change for key in topology.keys for change in _key(kms, key)]


def _key(kms: "KMSClient", key: SealingKey) -> list[Change]:
    try:
        found = kms.describe_key(KeyId=key.alias)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        made = kms.create_key(Description=f"Seals {key.name}")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=key.alias, TargetKeyId=made)
        return change_of("key", key.name, existed=False, what=())
    if found["Enabled"]:
        return []
    if found["KeyState"] == "PendingDeletion":
        kms.cancel_key_deletion(KeyId=found["KeyId"])
    kms.enable_key(KeyId=found["KeyId"])
    return change_of("key", key.name, existed=True, what=["KeyState"])
