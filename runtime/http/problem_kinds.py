"""The kinds of problem that a caller can meet: their types are stable, callers branch on them."""

from dataclasses import dataclass

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, the last part of its type URI, and its title."""

    status: int
    slug: str
    title: str

    @property
    def uri(self) -> str:
        return f"urn:streamed-events:problem:{self.slug}"

    def problem(self, detail: str) -> dict[str, str | int]:
        """The members that RFC 9457 gives every problem."""
        return {"type": self.uri, "title": self.title, "status": self.status, "detail": detail}


MALFORMED = Kind(400, "malformed-request", "The request cannot be read")
INVALID_CURSOR = Kind(400, "invalid-cursor", "The cursor is not one of this list's")
UNAUTHENTICATED = Kind(401, "unauthenticated", "A valid access token is needed")
INVALID_SIGNATURE = Kind(401, "invalid-signature", "The webhook is not signed as it must be")
INSUFFICIENT_SCOPE = Kind(403, "insufficient-scope", "The access token does not allow this")
NOT_FOUND = Kind(404, "not-found", "There is nothing here")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "This method is not for this resource")
TOO_SLOW = Kind(408, "request-too-slow", "The request did not arrive in time")
NOT_CANCELLED = Kind(409, "not-cancelled", "The subscription is active")
RESERVED = Kind(409, "reserved", "More is reserved than that would leave")
ERASED = Kind(410, "subscription-erased", "The subscription was erased")
PRECONDITION_FAILED = Kind(412, "precondition-failed", "It is no longer what If-Match says")
CONTENT_TOO_LARGE = Kind(413, "content-too-large", "The body is too large")
UNSUPPORTED_MEDIA_TYPE = Kind(415, "unsupported-media-type", "The body must be JSON")
MISDIRECTED = Kind(421, "misdirected", "This server does not answer to this name")
INVALID = Kind(422, "invalid-request", "The request breaks a rule")
HEADERS_TOO_LARGE = Kind(431, "headers-too-large", "The request's headers are too large")
INTERNAL = Kind(500, "internal-error", "Something is wrong with the service")
UNKNOWN_CODING = Kind(501, "unknown-transfer-coding", "The body's transfer coding is not taken")
UNAVAILABLE = Kind(503, "unavailable", "A dependency is away; try again")
TOO_MANY_CONNECTIONS = Kind(503, "too-many-connections", "The service has no connection to spare")
