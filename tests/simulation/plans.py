"""What a history sets out with: who asks for what, what goes wrong when, and how all is run.

A plan follows from a seed. Its acts can be taken away one by one to make a history shorter.
"""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, Literal

from infra.topology import TOPOLOGY, WORKLOADS
from tests.simulation.fates import CRASHES, DELIVERY, ODDITIES, OUTAGES, TIMING, Fate, Kind

Character = Literal["calm", "outages", "crashes", "everything"]

CHARACTERS: tuple[Character, ...] = (
    "calm",
    *("outages",) * 3,
    *("crashes",) * 3,
    *("everything",) * 4,
)

ALLOWED: dict[Character, tuple[Kind, ...]] = {
    "calm": (),
    "outages": (*OUTAGES, *TIMING, *DELIVERY),
    "crashes": (*CRASHES, *TIMING, *DELIVERY),
    "everything": (*OUTAGES, *TIMING, *DELIVERY, *CRASHES, *CRASHES, *ODDITIES),
}

SHARES = (0.0, 0.01, 0.03, 0.03, 0.05, 0.15)
"""Of the calls, how many meet something."""

SERVICES = ("DynamoDB", "MongoDB", "SQS", "EventBridge")
PROCESSES = tuple(workload.name for workload in WORKLOADS if workload.name != "stock-api")
"""Everything but an API that only reads."""

BUSES = tuple(bus.name for bus in TOPOLOGY.buses)
OUTBOXES = ("subscriptions-outbox", "stock-outbox", "payments.outbox")
FIFO = "payment-events.fifo"

LONGEST_DEAFNESS = {"SQS": 50.0, "EventBridge": 30.0}
"""Seconds in which a service may do what is asked and every answer be lost. In 90 s SQS would have
handed a FIFO message out three times to nobody, and would dead-letter it: it counts receives that
no one got to see, and no client can know of them. EventBridge copies an event with every try: more
than some say nothing new, and take thousands of turns."""

LONGEST_CURSE = 60.0
"""Seconds: what nobody knows about one row is taken for poison after more than a minute only."""

LAST = 40.0
"""Seconds in which acts begin."""

EARLY = 4.0
"""Seconds in which a subscription without misfortune comes to its end: half of what is planned
against a service or a process strikes then."""

SUBSCRIPTIONS = (*(1,) * 38, 2, 3)
"""In a history. One has every fault and race of its own; with more, aggregates meet in batches."""


ON_HAND = (*(None,) * 4, 0, 30, 60, 120)
"""Razors; a subscription takes 12 to 120."""


@dataclass(frozen=True)
class Act:
    """Something that happens outside the system, and in which `words` a history has it."""

    words: ClassVar[str]

    at: float

    def __str__(self) -> str:
        return self.words.format(self)


@dataclass(frozen=True)
class Subscribe(Act):
    """A client posts a subscription; the same number is the same Idempotency-Key."""

    words = "POST subscription {0.number}, {0.quantity} a month"

    number: int
    quantity: int
    patience: int


@dataclass(frozen=True)
class Cancel(Act):
    """A third party patches a payment until it is there."""

    words = "PATCH payment {0.number}: cancelled"

    number: int
    patience: int


@dataclass(frozen=True)
class End(Act):
    """A customer cancels a subscription, or the company does."""

    words = "POST cancellation of subscription {0.number}"

    number: int
    patience: int


@dataclass(frozen=True)
class Erase(Act):
    """The company erases a subscription's personal data, once it has ended."""

    words = "POST erasure of subscription {0.number}"

    number: int
    patience: int


PoisonKind = Literal[
    "not JSON",
    "another type",
    "broken schema",
    "broken row",
    "odd row",
    "odd time",
    "refused detail",
]


@dataclass(frozen=True)
class Poison(Act):
    """What can never succeed, put into a queue or an outbox; `variety` tells odd rows apart."""

    words = "poison in {0.place}: {0.kind}"

    kind: PoisonKind
    place: str
    number: int
    variety: int = 0


@dataclass(frozen=True)
class Outage(Act):
    """A service is not to be reached for so many seconds."""

    words = "{0.service} {0.fate.kind}, for {0.seconds:.0f} s"

    service: str
    fate: Fate
    seconds: float


@dataclass(frozen=True)
class Curse(Act):
    """No commit of one subscription's row passes for so many seconds, with an unknown error.

    Long enough, it is poison: what carries it has to be set aside while others pass.
    """

    words = "no commit of subscription {0.number} in {0.domain} passes, for {0.seconds:.0f} s"

    domain: str
    number: int
    seconds: float


@dataclass(frozen=True)
class Kill(Act):
    """A process is killed, whatever it is at."""

    words = "kill -9 {0.process}"

    process: str
    seconds: float


@dataclass(frozen=True)
class Replay(Act):
    """An operator replays a bus's archive."""

    words = "replay of {0.bus}'s archive"

    bus: str


@dataclass(frozen=True)
class Redrive(Act):
    """An operator redrives every dead-letter queue; cut short, he leaves the last copy behind."""

    words = "redrive; cut short between send and delete: {0.is_cut_short}"

    is_cut_short: bool


