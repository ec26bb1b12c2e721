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

A payment is alike where its subscription's end comes first: then no debit is ever made, and its
only event is PaymentCancelled, sequence 2, without an account number. Who ends a subscription, and
why, is decided by what came first.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.outbox import OutboxRecord
from services.payment.consumer import subscription_cancelled, subscription_erased
from services.payment.consumer import subscription_created as payment_handler
from services.payment.handlers import Handlers as PaymentHandlers
from services.payment.model import PaymentNotFound
from services.stock.consumer import payment_cancelled as stock_cancelled_inbox
from services.stock.consumer import subscription_created as stock_created_inbox
from services.stock.events import record_of as stock_record
from services.stock.handlers import Handlers as StockHandlers
from services.stock.model import Stock
from services.subscription.consumer import payment_cancelled, stock_rejected
from services.subscription.events import record_of as subscription_record
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.model import (
    StillActive,
    Subscription,
    SubscriptionGone,
    SubscriptionNotFound,
)
from tests.builders import BY_CUSTOMER, START, a_cause, an_order, clock, delivered
from tests.fakes import MemoryPayments, MemoryStock, MemorySubscriptions, opened
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
    subscription_cancelled: OutboxRecord
    subscription_erased: OutboxRecord
    stock_rejected: OutboxRecord

    @property
    def subscription_id(self) -> str:
        return self.subscription_created.aggregate_id


def _tell() -> Story:
    subscriptions, payments = MemorySubscriptions(), MemoryPayments()
    SubscriptionHandlers(subscriptions, now=clock()).subscribe(an_order(), a_cause(), key="one")
    (created,) = subscriptions.outbox
    handlers = PaymentHandlers(payments, now=clock())
    payment_handler(handlers, opened).handle(delivered(created))
    handlers.cancel(created.aggregate_id, a_cause("request-2"))
    subscription = Subscription.create(
        created.aggregate_id, an_order(), request_digest="digest", now=START
    )
    cancelled = subscription.cancel(*BY_CUSTOMER, now=START)
    cancellation, erasure = (
        subscription_record(each, a_cause("request-3"), event_id=f"e-{each.version}")
        for each in (cancelled, cancelled.erase(now=START))
    )
    rejected = Stock.reject(created.aggregate_id, 2, available=12, now=START)
    rejection = stock_record(rejected, a_cause("request-1"), event_id="e-rejected")
    return Story(created, payments.outbox[-1], cancellation, erasure, rejection)


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
    scene = Scene(SubscriptionNotFound, StillActive)
    store = MemorySubscriptions(scene.hooks)
    handlers = SubscriptionHandlers(store, now=clock())
    cancelled, rejected = payment_cancelled(handlers), stock_rejected(handlers)
    name = STORY.subscription_id
    return scene.play(
        schedule,
        store,
        created=lambda: _posted(handlers),
        cancelled=lambda: cancelled.handle(delivered(STORY.payment_cancelled)),
        rejected=lambda: rejected.handle(delivered(STORY.stock_rejected)),
        ended=lambda: handlers.cancel(name, *BY_CUSTOMER, a_cause("request-3")),
        erased=lambda: handlers.erase(name, a_cause("request-4")),
    )


def _posted(handlers: SubscriptionHandlers) -> None:
    """A client that asks for one that was erased is refused, and gives up."""
    with suppress(SubscriptionGone):
        handlers.subscribe(an_order(), a_cause(), key="one")


