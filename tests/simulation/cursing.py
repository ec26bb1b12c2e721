"""A history of poison of an unknown kind: some rows cannot be committed, all others can."""

from random import Random

from tests.simulation.plans import Act, Curse, Plan, Subscribe

CURSED, PASSING, PASSING_EVERY = 5, 130, 5.0
"""Of a history of poison of unknown kind: messages that carry it, more than a consumer holds at a
time; the subscriptions that pass meanwhile, one after so many seconds: until the last receive."""


def cursed_plan(random: Random) -> Plan:
    """Make a plan in which some subscriptions' stock cannot be allocated, and all others' can."""
    acts: list[Act] = []
    for number in range(1, CURSED + 1):
        curse = Curse(0.0, "stock", number, PASSING * PASSING_EVERY)
        acts += [curse, Subscribe(random.random(), number, 1, 15)]
    for number in range(CURSED + 1, CURSED + 1 + PASSING):
        at = (number - CURSED) * PASSING_EVERY + random.random()
        acts.append(Subscribe(at, number, 1, 15))
    return Plan(
        character="everything",
        share=0.0,
        mapped=frozenset(),
        window_rows=2000,
        workers=1,
        page=100,
        gaps=0,
        acts=tuple(acts),
    )
