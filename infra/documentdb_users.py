"""Who may do what in DocumentDB: for each process a role with its rights, and a user that has it.

On AWS a user is the IAM role of a process's task, and has no password:
https://docs.aws.amazon.com/documentdb/latest/developerguide/iam-identity-auth.html
Rights are the server's own actions, on one collection each:
https://docs.aws.amazon.com/documentdb/latest/developerguide/role_based_access_control.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import EmptiesDocuments, OwnsDocuments, Workload
from runtime.mongodb import Document

IAM_DATABASE, IAM_MECHANISM = "$external", "MONGODB-AWS"

DATABASE_USERS = tuple(workload for workload in WORKLOADS if workload.uses_documents)
"""The processes that sign in."""

_DATABASES = {each.name: each.database for each in TOPOLOGY.collections}


def provision_users(client: MongoClient[Document], role_arns: Mapping[str, str]) -> None:
    """Make each process's role and its user, or bring them up to date; again changes nothing.

    `role_arns` has the ARN of an IAM role by the process's name. Raises KeyError for a process
    without one before anything is changed, and pymongo's errors as they come.
    """
    arns = {workload.name: role_arns[workload.name] for workload in DATABASE_USERS}
    for workload in DATABASE_USERS:
        provision_role(client, workload)
        roles = [{"role": workload.name, "db": "admin"}]
        created = {"roles": roles, "mechanisms": [IAM_MECHANISM]}
        _put(client[IAM_DATABASE], "User", arns[workload.name], {"roles": roles}, created)


def provision_role(client: MongoClient[Document], workload: Workload) -> None:
    """The role has the workload's name, and is in `admin`, where DocumentDB has all of them."""
    privileges = [
        {"resource": {"db": database, "collection": collection}, "actions": actions}
        for database, collection, actions in rights_of(workload)
    ]
    role = {"privileges": privileges, "roles": []}
    _put(client["admin"], "Role", workload.name, role, role)


def rights_of(workload: Workload) -> Iterator[tuple[str, str, list[str]]]:
    """Yield database, collection (empty: each one) and actions."""
    for use in workload.uses:
        match use:
            case OwnsDocuments(collection, outbox):
                yield _DATABASES[collection], collection, ["find", "insert", "update"]
                yield _DATABASES[outbox], outbox, ["find", "insert"]
            case EmptiesDocuments(outbox):
                # It looks whether the outbox is there; to list names is of a whole database.
                yield _DATABASES[outbox], "", ["listCollections"]
                yield _DATABASES[outbox], outbox, ["changeStream", "find", "remove"]


def _put(
    database: Database[Document],
    kind: str,
    name: str,
    update: Mapping[str, Any],
    create: Mapping[str, Any],
) -> None:
    """Update it; where that is refused, since it is not there, create it.

    Which code says so is MongoDB's (11 and 31), and not among those that DocumentDB documents.
    """
    try:
        database.command(f"update{kind}", name, **update)
    except OperationFailure:
        database.command(f"create{kind}", name, **create)
