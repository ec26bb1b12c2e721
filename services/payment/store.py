"""Keeps payments: a document and its outbox document in one MongoDB transaction."""

from datetime import UTC

from runtime.mongodb import Document, Mongo
from runtime.outbox.history import read_history, write_history
from runtime.outbox.mongodb import VersionedCollection
from runtime.process.tracing import Tracer
from services.payment.model import Event, EventName, Payment, ReasonCode, Status

PAYMENTS_COLLECTION = "payments"
OUTBOX_COLLECTION = "outbox"


class MongoStore(VersionedCollection[Payment]):
    """Payments in MongoDB or DocumentDB. Lists, of one status or of all, are in order of ids."""

    listed_by = "status"

    def __init__(self, mongo: Mongo, tracer: Tracer | None = None) -> None:
        super().__init__(
            mongo, collection=PAYMENTS_COLLECTION, outbox=OUTBOX_COLLECTION, tracer=tracer
        )

    def to_row(self, payment: Payment) -> Document:
        return {
            "_id": payment.subscription_id,
            "accountNumber": payment.account_number,
            "status": payment.status,
            "created": payment.created,
            "updated": payment.updated,
            "version": payment.version,
            "event": payment.event,
            "events": write_history(payment.events),
            "reasonCode": payment.reason_code,
            "erasedAt": payment.erased_at,
        }

    def from_row(self, document: Document) -> Payment:
        # Rows of earlier releases lack some of this.
        reason_code, erased_at = document.get("reasonCode"), document.get("erasedAt")
        created = document["created"].replace(tzinfo=UTC)
        updated = document["updated"].replace(tzinfo=UTC)
        past = read_history(document, first=EventName.CREATED, created=created, updated=updated)
        return Payment(
            subscription_id=document["_id"],
            account_number=document["accountNumber"],
            status=Status(document["status"]),
            created=created,
            events=tuple(Event(sequence, EventName(name), at) for sequence, name, at in past),
            reason_code=ReasonCode(reason_code) if reason_code is not None else None,
            erased_at=erased_at and erased_at.replace(tzinfo=UTC),
        )
