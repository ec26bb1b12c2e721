"""An event bus: whether it is there, and what one PutEvents carries."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from runtime.aws import asking, error_code
from runtime.batches import Limits
from runtime.errors import Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

PUT_EVENTS_LIMITS = Limits(entries=10, total_bytes=1024 * 1024 - 1)
"""PutEvents quotas: 10 entries; the entries' sizes add up to less than 1 MB."""


def require_bus(events: "EventBridgeClient", bus: str) -> None:
    """Raise Misconfigured if there is no such bus: PutEvents to it would succeed, silently."""
    with asking("EventBridge"):
        try:
            events.describe_event_bus(Name=bus)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise Misconfigured(
                    f"the event bus {bus} does not exist: provision it first"
                ) from None
            raise