@dataclass(frozen=True)
class Plan:
    """`mapped` are the outboxes that a Lambda function relays; the others have a daemon.

    `workers` are the publishers of each relay, and the forwarders: two meet in every way that
    sixteen can, where there are three aggregates. An outbox's scan looks at `page` rows at a time,
    and meets `gaps` pages that hold nothing before any other: partitions that were emptied.
    `on_hand` razors there are; None for any number. `is_custom`: it is on Custom Event Buses.
    """

    character: Character
    share: float
    mapped: frozenset[str]
    window_rows: int
    workers: int
    page: int
    gaps: int
    acts: tuple[Act, ...]
    on_hand: int | None = None
    is_custom: bool = False

    @property
    def allowed(self) -> tuple[Kind, ...]:
        return ALLOWED[self.character]


def plan_of(random: Random) -> Plan:
    """Make a plan: mostly one subscription, mostly cancelled, with what its character allows."""
    character = random.choice(CHARACTERS)
    acts: list[Act] = []
    for number in range(1, random.choice(SUBSCRIPTIONS) + 1):
        acts += _subscription(random, number)
    if random.random() < 0.1:
        acts.append(_poison(random))
    allowed = ALLOWED[character]
    if Kind.AWAY in allowed:
        while random.random() < 0.3:
            acts.append(_outage(random))
        if random.random() < 0.05:
            acts.append(_curse(random))
    if Kind.CRASH_AFTER in allowed:
        while random.random() < 0.3:
            seconds = random.random() * 40
            acts.append(Kill(_moment(random), random.choice(PROCESSES), seconds))
    if character != "calm":
        acts += _operators(random)
    return Plan(
        character=character,
        share=random.choice(SHARES),
        mapped=frozenset(name for name in OUTBOXES[:2] if random.random() < 0.1),
        window_rows=random.choice((1, 2, 2000, 2000)),
        workers=random.choice((1, 1, 1, 2)),
        page=random.choice((1, 2, 100, 100)),
        gaps=random.choice((0, 0, 1, 2)),
        acts=tuple(acts),
        on_hand=random.choice(ON_HAND),
    )


def _operators(random: Random) -> list[Act]:
    acts: list[Act] = []
    if random.random() < 0.1:
        acts.append(Replay(random.random() * LAST * 2, random.choice(BUSES)))
    if random.random() < 0.1:
        acts.append(Redrive(random.random() * LAST * 3, random.random() < 0.5))
    return acts


def _subscription(random: Random, number: int) -> list[Act]:
    """Requests for one subscription, some of them sent again before the first is answered."""
    at = random.random() * 2
    quantity, patience = random.randint(1, 10), random.choice((1, 15, 15, 15))
    acts: list[Act] = [Subscribe(at, number, quantity, patience)]
    while random.random() < 0.1:
        acts.append(Subscribe(at + random.random() * 0.1, number, quantity, patience))
    if random.random() < 0.35:
        # One that comes before the payment is sent again until it is there: turns for little.
        at += random.choice((0.1, 1.0, LAST)) * random.random()
        acts.append(Cancel(at, number, 15))
        while random.random() < 0.1:
            acts.append(Cancel(at + random.random() * 0.1, number, 15))
    ended = random.random() * random.choice((2.0, EARLY, LAST))
    while random.random() < 0.25:
        acts.append(End(ended + random.random() * 0.1, number, 15))
    if random.random() < 0.15:
        acts.append(Erase(ended + random.random() * EARLY, number, 8))
    return acts


def _outage(random: Random) -> Outage:
    kinds = (Kind.AWAY, Kind.THROTTLED, Kind.LOST_ANSWER, Kind.REFUSED, Kind.UNKNOWN)
    kind = random.choice(kinds)
    service = random.choice(SERVICES)
    seconds = random.choice((1.0, 10.0, 60.0, 150.0)) * random.random()
    if kind is Kind.LOST_ANSWER:
        seconds = min(seconds, LONGEST_DEAFNESS.get(service, seconds))
    return Outage(_moment(random), service, Fate(kind, random.random()), seconds)


def _curse(random: Random) -> Curse:
    domain = random.choice(("subscriptions", "stock", "payments"))
    return Curse(_moment(random), domain, random.randint(1, 3), random.random() * LONGEST_CURSE)


def _moment(random: Random) -> float:
    return random.random() * random.choice((EARLY, LAST))


def _poison(random: Random) -> Poison:
    at, number = random.random() * LAST, random.randint(1, 3)
    if random.random() < 0.5:
        kinds: tuple[PoisonKind, ...] = ("broken row", "odd row", "odd row", "refused detail")
        kind, place = random.choice(kinds), random.choice(OUTBOXES)
        return Poison(at, kind, place, number, random.randrange(1000))
    queues = [queue.name for queue in TOPOLOGY.queues if queue.redrive]
    place = random.choice(queues)
    kinds = ("not JSON", "another type", "broken schema", "odd time")
    if place == FIFO:
        kinds = ("not JSON", "odd time")
    return Poison(at, random.choice(kinds), place, number, random.randrange(1000))
