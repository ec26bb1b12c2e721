"""A redrive: in sequence, sent before written before deleted, and killed anywhere it loses none."""

from collections.abc import Callable
from itertools import count

import pytest

from operations.dlq.choice import Choice
from operations.dlq.redriving import NOT_DELETED, drop, in_sequence
from tests.dead_letters import Killed, TrailOf, World, a_dead_letter, a_record_body, an_event, turns


def events(*counts: tuple[str, int]) -> list[str]:
    """The bodies of so many events of each aggregate, in turns."""
    return [an_event(*each) for each in turns(*counts)]


def fifo(*counts: tuple[str, int]) -> World:
    return World([a_record_body(*each) for each in turns(*counts)], fifo=True)


def sequences(world: World, aggregate: str) -> list[int]:
    pairs = (each.rsplit("-", 1) for each in world.arrived)
    return [int(sequence) for name, sequence in pairs if name == aggregate]


def test_everything_arrives_in_sequence_whatever_the_order_it_lay_in() -> None:
    """A standard queue gives dead letters in any order; an aggregate's arrive in its own."""
    world = World(events(("a", 12), ("b", 7), ("c", 1))[::-1])

    tally = world.redrive()

    assert (tally.moved, tally.left, world.left) == (20, 0, [])
    assert sequences(world, "a") == list(range(1, 13))
    assert sequences(world, "b") == list(range(1, 8))


def test_no_call_holds_two_letters_of_an_aggregate() -> None:
    """A call may half-fail: the second could be accepted and the first not."""
    world = World(events(("a", 5), ("b", 3)))

    world.redrive()

    assert all(
        len({each.rsplit("-", 1)[0] for each in batch}) == len(batch) for batch in world.batches
    )


def test_a_letter_is_sent_then_written_then_deleted() -> None:
    """In that order: a kill in between finds it in the queue, and in the trail once it is not."""
    world = World(events(("a", 1)))

    world.redrive()

    assert [what for what, each in world.journal if each == "a-1"] == ["send", "write", "delete"]
    (line,) = world.lines
    assert (line["eventId"], line["outcome"], line["destination"]) == (
        "a-1",
        "sent",
        "the queue work",
    )


@pytest.mark.parametrize("is_fifo", [False, True], ids=["standard", "fifo"])
def test_killed_at_any_step_nothing_is_lost_and_a_second_run_ends_it(is_fifo: bool) -> None:
    """Every dead letter is in its queue or has arrived, at every step that a redrive takes."""

    for steps in count():
        world = fifo(("a", 12), ("b", 3)) if is_fifo else World(events(("a", 6), ("b", 9)))
        whole, world.steps = {*world.left}, steps
        try:
            world.redrive()
        except Killed:
            assert {*world.left, *world.arrived} == whole
            assert whole - {*world.left} <= {line["eventId"] for line in world.lines}
        else:
            assert steps > 10
            return
        world.steps, world.time = 1_000_000, 60.0
        world.redrive()
        assert {*world.arrived} == whole
        assert not world.left


def test_a_refused_letter_stays_and_holds_back_its_aggregate_alone() -> None:
    """What is behind it would overtake it; others go on."""
    world = World(events(("a", 3), ("b", 3)), refuses={"a-2"})

    tally = world.redrive()

    assert world.left == ["a-2", "a-3"]
    assert sequences(world, "b") == [1, 2, 3]
    outcomes = {end.dead_letter.event.event_id: end.outcome for end in tally.ends if not end.moved}
    assert outcomes["a-2"] == "refused: Throttled: later"
    assert "stays behind" in outcomes["a-3"]


def test_what_can_never_be_sent_holds_nothing_back() -> None:
    """No order is broken by leaving out what no bus will ever see."""
    broken = '{"aggregateId":"a"}'
    world = World([broken, a_record_body("a", 2), a_record_body("a", 3)], fifo=True)

    tally = world.redrive()

    assert (world.left, sequences(world, "a")) == ([broken], [2, 3])
    (left,) = (end for end in tally.ends if not end.moved)
    assert "still no event that can be published" in left.outcome


def test_an_outage_of_the_destination_ends_the_redrive() -> None:
    """What was not sent stays; the tally says why, and nothing is hammered."""
    world = World(events(("a", 5)), away_after=2)

    tally = world.redrive()

    assert tally.stopped == "SQS is unavailable: away"
    assert (tally.moved, tally.left, len(world.left)) == (2, 3, 3)


