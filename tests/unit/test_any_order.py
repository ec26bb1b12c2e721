"""Order is never assumed: whatever the queues do, a consumer ends in the same state.

What each service receives was published by the other services' own handlers and travels as
EventBridge delivers it. Schedules come in two kinds: every sequence of up to six deliveries, and
generated ones in which deliveries meet an outage, lose the answer of an applied commit, or are
overtaken by another delivery between their read and their commit; what fails is delivered again.

Compared are whole states and whole published events, but for what a clock or an id generator put
in: times and event ids.

**Stock is the one consumer whose events depend on the order**, as design.md section 4 has it. If
SubscriptionCreated comes first, StockAllocated and then StockDeallocated are published. If
PaymentCancelled comes first, the deallocation is recorded at once, and the late creation allocates
nothing: StockAllocated is never published, for nothing ever was put aside. The final state and
StockDeallocated, sequence 2, are the same in every order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.outbox import OutboxRecord
from services.payment.consumer import subscription_created as payment_handler
from services.payment.handlers import Handlers as PaymentHandlers
from services.payment.model import PaymentNotFound
from services.stock.consumer import payment_cancelled as stock_cancelled_inbox
from services.stock.consumer import subscription_created as stock_created_inbox
from services.stock.handlers import Handlers as StockHandlers
from services.subscription.consumer import payment_cancelled as subscription_handler
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.model import SubscriptionNotFound
from tests.builders import a_cause, an_order, clock, delivered
from tests.fakes import MemoryPayments, MemoryStock, MemorySubscriptions
from tests.scenes import FAULTS, NAMES, Ending, Name, Scene, Step

LONGEST = 6
"""Deliveries of the exhaustive schedules: each of two events up to five times beside the other."""

steps = st.builds(
    Step, st.sampled_from(NAMES), st.sampled_from(FAULTS), overtaker=st.sampled_from(NAMES)
)
schedules_with_faults = st.lists(steps, min_size=1, max_size=10)


def schedules() -> Iterator[tuple[Name, ...]]:
    """Every sequence of deliveries up to LONGEST: all permutations of all duplications."""
    for length in range(1, LONGEST + 1):
        yield from product(NAMES, repeat=length)


@dataclass(frozen=True)
class Story:
    """What the publishers publish about one subscription."""

    subscription_created: OutboxRecord
    payment_cancelled: OutboxRecord

    @property
    def subscription_id(self) -> str:
        return self.subscription_created.aggregate_id


def _tell() -> Story:
    subscriptions, payments = MemorySubscriptions(), MemoryPayments()
    SubscriptionHandlers(subscriptions, now=clock()).subscribe(an_order(), a_cause(), key="one")
    (created,) = subscriptions.outbox
    handlers = PaymentHandlers(payments, now=clock())
    payment_handler(handlers).handle(delivered(created))
    handlers.cancel(created.aggregate_id, a_cause("request-2"))
    return Story(created, payments.outbox[-1])


STORY = _tell()


def play_stock(schedule: Sequence[Step]) -> Ending:
    scene = Scene()
    store = MemoryStock(scene.hooks)
    handlers = StockHandlers(store, now=clock())
    created, cancelled = stock_created_inbox(handlers), stock_cancelled_inbox(handlers)
    return scene.play(
        schedule,
        store,
        created=lambda: created.handle(delivered(STORY.subscription_created)),
        cancelled=lambda: cancelled.handle(delivered(STORY.payment_cancelled)),
    )


def play_subscription(schedule: Sequence[Step]) -> Ending:
    """`created` is the HTTP request with its idempotency key, which clients repeat at will."""
    scene = Scene(premature=SubscriptionNotFound)
    store = MemorySubscriptions(scene.hooks)
    handlers = SubscriptionHandlers(store, now=clock())
    handler = subscription_handler(handlers)
    return scene.play(
        schedule,
        store,
        created=lambda: handlers.subscribe(an_order(), a_cause(), key="one"),
        cancelled=lambda: handler.handle(delivered(STORY.payment_cancelled)),
    )


def play_payment(schedule: Sequence[Step]) -> Ending:
    """`cancelled` is a third party's PATCH, which it repeats until the payment is there."""
    scene = Scene(premature=PaymentNotFound)
    store = MemoryPayments(scene.hooks)
    handlers = PaymentHandlers(store, now=clock())
    handler = payment_handler(handlers)
    return scene.play(
        schedule,
        store,
        created=lambda: handler.handle(delivered(STORY.subscription_created)),
        cancelled=lambda: handlers.cancel(STORY.subscription_id, a_cause("request-2")),
    )


