"""A MongoDB replica set of three on one machine, whose members can be stopped and made to fail."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from infra.local_system.addresses import REPLICA_SET
from infra.local_system.ports import LOOPBACK
from local.child import last_lines, signal_child, start_child, stop_child, wait_until_listening
from local.engines import find_mongod
from local.errors import last_words
from local.replica_set import read_only_what_lasts
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

OPLOG_MEGABYTES = 16
"""What a primary remembers of its changes: little, so that a test can make it forget."""

ELECTION_TIMEOUT = 2000
"""Milliseconds without a heartbeat, after which members elect another primary."""

READY_WITHIN = 60
"""Seconds; starting takes 2 and an election 3, and a busy machine needs more."""


class ReplicaSet:
    """Three members that a module shares: use a database of your own, and leave all of them up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members: dict[int, Popen[bytes]] = {}
        self._clients: dict[int, MongoClient[dict[str, Any]]] = {}
        self._ports: list[int] = []

    @property
    def uri(self) -> str:
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in self._ports)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}&retryWrites=false"

    @contextmanager
    def running(self) -> Iterator["ReplicaSet"]:
        with reserved_ports(3) as self._ports, self._members_running():
            self._initiate()
            yield self

    @contextmanager
    def _members_running(self) -> Iterator[None]:
        try:
            for port in self._ports:
                self._start(port)
            yield
        except BaseException as error:
            for port, member in self._members.items():
                lines = last_lines(self._log(port))
                error.add_note(last_words(f"mongod {port}", member.poll(), lines))
            raise
        finally:
            for client in self._clients.values():
                client.close()
            for member in self._members.values():
                # Nothing of it is kept: a clean end would take a second.
                stop_child(member, within=0)

    def primary(self) -> int:
        """The port of the member that takes writes, waiting for an election."""
        return eventually(self._find_primary, timeout=READY_WITHIN, what="a primary")

    def step_down(self) -> None:
        """Have the primary hand over, as before maintenance; returns when another one has.

        For three seconds it is no candidate again.
        """
        eventually(self._hands_over, timeout=READY_WITHIN, what="a primary that steps down")
        self.primary()

    def kill_primary(self) -> int:
        """kill -9; returns the port of the member that is gone, to be started again."""
        port = self.primary()
        signal_child(self._members[port], signal.SIGKILL)
        self._members[port].wait(timeout=30)
        return port

    def start_again(self, port: int) -> None:
        """Start a member that was killed, on what it has on its disk."""
        self._start(port)
        eventually(lambda: self._state(port) in {1, 2}, timeout=READY_WITHIN, what="a member")

    @contextmanager
    def failing(self, point: str, port: int | None = None, **settings: Any) -> Iterator[None]:
        """Switch a fail point of MongoDB's own on, at the primary or another member."""
        client = self._client(self.primary() if port is None else port)
        client.admin.command({"configureFailPoint": point, "mode": "alwaysOn", **settings})
        try:
            yield
        finally:
            with suppress(PyMongoError):  # it may have been killed
                client.admin.command({"configureFailPoint": point, "mode": "off"})

    def has_alone(self, database: str, collection: str, document: Mapping[str, Any]) -> bool:
        """Whether the primary has such a document, be it the only member that does."""
        documents = self._client(self.primary())[database].get_collection(
            collection, read_concern=ReadConcern("local")
        )
        return documents.find_one(document) is not None

    def secondaries(self) -> list[int]:
        primary = self.primary()
        return [port for port in self._ports if port != primary]

    def set_parameter(self, name: str, value: Any) -> None:
        """Set a parameter of the primary's, as long as it runs."""
        self._client(self.primary()).admin.command({"setParameter": 1, name: value})

    def forget_history(self) -> None:
        """Write until the primary's oplog begins later than it ended when we came."""
        client = self._client(self.primary())
        filler = client["filler"].get_collection("filler", write_concern=WriteConcern(1))
        oplog = client["local"]["oplog.rs"]
        (newest,) = oplog.find().sort("$natural", -1).limit(1)

        def forgotten() -> bool:
            filler.insert_many([{"text": "x" * 4_000_000} for _ in range(3)])
            (oldest,) = oplog.find().sort("$natural", 1).limit(1)
            return bool(oldest["ts"] > newest["ts"])

        eventually(forgotten, timeout=READY_WITHIN, what="an oplog that was cut off", every=0.2)
        filler.drop()

    def _start(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(exist_ok=True)
        argv = (
            str(find_mongod()),
            *("--replSet", REPLICA_SET, "--bind_ip", LOOPBACK, "--port", str(port)),
            *("--dbpath", str(folder), "--nounixsocket", "--quiet"),
            *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", str(OPLOG_MEGABYTES)),
            # A second between checkpoints: what a crash would need is not cut off the oplog.
            *("--syncdelay", "1", "--setParameter", "enableTestCommands=1"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        )
        with self._log(port).open("ab") as log:
            self._members[port] = start_child(argv, output=log)

    def _log(self, port: int) -> Path:
        return self._folder / f"{port}.log"

    def _initiate(self) -> None:
        for port in self._ports:
            what, member = f"mongod {port}", self._members[port]
            wait_until_listening(port, timeout=READY_WITHIN, what=what, child=member)
        members = [{"_id": n, "host": f"{LOOPBACK}:{p}"} for n, p in enumerate(self._ports)]
        settings = {
            "electionTimeoutMillis": ELECTION_TIMEOUT,
            "heartbeatIntervalMillis": ELECTION_TIMEOUT // 10,
        }
        first = self._client(self._ports[0])
        first.admin.command(
            "replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings}
        )
        for port in self._ports:
            eventually(lambda: self._state(port) in {1, 2}, timeout=READY_WITHIN, what="a member")  # noqa: B023
        read_only_what_lasts(self._client(self.primary()))

    def _hands_over(self) -> bool:
        try:
            self._client(self.primary()).admin.command(
                "replSetStepDown", 3, secondaryCatchUpPeriodSecs=2
            )
        except AutoReconnect:
            return True
        except OperationFailure:
            return False  # no other member is as far as it, or may be a candidate
        return True

    def _find_primary(self) -> int | None:
        for port in self._ports:
            if self._members[port].poll() is None and self._state(port) == 1:
                with suppress(PyMongoError):
                    if self._client(port).admin.command("hello")["isWritablePrimary"]:
                        return port
        return None

    def _state(self, port: int) -> int | None:
        """1 of a primary, 2 of a secondary; None while it does not say."""
        try:
            return int(self._client(port).admin.command("replSetGetStatus")["myState"])
        except PyMongoError:
            time.sleep(0.05)
            return None

    def _client(self, port: int) -> MongoClient[dict[str, Any]]:
        if port not in self._clients:
            self._clients[port] = MongoClient(
                LOOPBACK, port, directConnection=True, serverSelectionTimeoutMS=1000
            )
        return self._clients[port]
