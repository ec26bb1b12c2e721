"""Makes a single mongod a replica set of one: transactions and change streams need one.

And has it read as DocumentDB reads: only what cannot be undone any more.
"""

import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from local.child import wait_until_listening
from local.progress import SignsOfLife
from runtime.errors import Misconfigured

ELECTION_PATIENCE = 60.0
"""Seconds without any change; the whole takes under 2, a busy laptop or a recovery takes longer."""

ALREADY_INITIALIZED = 23  # MongoDB error code


def ensure_replica_set(uri: str, *, timeout: float = ELECTION_PATIENCE) -> None:
    """Return when the mongod that `uri` names is the writable primary of the set that it names.

    The URI's host is what every driver uses afterwards. Running it again changes
    nothing; data that was written under another address is taken over.
    Raises Misconfigured for a URI without the set's name, TimeoutError once `timeout` seconds went
    by in which nothing changed.
    """
    host, port, name = _parse(uri)
    # A driver that finds no server waits half a second before it looks again: knock first.
    wait_until_listening(port, timeout=timeout, what="mongod", host=host)
    client: MongoClient[dict[str, Any]] = MongoClient(
        host, port, directConnection=True, serverSelectionTimeoutMS=1000
    )
    last, progress = "it never answered", SignsOfLife()
    with client:
        while progress.silence() < timeout:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    read_only_what_lasts(client)
                    return
                last = _nudge(client, name, f"{host}:{port}")
                progress.see(last)
            except PyMongoError as error:
                last = str(error)
            time.sleep(0.02)
    raise TimeoutError(f"mongod at {host}:{port} was no primary within {timeout:g} s: {last}")


def read_only_what_lasts(client: MongoClient[dict[str, Any]]) -> None:
    """Make majority the default read concern, on the primary of this client.

    MongoDB would read what only the primary has, and what is undone if that one dies: a relay would
    publish an event that was never committed, and a consumer drop a message as handled whose effect
    is gone. DocumentDB never shows such writes, so no service needs to ask for it.
    """
    client.admin.command({"setDefaultRWConcern": 1, "defaultReadConcern": {"level": "majority"}})


def _parse(uri: str) -> tuple[str, int, str]:
    try:
        parsed = parse_uri(uri)
    except (ConfigurationError, ValueError) as error:
        raise Misconfigured(f"MONGODB_URI: {error}") from error
    if "replicaSet" not in parsed["options"]:
        raise Misconfigured("MONGODB_URI: name the replica set in it, such as ?replicaSet=rs0")
    host, port = parsed["nodelist"][0]
    return host, port, parsed["options"]["replicaSet"]


def _nudge(client: MongoClient[dict[str, Any]], name: str, address: str) -> str:
    """Bring the set further on its way to a primary; returns what it waits for."""
    _initiate(client, name, address)
    _move(client, address)
    state = client.admin.command("replSetGetStatus")["members"][0]["stateStr"]
    return f"waiting for its election, it is in state {state}"


def _initiate(client: MongoClient[dict[str, Any]], name: str, address: str) -> None:
    """Make the set if there is none yet."""
    config = {"_id": name, "members": [{"_id": 0, "host": address}]}
    try:
        client.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise


def _move(client: MongoClient[dict[str, Any]], address: str) -> None:
    """Move the set to this address if it was made under another one."""
    config = client.admin.command("replSetGetConfig")["config"]
    if config["members"][0]["host"] != address:
        moved = {"version": config["version"] + 1, "members": [{"_id": 0, "host": address}]}
        client.admin.command("replSetReconfig", config | moved, force=True)
