"""Aggregates' tables, written in transactions and read by their keys; and one key of KMS."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

_DATA_KEY, _SEALED_KEY = "A" * 43 + "=", "c3R1Yg=="
_KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000"


class StubTables:
    """Items of any table by their subscription; conditions are not looked at.

    What is written to an outbox in a transaction is dropped: nothing reads it here. The data key is
    32 zero bytes, each time.
    """

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], bytes] = {}
        self.operations = {
            "GetItem": self._get_item,
            "TransactWriteItems": self._transact_write_items,
            "GenerateDataKey": _data_key,
            "Decrypt": _data_key,
            "DescribeKey": lambda _: to_json({"KeyMetadata": {"KeyId": "stub", "Arn": _KEY_ARN}}),
        }

    def _get_item(self, request: Mapping[str, Any]) -> bytes:
        key = request["Key"].get("subscriptionId", {"S": ""})["S"]
        item = self._items.get((request["TableName"], key))
        return b'{"Item":%b}' % item if item else b"{}"

    def _transact_write_items(self, request: Mapping[str, Any]) -> bytes:
        for each in request["TransactItems"]:
            put = each.get("Put")
            if put and "subscriptionId" in put["Item"]:
                key = put["TableName"], put["Item"]["subscriptionId"]["S"]
                self._items[key] = to_json(put["Item"])
        return b"{}"


def _data_key(_: Mapping[str, Any]) -> bytes:
    return to_json({"KeyId": _KEY_ARN, "Plaintext": _DATA_KEY, "CiphertextBlob": _SEALED_KEY})
