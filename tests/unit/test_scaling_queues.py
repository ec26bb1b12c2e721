"""The simulation's parts against queueing theory: what is known exactly must come out."""

from math import factorial
from random import Random
from statistics import fmean, quantiles

import pytest
import simpy

from contracts.names import EventType
from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.events import Event, Life
from verification.benchmarks.scaling.fifo import FifoQueue
from verification.benchmarks.scaling.knobs import AS_DEPLOYED
from verification.benchmarks.scaling.latency import Latency
from verification.benchmarks.scaling.servers import RateQuota, Servers
from verification.benchmarks.scaling.stream import StreamedOutbox
from verification.benchmarks.scaling.waiting import Process
from verification.benchmarks.scaling.world import World


def erlang_c(servers: int, load: float) -> float:
    """The probability that an arrival has to wait in M/M/c, `load` in Erlangs."""
    busy = load**servers / factorial(servers) * servers / (servers - load)
    return busy / (sum(load**k / factorial(k) for k in range(servers)) + busy)


@pytest.mark.parametrize(("count", "load"), [(1, 0.6), (4, 2.4)])
def test_servers_keep_arrivals_waiting_as_long_as_erlang_says(count: int, load: float) -> None:
    """The mean wait of M/M/c is C(c, a) / (c - a) service times."""
    env, dice, waits = simpy.Environment(), Random(7), list[float]()
    servers = Servers(env, count)

    def customer(seconds: float) -> Process:
        arrived = env.now
        yield servers.use(seconds)
        waits.append(env.now - arrived - seconds)

    def arrivals() -> Process:
        for _ in range(40_000):
            yield env.timeout(dice.expovariate(load))
            env.process(customer(dice.expovariate(1)))

    env.process(arrivals())
    env.run()
    assert fmean(waits) == pytest.approx(erlang_c(count, load) / (count - load), rel=0.08)


def test_quota_passes_its_burst_and_then_its_rate() -> None:
    """Of 30 calls at once, 10 pass at once and the others one a tenth of a second."""
    quota = RateQuota(simpy.Environment(), rate=10, burst=10)
    waits = [quota.wait() for _ in range(30)]
    assert waits[:10] == [0] * 10
    assert waits[10] == pytest.approx(0.1)
    assert waits[-1] == pytest.approx(2)


def test_latency_has_the_percentiles_that_it_was_given() -> None:
    """A lognormal distribution is fixed by two percentiles, and samples show both."""
    dice = Random(3)
    cuts = quantiles((Latency(0.148, 0.387).sample(dice) for _ in range(50_000)), n=100)
    assert cuts[49] == pytest.approx(0.148, rel=0.03)
    assert cuts[98] == pytest.approx(0.387, rel=0.05)


def test_idle_stream_is_as_late_as_was_measured() -> None:
    """Delay and wait for a poll together give the published p50 and p99 of a stream."""
    dice, poll = Random(3), inputs.STREAM_POLL.value
    found = [latency.STREAM.sample(dice) + dice.uniform(0, poll) for _ in range(50_000)]
    cuts = quantiles(found, n=100)
    assert cuts[49] == pytest.approx(inputs.STREAM_P50.value, rel=0.1)
    assert cuts[98] == pytest.approx(inputs.STREAM_P99.value, rel=0.1)


def a_life(world: World, number: int) -> Life:
    return Life(number, 0, world.env.event())


def test_lane_publishes_one_batch_after_the_other() -> None:
    """300 records of one lane are three batches, and none begins before the last has ended."""
    world = World(AS_DEPLOYED, seed=1)
    published: list[float] = []
    outbox = StreamedOutbox(world, "outbox", 0, lambda _: published.append(world.env.now))
    for _ in range(300):
        outbox.committed(Event(EventType.STOCK_ALLOCATED, a_life(world, 0)))
    world.env.run(until=10)
    assert len(published) == 300
    work = inputs.BATCH_SIZE.value * inputs.CPU_RECORD.value / AS_DEPLOYED.lambda_core
    assert published[-1] - published[0] > 2 * work


def test_fifo_queue_gives_out_no_more_of_a_group_in_flight() -> None:
    """The second message of a group comes once the first is deleted; other groups go on."""
    world = World(AS_DEPLOYED, seed=1)
    queue = FifoQueue(world)
    lives = [a_life(world, number) for number in range(2)]
    first, second, other = (
        Event(EventType.PAYMENT_CREATED, lives[0]),
        Event(EventType.PAYMENT_CANCELLED, lives[0]),
        Event(EventType.PAYMENT_CREATED, lives[1]),
    )
    queue.sent(first)
    world.env.run(until=30)
    assert queue.receive(10) == [[first]]
    queue.sent(second)
    queue.sent(other)
    world.env.run(until=60)
    assert queue.receive(10) == [[other]]
    queue.deleted([first])
    assert queue.receive(10) == [[second]]
