"""A mongod that fails or delays commands of our processes when it is asked to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from infra.local_system.addresses import mongodb_uri
from local.replica_set import ensure_replica_set
from verification.testkit.engines import running_mongod

EACH_KIND = ("find", "insert", "update", "commitTransaction", "ping")


@dataclass(frozen=True)
class FailingMongod:
    uri: str

    @contextmanager
    def with_code(
        self, code: int, commands: Sequence[str] = EACH_KIND, *, share: float = 1
    ) -> Iterator[None]:
        """A `share` of these commands fails, from 0 to 1."""
        mode = "alwaysOn" if share == 1 else {"activationProbability": share}
        with self._failing(mode, commands, errorCode=code):
            yield

    @contextmanager
    def delaying(self, command: str, milliseconds: int) -> Iterator[None]:
        with self._failing("alwaysOn", [command], blockConnection=True, blockTimeMS=milliseconds):
            yield

    @contextmanager
    def _failing(self, mode: Any, commands: Sequence[str], **how: Any) -> Iterator[None]:
        data = {"failCommands": commands, "appName": "streamed-events", **how}
        self._set(mode, data=data)
        try:
            yield
        finally:
            self._set("off")

    def _set(self, mode: Any, **more: Any) -> None:
        with MongoClient[dict[str, Any]](self.uri) as client:
            client.admin.command("configureFailPoint", "failCommand", mode=mode, **more)


@contextmanager
def failing_mongod(state: Path) -> Iterator[FailingMongod]:
    with running_mongod(state, "--setParameter", "enableTestCommands=1") as port:
        ensure_replica_set(mongodb_uri(port))
        yield FailingMongod(mongodb_uri(port))
