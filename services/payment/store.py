"""Keeps payments: a document and its outbox document in one MongoDB transaction."""

from collections.abc import Mapping
from datetime import UTC
from typing import Protocol

from contracts.outbox import OutboxRecord
from runtime.cursors import Page
from runtime.mongodb import Document, Mongo
from runtime.outbox.commit import AggregateStore
from runtime.outbox.mongodb import VersionedCollection
from runtime.process.tracing import Tracer
from services.payment.model import LastEvent, Payment, Status

PAYMENTS_COLLECTION = "payments"
OUTBOX_COLLECTION = "outbox"


class Store(AggregateStore[Payment], Protocol):
    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Payment]:
        """Read a page: of the payments with one status, or of all, by id."""
        ...


class MongoStore:
    """The Store on MongoDB or DocumentDB."""

    def __init__(self, payments: VersionedCollection) -> None:
        self._payments = payments

    def get(self, subscription_id: str) -> Payment | None:
        document = self._payments.get(subscription_id)
        return _from_document(document) if document else None

    def commit(self, after: Payment, record: OutboxRecord, *, replaces: Payment | None) -> None:
        version = replaces.version if replaces else None
        self._payments.commit(_to_document(after), record, replaces=version)

    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Payment]:
        where = {"status": status} if status else None
        page = self._payments.page(limit=limit, after=after, where=where)
        return Page([_from_document(each) for each in page.items], page.next_position)


def collection(mongo: Mongo, tracer: Tracer | None = None) -> VersionedCollection:
    """Name the payments in a database, and the outbox that is written with them."""
    return VersionedCollection(
        mongo, collection=PAYMENTS_COLLECTION, outbox=OUTBOX_COLLECTION, tracer=tracer
    )


def _to_document(payment: Payment) -> Document:
    return {
        "_id": payment.subscription_id,
        "accountNumber": payment.account_number,
        "status": payment.status,
        "created": payment.created,
        "updated": payment.updated,
        "version": payment.version,
        "event": payment.event,
    }


def _from_document(document: Document) -> Payment:
    return Payment(
        subscription_id=document["_id"],
        account_number=document["accountNumber"],
        status=Status(document["status"]),
        created=document["created"].replace(tzinfo=UTC),
        updated=document["updated"].replace(tzinfo=UTC),
        version=document["version"],
        event=LastEvent(document["event"]),
    )