def test_what_cannot_be_deleted_is_said_to_come_twice() -> None:
    """It was sent and will be seen again: harmless, but an operator should not wonder."""
    world = World(events(("a", 1)), undeletable={"a-1"})

    tally = world.redrive()

    assert [end.outcome for end in tally.ends] == [NOT_DELETED]
    assert [line["outcome"] for line in world.lines] == ["sent", NOT_DELETED]


def test_behind_ten_that_stay_a_fifo_group_hides_the_rest() -> None:
    """The rest cannot be received: the redrive ends, and leaves it where it is."""
    world = fifo(("a", 15))

    tally = world.redrive(Choice(ids=frozenset({"a-15"})))

    assert (tally.seen, tally.moved, len(world.left)) == (10, 0, 15)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(ids=frozenset({"a-2"})), {"a-2"}),
        (Choice(ids=frozenset({"b-1", "m1"})), {"b-1", "a-1"}),
        (Choice(event_type="SubscriptionCreated"), {"a-1", "a-2", "b-1"}),
        (Choice(event_type="PaymentCancelled"), set()),
        (Choice(aggregate_id="a"), {"a-1", "a-2"}),
        (Choice(), {"a-1", "a-2", "b-1"}),
    ],
    ids=["an id", "ids", "a type", "another type", "an aggregate", "all"],
)
def test_only_what_is_chosen_goes(choice: Choice, expected: set[str]) -> None:
    """The rest is let go at once, untouched."""
    world = World(events(("a", 2), ("b", 1)))

    world.redrive(choice)

    assert set(world.arrived) == expected
    assert set(world.left) == {"a-1", "a-2", "b-1"} - expected
    assert not world.hidden


def test_a_limit_bounds_what_is_in_hand_and_says_so() -> None:
    """There is more: run it again."""
    world = World(events(("a", 9)))

    tally = world.redrive(most=4)

    assert (tally.seen, tally.moved, tally.more) == (4, 4, True)
    assert not World(events(("a", 3))).redrive(most=4).more


def test_a_slow_rate_is_not_a_burst_of_ten() -> None:
    """Two a second are two a call."""
    world = World(events(*((name, 1) for name in "abcdefgh")))

    world.redrive(rate=2)

    assert [len(batch) for batch in world.batches] == [2, 2, 2, 2]


def test_a_drop_writes_the_whole_body_before_it_deletes() -> None:
    """What is deleted for good can still be read, and sent, from the trail."""
    bodies = events(("a", 2))
    world = World(bodies)

    with TrailOf(world, "drop") as trail:
        tally = drop(world.lease(), Choice(), queue="dlq", trail=trail, most=100)

    assert (tally.moved, world.left) == (2, [])
    assert [line["body"] for line in world.lines] == bodies
    assert [what for what, each in world.journal if each == "a-1"] == ["write", "delete"]


@pytest.mark.parametrize("order", [list, reversed], ids=["forth", "back"])
def test_aggregates_go_by_who_came_first(order: Callable[..., object]) -> None:
    """Within an aggregate the sequence decides, between them the oldest dead letter."""
    dead_letters = [a_dead_letter(*each) for each in order([*turns(("b", 2), ("a", 3))])]  # type: ignore[attr-defined]

    assert [each.message_id for each in in_sequence(dead_letters)] == [
        "a-1",
        "a-2",
        "a-3",
        "b-1",
        "b-2",
    ]


def test_a_queue_that_throttles_is_sent_less_and_later() -> None:
    """Nothing is sent twice for it, and the redrive goes on."""
    world = World(events(*((f"a{number}", 1) for number in range(10))), throttles=2)

    tally = world.redrive()

    assert (tally.moved, tally.stopped, world.left) == (10, None, [])
    assert sorted(world.arrived) == sorted({*world.arrived})


def test_a_call_without_an_answer_ends_a_redrive() -> None:
    """It may have arrived: what was sent is not sent again by this one."""
    world = World(events(("a", 1), ("b", 1)), loses_answers=True)

    tally = world.redrive()

    assert tally.stopped is not None
    assert (len(world.batches), tally.moved) == (1, 0)
