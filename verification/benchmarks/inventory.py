"""What sixteen shards bring where transactions on one row run one after the other.

An emulator has neither conflicts nor partitions: it would show nothing. This stub has no more of
DynamoDB than its documented rate for one row, on a clock of its own; what an allocation takes from
which shard is decided by the stock service's own code.
"""

from collections import defaultdict

from services.stock.inventory import SHARDS, Inventory, Shard, Shortage, Taken
from services.stock.model import MONTHS
from services.stock.reservations import ReservationPlanner
from verification.benchmarks import scaling_inputs as inputs

ALLOCATIONS = 16_000


def transactions_a_second() -> float:
    """Of one row: no partition is smaller than a row, and its row takes one unit, doubled."""
    return inputs.PARTITION_WCU.value / inputs.TRANSACTION_FACTOR.value


def arithmetic(shards: int) -> float:
    """Allocations a second from this number of rows, if all are as busy."""
    return shards * transactions_a_second()


def stubbed(shards: int) -> float:
    """Allocations a second on the stub, of a backlog that takes all that there is."""
    rows = SerializedRows(shards)
    planner = ReservationPlanner(rows)
    for number in range(ALLOCATIONS):
        plan = planner.plan(f"subscription-{number}", MONTHS)
        assert not isinstance(plan, Shortage)  # noqa: S101 (there is enough)
        rows.take(plan)
    return ALLOCATIONS / rows.seconds


class SerializedRows:
    """An InventoryReader with enough for the backlog in the first `shards`, and none in the others.

    `seconds` is when the last transaction has ended, if all were asked for at once.
    """

    def __init__(self, shards: int) -> None:
        enough = MONTHS * ALLOCATIONS
        self._shards = [
            Shard(number, enough, 0, enough) if number < shards else Shard(number, 0, 0, 0)
            for number in range(SHARDS)
        ]
        self._busy_until: defaultdict[int, float] = defaultdict(float)

    @property
    def seconds(self) -> float:
        return max(self._busy_until.values())

    def take(self, taken: Taken) -> None:
        """One transaction: it waits for those before it on its rows."""
        ends = max(self._busy_until[number] for number in taken) + 1 / transactions_a_second()
        for number, razors in taken.items():
            self._shards[number] = self._shards[number].taking(razors)
            self._busy_until[number] = ends

    def shard(self, item: str, number: int) -> Shard:  # noqa: ARG002 (there is one)
        return self._shards[number]

    def read(self, item: str) -> Inventory:
        return Inventory(item, tuple(self._shards))
