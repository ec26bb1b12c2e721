"""The promises, looked at when all has settled: what must be true whatever happened."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from infra.resources import ToBus, ToQueue
from infra.topology import TOPOLOGY
from services.stock.model import MONTHS, STOCK_ID
from tests.memory_buses import matches
from tests.simulation.cursing import PASSING
from tests.simulation.custom_places import CUSTOM
from tests.simulation.ledger import BUS_OF, DEAD_LETTER_QUEUES, Ledger, name_of
from tests.simulation.outside import Outside
from tests.simulation.places import Places
from tests.simulation.plans import LONGEST_CURSE, Cancel, Curse, End, Erase, Plan, Subscribe
from tests.simulation.requests import subscription_id
from tests.simulation.telling import Finding


def check(plan: Plan, places: Places, outside: Outside) -> None:
    """Raise Finding with everything that is wrong."""
    wrong = [
        *_published(places),
        *_states(plan, places, outside),
        *_reserved(plan, places),
        *_poison(plan, places, outside),
        *(_handled_custom(places.ledger) if plan.is_custom else _handled(places.ledger)),
    ]
    if wrong:
        raise Finding("; ".join(wrong))


def check_no_outage_buried(plan: Plan, places: Places, outside: Outside) -> None:
    """P5: where nothing was wrong but outages, no good message is in a dead-letter queue."""
    if plan.character not in {"calm", "outages"}:
        return
    poison = {body for _, body, _ in outside.poisons.put}
    for queue, bodies in places.ledger.dead.items():
        for body in bodies - poison - places.ledger.excused:
            if places.ledger.event_of(body) or places.ledger.record_of(body):
                raise Finding(f"P5: an outage has buried in {queue}: {body[:200]}")


def check_curses_set_aside(plan: Plan, places: Places) -> None:
    """P4: what alone meets an unknown error for long is in a dead-letter queue, with the reason.

    While many others pass: where hardly any do, it may as well be everyone's.
    """
    curses = [act for act in plan.acts if isinstance(act, Curse) and act.seconds > LONGEST_CURSE]
    if len([act for act in plan.acts if isinstance(act, Subscribe)]) < len(curses) + PASSING:
        return
    names = {subscription_id(act.number) for act in curses}
    found = {
        name: message.error_type
        for queue in DEAD_LETTER_QUEUES
        for message in places.sqs.queues[queue].messages
        for name in names
        if name in message.body
    }
    if found != dict.fromkeys(names, "Unavailable"):
        raise Finding(f"P4: {len(names)} carry poison of an unknown kind, set aside are {found}")


def _published(places: Places) -> Iterator[str]:
    """P1, P2 and P6's first half: committed = published + pending, and nothing is pending."""
    ledger = places.ledger
    for key, record in ledger.committed.items():
        if key not in ledger.accepted[BUS_OF[record.source]]:
            yield f"P2: never on its bus: {name_of(record)}"
    for database in places.databases.values():
        for row in database.outbox.rows:
            yield f"P6: still in {database.outbox_name}: {row}"
    event_ids = Counter(record.event_id for record in ledger.committed.values())
    for event_id, count in event_ids.items():
        if count > 1:
            yield f"P3: {count} events have the id {event_id}"


def _states(plan: Plan, places: Places, outside: Outside) -> Iterator[str]:
    """P3: the three services agree about each subscription, and each effect is there once."""
    for number, act in {act.number: act for act in plan.acts if isinstance(act, Subscribe)}.items():
        name = subscription_id(number)
        subscription, stock, payment = (
            places.databases[domain].store._rows.get(name)
            for domain in ("subscriptions", "stock", "payments")
        )
        if subscription is None:
            if any(isinstance(a, Subscribe) and a.number == number for a in outside.answered):
                yield f"P2: subscription {number} was answered and is not there"
            continue
        if payment is None or stock is None:
            yield f"P3: subscription {number}: payment {payment}, stock {stock}"
            continue
        mine = [each for each in outside.answered if getattr(each, "number", None) == number]
        was_erased = any(isinstance(each, Erase) for each in mine)
        cancelled = payment.status == "cancelled"
        if any(isinstance(each, Cancel | End | Erase) for each in mine) and not cancelled:
            yield f"P2: the end of {number} was answered and did not happen"
        if was_erased and subscription.status != "erased":
            yield f"P2: the erasure of {number} was answered and did not happen"
        is_erased = subscription.status == "erased"
        is_rejected = plan.on_hand is not None and cancelled and stock.status == "rejected"
        agreed = _agreed(act, is_cancelled=cancelled, is_erased=is_erased, is_rejected=is_rejected)
        found = (
            (subscription.status, subscription.version, subscription.order is None),
            (payment.status, payment.version, payment.erased_at is not None),
            (stock.status, stock.version, stock.stock),
        )
        if found != agreed:
            yield f"P3: subscription {number}: {found}, expected {agreed}"
        if is_erased and payment.account_number is not None:
            yield f"P3: the account number of {number} outlived its erasure"


