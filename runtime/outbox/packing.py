"""A detail in fewer bytes: DynamoDB bills by the KB, and sealed bank details make a row larger.

The bytes are zlib's (RFC 1950) with DICTIONARY preset, so that a detail's field names cost nearly
nothing. Their header names the dictionary by its checksum, and they end with the detail's.
"""

import zlib

from contracts.outbox import MAX_RECORD_BYTES, MalformedRecord

DICTIONARY = (
    b'","traceparent":"00-","id":"","subscriptionId":"","status":"active","created":"2026-",'
    b'"updated":"2026-","quantity":,"bankDetails":"{"event":"SubscriptionCreated","metadata":{'
    b'"eventId":"","version":2,"aggregateId":"","sequence":1,"occurredAt":"2026-T::.Z",'
    b'"correlationId":"","causationId":null'
)
"""Never to be changed: what was packed with it could not be read. A new one would be a second."""

_LEVEL = 9
"""The smallest result: 20 µs for 1.3 KB."""


def packed(detail: str) -> bytes:
    packer = zlib.compressobj(_LEVEL, zdict=DICTIONARY)
    return packer.compress(detail.encode()) + packer.flush()


def unpacked(content: bytes) -> str:
    """Read what `packed` wrote; raises MalformedRecord for anything else, however large it is."""
    unpacker = zlib.decompressobj(zdict=DICTIONARY)
    try:
        detail = unpacker.decompress(content, MAX_RECORD_BYTES)
        if not unpacker.eof or unpacker.unused_data:
            raise MalformedRecord("packedDetail is cut short, too large, or has more behind it")
        return detail.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise MalformedRecord(f"packedDetail cannot be unpacked: {error}") from None
