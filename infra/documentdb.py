"""Makes the topology's collections on DocumentDB or MongoDB: `python -m infra.documentdb`.

They are made before anyone uses them, since DocumentDB cannot create one inside a transaction.
Running it again changes nothing.
"""

import sys
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from infra.changes import CannotChangeError, Change, Report, change_of
from infra.resources import Collection, CollectionIndex
from infra.topology import TOPOLOGY, Topology
from runtime.mongodb import Document, configuring
from runtime.process.command import FAILED, run_command
from runtime.settings import MongoSettings, load

NAMESPACE_EXISTS = 48
"""The collection is there already."""

COMMAND_NOT_FOUND = 59

PRIMARY_INDEX = "_id_"


def provision_collections(database: Database[Document], topology: Topology = TOPOLOGY) -> Report:
    """Make what is missing, and replace an index whose keys differ.

    Collections and indexes that the topology does not name stay: nothing here deletes data or
    undoes what an operator added in need. Raises CannotChangeError for an index that exists under
    another name, and pymongo's errors as they come.
    """
    existing = set(database.list_collection_names())
    return Report(
        tuple(
            change
            for collection in topology.collections
            for change in _collection(database, collection, existed=collection.name in existing)
        )
    )


def provision_at(uri: str, database: str, credentials: Mapping[str, Any]) -> Report:
    """Make them with a client of its own. Raises Misconfigured for a URI that is none."""
    with configuring():
        made = MongoClient[Document](uri, **credentials)
    with made as client:
        return provision_collections(client[database])


def main() -> int:
    """Run as a process: prints each change and a summary. Raises Misconfigured."""
    settings = load(MongoSettings)
    uri, database = settings.mongodb_uri, settings.mongodb_database
    try:
        report = provision_at(uri, database, settings.mongodb_credentials)
    except (CannotChangeError, PyMongoError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    sys.stdout.writelines(f"{line}\n" for line in (*report.changes, report))
    return 0


def _collection(
    database: Database[Document], collection: Collection, *, existed: bool
) -> list[Change]:
    if not existed:
        _create(database, collection.name)
    changes = change_of("collection", collection.name, existed=existed, what=())
    for index in collection.indexes:
        changes += _index(database, collection.name, index)
    if collection.change_stream:
        _enable_change_streams(database, collection.name)
    return changes


def _create(database: Database[Document], name: str) -> None:
    """Two that provision at once both find it missing: for the slower one it is there by now."""
    try:
        database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise


def _index(database: Database[Document], collection: str, index: CollectionIndex) -> list[Change]:
    found = {each["name"]: _keys(each["key"]) for each in database[collection].list_indexes()}
    if found.get(index.name) == index.keys:
        return []
    twins = [name for name, keys in found.items() if keys == index.keys and name != PRIMARY_INDEX]
    if twins:
        raise CannotChangeError(
            "index",
            f"{collection}.{index.name}",
            f"it exists under the name {twins[0]}",
            f"drop {twins[0]} when the load allows, then run this again",
        )
    existed = index.name in found
    if existed:
        database[collection].drop_index(index.name)
    database[collection].create_index(list(index.keys), name=index.name)
    name = f"{collection}.{index.name}"
    return change_of("index", name, existed=existed, what=["keys"])


def _enable_change_streams(database: Database[Document], collection: str) -> None:
    """Turn change streams on where they are off until this: on DocumentDB. Repeatable.

    MongoDB does not know the command and has them always.
    https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html
    """
    try:
        database.client.admin.command(
            {
                "modifyChangeStreams": 1,
                "database": database.name,
                "collection": collection,
                "enable": True,
            }
        )
    except OperationFailure as error:
        if error.code != COMMAND_NOT_FOUND:
            raise


def _keys(key: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Directions come back as floats from some servers."""
    return tuple(
        (field, int(order) if isinstance(order, float) else order) for field, order in key.items()
    )


if __name__ == "__main__":
    run_command(main)