def _agreed(act: Subscribe, *, is_cancelled: bool, is_erased: bool, is_rejected: bool) -> object:
    """What the three services say: status and version, and whether it is blank or how many."""
    ended = ("rejected", 1, 0) if is_rejected else ("deallocated", 2, 0)
    if is_erased:
        return ("erased", 3, True), ("cancelled", 2, True), ended
    if is_cancelled:
        return ("cancelled", 2, False), ("cancelled", 2, False), ended
    return ("active", 1, False), ("active", 1, False), ("allocated", 1, MONTHS * act.quantity)


def _reserved(plan: Plan, places: Places) -> Iterator[str]:
    """Never more is allocated than there is, and what was taken comes back once."""
    store: Any = places.databases["stock"].store
    taken: Counter[int] = Counter()
    for row in store._rows.values():
        taken.update(row.taken)
        if plan.on_hand is not None and sum(row.taken.values()) != row.stock:
            yield f"P3: {row.subscription_id} has {row.stock} put aside, and taken {row.taken}"
    shards = store.inventory.read(STOCK_ID).shards
    for shard in shards:
        left = shard.on_hand - taken[shard.number]
        if (shard.reserved, shard.available) != (taken[shard.number], left):
            yield f"P3: {shard}, of which {taken[shard.number]} are taken"
        if left < 0:
            yield f"P3: {shard}: more is allocated than there is"
    if sum(shard.on_hand for shard in shards) != (plan.on_hand or 0):
        yield f"P3: of {plan.on_hand} razors there are {shards}"


def _poison(plan: Plan, places: Places, outside: Outside) -> Iterator[str]:
    """P4: what can never succeed is in its dead-letter queue, with the reason."""
    is_rough = plan.character in {"crashes", "everything"}
    for queue, body, error in outside.poisons.put:
        found = [each for each in places.sqs.queues[queue].messages if each.body == body]
        if not found:
            yield f"P4: not in {queue}: {body}"
        # A consumer that was killed at it five times had no chance to say why.
        elif not any(each.error_type == error for each in found) and not is_rough:
            yield f"P4: in {queue} without its reason {error}: {body}"
    bodies = {body for _, body, _ in outside.poisons.put}
    for queue in DEAD_LETTER_QUEUES:
        for message in places.sqs.queues[queue].messages:
            if message.body not in bodies and "DDBStreamBatchInfo" not in message.body:
                yield f"P6: after all was redriven, still in {queue}: {message.body[:200]}"


def _handled(ledger: Ledger) -> Iterator[str]:
    """P6's second half: published = handled, when nothing is queued or dead-lettered any more."""
    for rule in TOPOLOGY.rules:
        for event in ledger.published[rule.bus]:
            if not matches(rule.pattern, event):
                continue
            match rule.target:
                case ToBus(bus):
                    arrived = any(each.detail == event.detail for each in ledger.published[bus])
                case ToQueue(queue):
                    arrived = event.detail in ledger.handled[queue]
                case _:
                    arrived = True
            if not arrived:
                yield f"P6: {rule.name} lost {event.detail[:200]}"


def _handled_custom(ledger: Ledger) -> Iterator[str]:
    """The same on Custom Event Buses: what a subscriber wants of its bus its queue's consumer had.

    And what stays on Classic: its rules get a copy of the bus on which the event was published.
    """
    wanted = [
        *((each.name, each.bus, each.pattern, each.target) for each in CUSTOM.subscribers),
        *(
            (rule.name, BUS_OF[str(rule.pattern.sources[0])], rule.pattern, rule.target)
            for rule in CUSTOM.classic.rules
            if isinstance(rule.target, ToQueue)
        ),
    ]
    for name, bus, pattern, target in wanted:
        for event in ledger.published[bus]:
            if (
                isinstance(target, ToQueue)
                and matches(pattern, event)
                and event.detail not in ledger.handled[target.queue]
            ):
                yield f"P6: {name} lost {event.detail[:200]}"
