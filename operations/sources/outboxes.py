"""Every outbox of the system: what is committed, and not yet accepted by a bus or a queue."""

from collections.abc import Iterator
from dataclasses import dataclass

from operations.databases import DatabaseEnvironment
from runtime.errors import Misconfigured, Unavailable
from runtime.outbox.dynamodb import DynamoOutbox
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from runtime.outbox.stats import OutboxStats
from runtime.verdicts import Family


@dataclass(frozen=True)
class PendingOutbox:
    """One outbox: `name` as an operator knows it, `relay` the process that empties it."""

    name: str
    relay: str
    domain: str
    outbox: Outbox

    def stats(self) -> OutboxStats:
        """Count the rows. Raises Unavailable, Misconfigured."""
        try:
            return self.outbox.stats()
        except Unavailable as error:
            if error.family is Family.MISSING:
                raise Misconfigured(
                    f"the outbox {self.name} does not exist there: provision it first"
                ) from None
            raise

    def rows(self) -> Iterator[Row]:
        """Read the rows page by page, in sequence per aggregate. Raises Unavailable."""
        for page in self.outbox.scan():
            yield from page


def pending(environment: DatabaseEnvironment) -> Iterator[PendingOutbox]:
    """Name every outbox of the system; nothing is read before it is asked for."""
    for relay in (each for each in environment.workloads if each.relays_outbox):
        domain = relay.domain
        if relay.empties is None:
            collection = relay.settings["OUTBOX_COLLECTION"]
            outbox = MongoOutbox(environment.mongodb, collection)
            yield PendingOutbox(f"{domain}.{collection}", relay.name, domain, outbox)
        else:
            table = DynamoOutbox(environment.aws(domain).client("dynamodb"), relay.empties)
            yield PendingOutbox(relay.empties, relay.name, domain, table)
