"""What a redrive would do, found out without doing it."""

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.outgoing import Unsendable, outgoing
from operations.dlq.redriving import Letters, Told, chosen, untold
from operations.sources.origins import Destination


def plan(
    letters: Letters,
    choice: Choice,
    *,
    queue: str,
    destination: Destination,
    most: int,
    told: Told = untold,
) -> Tally:
    """Say of each chosen letter, of the first `most`, what would become of it.

    `moved` in the tally's ends is what would be sent. Whoever holds the letters lets go of them.
    Raises Unavailable.
    """
    tally = Tally(queue)
    for round_ in chosen(letters, choice, tally, most):
        for letter in round_:
            try:
                outgoing(letter, destination)
                end = End(letter, moved=True, outcome="would be sent")
            except Unsendable as reason:
                end = End(letter, moved=False, outcome=f"would be left: {reason}")
            tally.ends.append(end)
            told(end)
    return tally