def play_payment(schedule: Sequence[Step]) -> Ending:
    """`cancelled` is a third party's PATCH, which it repeats until the payment is there."""
    scene = Scene(PaymentNotFound)
    store = MemoryPayments(scene.hooks)
    handlers = PaymentHandlers(store, now=clock())
    created, ended = payment_handler(handlers, opened), subscription_cancelled(handlers)
    erased = subscription_erased(handlers)
    return scene.play(
        schedule,
        store,
        created=lambda: created.handle(delivered(STORY.subscription_created)),
        cancelled=lambda: handlers.cancel(STORY.subscription_id, a_cause("request-2")),
        ended=lambda: ended.handle(delivered(STORY.subscription_cancelled)),
        erased=lambda: erased.handle(delivered(STORY.subscription_erased)),
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


ENDS: tuple[Name, ...] = ("cancelled", "ended", "erased")
OF_A_PAYMENT: tuple[Name, ...] = ("created", *ENDS)
OF_A_SUBSCRIPTION: tuple[Name, ...] = ("created", "cancelled", "rejected", "ended", "erased")


def with_faults(names: tuple[Name, ...]) -> st.SearchStrategy[list[Step]]:
    """Deliveries of these, with what may befall them."""
    step = st.builds(Step, st.sampled_from(names), st.sampled_from(FAULTS), st.sampled_from(names))
    return st.lists(step, min_size=1, max_size=10)


def check_payment(ending: Ending) -> None:
    """It ends cancelled if anything ended it, without a number if it was erased or never made."""
    happened, events = ending.happened, ending.events
    assert events in (
        ["PaymentCreated"],
        ["PaymentCreated", "PaymentCancelled"],
        ["PaymentCancelled"],
    )
    assert ("PaymentCancelled" in events) == bool(happened & {*ENDS}) == (ending.state.version == 2)
    was_made = "PaymentCreated" in events
    assert (ending.state.account_number is None) == (not was_made or "erased" in happened)
    assert (ending.state.erased_at is None) == ("erased" not in happened)
    if not was_made:
        assert ending.published[-1]["accountNumber"] == ""


def test_a_payment_keeps_its_table_in_every_order() -> None:
    """Created, called off by the bank, ended with its subscription, erased: up to five of them."""
    for length in range(1, 6):
        for names in product(OF_A_PAYMENT, repeat=length):
            if not {"created", "ended", "erased"}.isdisjoint(names):  # the bank's alone finds none
                check_payment(play_payment(simply(names)))


@settings(deadline=None)
@given(with_faults(OF_A_PAYMENT))
def test_a_payment_keeps_its_table_whatever_befalls_its_deliveries(schedule: list[Step]) -> None:
    """Each delivery is repeated until it is done."""
    check_payment(play_payment([*schedule, CREATED]))


def check_subscription(ending: Ending) -> None:
    """It ends as the first who ended it says, and once erased nothing personal is left of it."""
    names = ending.happened
    created, cancelled, erased = (
        f"Subscription{each}" for each in ("Created", "Cancelled", "Erased")
    )
    state, lived = ending.state, [created, cancelled, erased]
    assert ending.events == lived[: state.version]
    is_over = not {"cancelled", "rejected", "ended"}.isdisjoint(names)
    assert state.version == (3 if "erased" in names else 2 if is_over else 1)
    if is_over:
        assert state.cancelled_by in {"bank", "stock", "customer"}
        assert ending.published[1]["cancelledBy"] == state.cancelled_by
        assert ending.published[1]["cancelledReason"] == state.reason
    assert (state.order is None) == (state.version == 3)


def test_a_subscription_keeps_its_table_in_every_order() -> None:
    """Up to four of its five causes; an erasure waits for the end that it needs."""
    for length in range(1, 5):
        for names in product(OF_A_SUBSCRIPTION, repeat=length):
            if "created" in names and ("erased" not in names or {"ended"} & {*names}):
                check_subscription(play_subscription(simply(names)))


@settings(deadline=None)
@given(with_faults(OF_A_SUBSCRIPTION))
def test_a_subscription_keeps_its_table_whatever_befalls_it(schedule: list[Step]) -> None:
    """Each request and each delivery is repeated until it is done."""
    check_subscription(play_subscription([*schedule, CREATED, Step("ended")]))


def test_an_erasure_from_any_state_leaves_the_same() -> None:
    """Whether the debit was open, called off, or never made: but for what had happened before."""
    for names in (("erased",), ("created", "erased"), ("created", "cancelled", "erased")):
        ending = play_payment(simply(names))
        after = play_payment(simply((*names, "created", "ended", "erased")))
        assert after == ending
        assert replace(ending.state, erased_at=None) == replace(
            play_payment(simply(("ended",))).state, reason_code=ending.state.reason_code
        )
