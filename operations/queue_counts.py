"""How many messages a queue holds, without receiving any: a receive would count against them."""

from typing import Any

from operations.place import Place
from runtime.aws import reaching
from runtime.queues import find_url

_HELD: Any = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def held(place: Place, domain: str, queue: str) -> int:
    """Count messages: those that wait, those in a consumer's hands, those that are delayed.

    SQS calls the numbers approximate: they may lag behind by a minute.
    Raises Unavailable, and Misconfigured without the queue.
    """
    sqs = place.aws(domain).client("sqs")
    url = find_url(sqs, queue)
    with reaching("SQS"):
        answer: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_HELD)
    return sum(int(answer["Attributes"].get(name, "0")) for name in _HELD)
