"""Keeps payments: a document and its outbox document in one MongoDB transaction."""

from datetime import UTC

from runtime.mongodb import Document, Mongo
from runtime.outbox.mongodb import VersionedCollection
from runtime.process.tracing import Tracer
from services.payment.model import LastEvent, Payment, ReasonCode, Status

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
            "reasonCode": payment.reason_code,
        }

    def from_row(self, document: Document) -> Payment:
        reason_code = document.get("reasonCode")  # rows of earlier releases have none
        return Payment(
            subscription_id=document["_id"],
            account_number=document["accountNumber"],
            status=Status(document["status"]),
            created=document["created"].replace(tzinfo=UTC),
            updated=document["updated"].replace(tzinfo=UTC),
            version=document["version"],
            event=LastEvent(document["event"]),
            reason_code=ReasonCode(reason_code) if reason_code is not None else None,
        )
