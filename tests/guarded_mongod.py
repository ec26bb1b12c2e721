"""A mongod that wants to know who asks, whose users' passwords a test changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from infra.documentdb import provision_collections
from infra.local_system.addresses import REPLICA_SET
from infra.local_system.ports import LOOPBACK
from local.replica_set import read_only_what_lasts
from runtime.mongodb import Document
from verification.testkit.engines import running_mongod
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually

ROOT = "root"


@dataclass(frozen=True)
class GuardedMongod:
    """`wire` is what its clients come through: cut it, and they have to sign in again."""

    port: int
    wire: TcpProxy

    @property
    def uri(self) -> str:
        """For our processes, without credentials."""
        return f"mongodb://{LOOPBACK}:{self.wire.port}/?directConnection=true"

    @property
    def root_uri(self) -> str:
        return f"mongodb://{ROOT}:{ROOT}@{LOOPBACK}:{self.port}/?directConnection=true"

    def provision(self, database: str) -> None:
        with MongoClient[Document](self.root_uri) as client:
            provision_collections(client[database])

    def create_user(self, name: str, password: str) -> None:
        with MongoClient[Document](self.root_uri) as client:
            client.admin.command("createUser", name, pwd=password, roles=["root"])

    def change_password(self, name: str, password: str) -> None:
        """Also where connections are that signed in with the old one, as after a failover."""
        with MongoClient[Document](self.root_uri) as client:
            client.admin.command("updateUser", name, pwd=password)
        self.wire.cut()
        self.wire.restore()

    def replace_user(self, name: str, password: str) -> None:
        """Drop the user and make it again: connections stay, and may do nothing any more."""
        with MongoClient[Document](self.root_uri) as client:
            client.admin.command("dropUser", name)
        self.create_user(name, password)


@contextmanager
def a_guarded_mongod(folder: Path) -> Iterator[GuardedMongod]:
    """A replica set of one with authorization, for as long as the block lasts."""
    key = folder / "key"
    key.write_text("0123456789abcdef")
    key.chmod(0o600)
    with running_mongod(folder / "data", "--keyFile", str(key)) as port:
        _set_up(port)
        with TcpProxy(port).running() as wire:
            yield GuardedMongod(port, wire)


def _set_up(port: int) -> None:
    """Initiate it, and make the first user: from this machine, that needs no credentials."""
    member = {"_id": 0, "host": f"{LOOPBACK}:{port}"}
    with MongoClient[Document](LOOPBACK, port, directConnection=True) as client:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})

        def is_primary() -> bool:
            try:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
            except PyMongoError:
                return False

        eventually(is_primary, what="a primary")
        client.admin.command("createUser", ROOT, pwd=ROOT, roles=["root"])
    with MongoClient[Document](
        LOOPBACK, port, directConnection=True, username=ROOT, password=ROOT
    ) as client:
        read_only_what_lasts(client)
