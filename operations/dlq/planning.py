"""What a redrive would do, found out without doing it."""

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.outgoing import Unsendable, content_of
from operations.dlq.redriving import LeasedQueue, OnOutcome, chosen, ignore_outcome
from operations.sources.origins import Destination


def plan(
    lease: LeasedQueue,
    choice: Choice,
    *,
    queue: str,
    destination: Destination,
    most: int,
    on_outcome: OnOutcome = ignore_outcome,
) -> Tally:
    """Say of each chosen dead letter, of the first `most`, what would become of it.

    `moved` in the tally's ends is what would be sent. The caller releases the lease.
    Raises Unavailable.
    """
    tally = Tally(queue)
    for round_ in chosen(lease, choice, tally, most):
        for dead_letter in round_:
            try:
                content_of(dead_letter, destination)
                end = End(dead_letter, moved=True, outcome="would be sent")
            except Unsendable as reason:
                end = End(dead_letter, moved=False, outcome=f"would be left: {reason}")
            tally.ends.append(end)
            on_outcome(end)
    return tally