CREATED, CANCELLED = Step("created"), Step("cancelled")

Play = Callable[[Sequence[Step]], Ending]


def simply(schedule: Sequence[Name]) -> list[Step]:
    return [Step(name) for name in schedule]


def test_stock_ends_the_same_in_every_order() -> None:
    """Every sequence of up to six deliveries ends as its events do, each delivered once.

    What is published depends on nothing but which came first, as this module's docstring says.
    """
    only_created = play_stock([CREATED])
    only_cancelled = play_stock([CANCELLED])
    in_order = play_stock([CREATED, CANCELLED])
    assert only_created.events == ["StockAllocated"]
    assert only_cancelled.events == ["StockDeallocated"]
    assert in_order.events == ["StockAllocated", "StockDeallocated"]
    assert only_created.state.stock == 24
    for schedule in schedules():
        ending = play_stock(simply(schedule))
        if "cancelled" not in schedule:
            assert ending == only_created, schedule
        else:
            assert ending.state == in_order.state, schedule
            expected = in_order if schedule[0] == "created" else only_cancelled
            assert ending.published == expected.published, schedule


def test_stock_deallocated_is_the_same_in_every_order() -> None:
    """It is published exactly once, as sequence 2, and no reader can tell what came first."""
    in_order = play_stock([CREATED, CANCELLED]).published[-1]
    overtaken = play_stock([CANCELLED, CREATED]).published[-1]
    assert in_order == overtaken
    assert in_order["metadata"]["sequence"] == 2
    assert in_order["stock"] == 0
    assert in_order["metadata"]["causationId"] == STORY.payment_cancelled.event_id


@settings(deadline=None)
@given(schedules_with_faults)
def test_stock_ends_the_same_whatever_befalls_its_deliveries(schedule: list[Step]) -> None:
    """Outages, lost answers and overtaking leave the state and StockDeallocated as they were."""
    ending = play_stock(schedule)
    allocated, deallocated = play_stock([CREATED, CANCELLED]).published
    if ending.state.status == "allocated":
        assert all(step.name == "created" for step in schedule)
        assert ending == play_stock([CREATED])
    else:
        assert any("cancelled" in (step.name, step.overtaker) for step in schedule)
        assert ending.state == play_stock([CANCELLED, CREATED]).state
        assert ending.published in ([allocated, deallocated], [deallocated])


BOTH = pytest.mark.parametrize(
    ("play", "events"),
    [
        (play_subscription, ["SubscriptionCreated", "SubscriptionCancelled"]),
        (play_payment, ["PaymentCreated", "PaymentCancelled"]),
    ],
    ids=["subscription", "payment"],
)


@BOTH
def test_a_subscription_and_a_payment_end_the_same_in_every_order(
    play: Play, events: list[str]
) -> None:
    """However often their causes come: one creation, one cancellation."""
    only_created, in_order = play([CREATED]), play([CREATED, CANCELLED])
    assert only_created.events == events[:1]
    assert in_order.events == events
    assert getattr(in_order.state, "reason", "payment cancelled") == "payment cancelled"
    for schedule in schedules():
        if "created" in schedule:
            expected = in_order if "cancelled" in schedule else only_created
            assert play(simply(schedule)) == expected, schedule


@BOTH
@settings(deadline=None)
@given(schedule=schedules_with_faults)
def test_they_end_the_same_whatever_befalls_their_deliveries(
    play: Play, events: list[str], schedule: list[Step]
) -> None:
    """Outages, lost answers and overtaking change neither the state nor what is published."""
    ending = play([*schedule, CREATED, CANCELLED])
    assert ending == play([CREATED, CANCELLED])
    assert ending.events == events


def test_a_redelivery_after_a_lost_answer_publishes_nothing_more() -> None:
    """The commit was applied but raised Unavailable: what comes again finds it done."""
    for play in (play_stock, play_subscription, play_payment):
        quiet = play([CREATED, CANCELLED])
        lossy = play([Step("created", "lost answer"), Step("cancelled", "lost answer")])
        assert lossy == quiet


def test_the_loser_of_a_race_decides_on_what_the_winner_left() -> None:
    """A creation that a cancellation overtakes between read and commit allocates nothing."""
    ending = play_stock([Step("created", "overtaken", overtaker="cancelled")])
    assert ending == play_stock([CANCELLED])
    twins = play_stock([Step("created", "overtaken", overtaker="created")])
    assert twins == play_stock([CREATED])
