"""What can be turned, and how it is turned for 100, 10 000 and 1 000 000 subscriptions a minute."""

from dataclasses import dataclass, replace

from verification.benchmarks.scaling import inputs


@dataclass(frozen=True)
class Knobs:
    """One way to run the system. Counts are totals; a rate is a second's.

    `api_tasks` is of each of the two APIs that a lifecycle calls, `consumer_tasks` of the payment
    and of the subscription consumer. `outboxes` counts collections, each with its own change
    stream, relay process and FIFO queue. `shards` are those of each outbox table: DynamoDB's to
    decide. `status_keys` is how many partition keys by-status spreads one status over.
    `slices`: one of so many equal parts is simulated, with its part of everything.
    """

    name: str
    http_rate: float = inputs.HTTP_THROTTLE.value
    http_burst: float = inputs.HTTP_BURST.value
    task_vcpu: float = inputs.TASK_VCPU.value
    api_tasks: int = 2
    stock_tasks: int = 2
    consumer_tasks: int = 2
    forward_tasks: int = 2
    outboxes: int = 1
    shards: int = int(inputs.STREAM_SHARDS.value)
    parallelization: int = 1
    batching_window: float = 0.0
    lambda_memory: float = inputs.LAMBDA_MEMORY.value
    lambda_concurrency: float = inputs.LAMBDA_CONCURRENCY.value
    put_events: float = inputs.PUT_EVENTS.value
    invocations: float = inputs.INVOCATIONS.value
    fifo_calls: float = inputs.FIFO_CALLS.value
    status_keys: int = 1
    document_commits: float = inputs.CLUSTER_COMMITS.value
    slices: int = 1

    @property
    def core(self) -> float:
        """The share of a core that a task's Python has: never more than one."""
        return min(1.0, self.task_vcpu)

    @property
    def lambda_core(self) -> float:
        return min(1.0, self.lambda_memory / inputs.FULL_CORE.value)

    def slice(self) -> "Knobs":
        """One of the equal parts that this is simulated by."""
        parts = self.slices
        return replace(
            self,
            http_rate=self.http_rate / parts,
            http_burst=self.http_burst / parts,
            api_tasks=_part(self.api_tasks, parts),
            stock_tasks=_part(self.stock_tasks, parts),
            consumer_tasks=_part(self.consumer_tasks, parts),
            forward_tasks=_part(self.forward_tasks, parts),
            outboxes=_part(self.outboxes, parts),
            shards=_part(self.shards, parts),
            lambda_concurrency=self.lambda_concurrency / parts,
            put_events=self.put_events / parts,
            invocations=self.invocations / parts,
            fifo_calls=self.fifo_calls if self.outboxes == parts else self.fifo_calls / parts,
            status_keys=_part(self.status_keys, parts),
            document_commits=self.document_commits / parts,
            slices=1,
        )


def _part(count: int, parts: int) -> int:
    if count % parts:
        raise ValueError(f"{count} cannot be cut into {parts} equal parts")
    return count // parts


AS_DEPLOYED = Knobs("as deployed")
"""A protected stage, all in one account: two tasks of whatever may run twice."""

TEN_THOUSAND = Knobs(
    "10 000 a minute",
    http_rate=400,
    http_burst=400,
    task_vcpu=1,
    document_commits=inputs.CLUSTER_COMMITS_MIDDLE.value,
)

MILLION = Knobs(
    "1 000 000 a minute",
    http_rate=25_000,
    http_burst=25_000,
    task_vcpu=1,
    api_tasks=200,
    stock_tasks=200,
    consumer_tasks=200,
    forward_tasks=100,
    outboxes=100,
    shards=400,
    put_events=100_000,
    invocations=650_000,
    status_keys=100,
    document_commits=10 * inputs.CLUSTER_COMMITS_LARGE.value,
    slices=100,
)

STEPS = (AS_DEPLOYED, TEN_THOUSAND, MILLION)
