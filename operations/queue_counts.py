"""How many messages a queue holds, found by its name."""

from operations.depths import depth_of
from operations.place import Place
from runtime.queues import find_url


def held(place: Place, domain: str, queue: str) -> int:
    """Count what waits and what is in a consumer's hands. Raises Unavailable, Misconfigured."""
    sqs = place.aws(domain).client("sqs")
    return depth_of(sqs, find_url(sqs, queue)).total
