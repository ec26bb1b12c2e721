"""The Custom Event Buses of a history, with their subscribers and what befalls their deliveries."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from infra.custom_buses import DELIVERY_RETRIES, DELIVERY_SECONDS, Subscriber, on_custom_buses
from infra.resources import ToBus, ToQueue
from infra.topology import TOPOLOGY
from tests.memory_buses import Event, MemoryBuses
from tests.memory_custom_buses import (
    HORIZON,
    MemoryCustomBus,
    MemoryCustomBuses,
    StartingPosition,
    Stored,
    SubscriberConfiguration,
    TargetFailed,
    TargetLate,
)
from tests.memory_queues import MemorySqs
from tests.simulation.fates import Kind
from tests.simulation.ledger import Ledger
from tests.simulation.wires import Weather

CUSTOM = on_custom_buses(TOPOLOGY)

LATEST_DELIVERY = 90.0

BEFALLS_DELIVERY = (Kind.LATE, Kind.TWICE, Kind.RETRIED, Kind.UNDELIVERABLE)


class CustomPlaces:
    """Each bus has the subscribers of the topology, and one that reads it in order.

    That one is no part of the system: it is what a reader gets that needs order.
    """

    def __init__(
        self,
        weather: Weather,
        ledger: Ledger,
        sqs: MemorySqs,
        classic: MemoryBuses,
        on_bus: Callable[[str, Event], object],
    ) -> None:
        self._weather, self._ledger, self._sqs, self._classic = weather, ledger, sqs, classic
        self._on_bus = on_bus
        scheduler = weather.scheduler
        self.buses = {
            bus.name: MemoryCustomBus(
                bus.name,
                now=lambda: scheduler.now,
                later=scheduler.after,
                journal=self._take,
                retention_days=bus.retention_days,
            )
            for bus in CUSTOM.buses
        }
        self.client = MemoryCustomBuses(self.buses.values())
        for subscriber in CUSTOM.subscribers:
            self._subscribe(subscriber, HORIZON)
        for name, bus in self.buses.items():
            bus.subscribe(
                SubscriberConfiguration(f"{name}-in-order", fifo=True, start=HORIZON),
                partial(self._read, name),
            )

    @property
    def is_idle(self) -> bool:
        return all(bus.is_idle for bus in self.buses.values())

    def replay(self, name: str) -> None:
        """An operator has all that a bus retains read again, up to now."""
        end = StartingPosition("POINT_IN_TIME", None, self._weather.scheduler.now)
        for subscriber in CUSTOM.subscribers:
            if subscriber.bus == name:
                self._subscribe(subscriber, end)

    def read_again(self, record: str) -> None:
        """An operator has the events of a dead-lettered record read again."""
        found = json.loads(record)
        name = found["subscriberArn"].split("/")[1]
        (subscriber,) = (each for each in CUSTOM.subscribers if each.name == name)
        ids = frozenset(each["eventId"] for each in found["failedMessages"])
        now = self._weather.scheduler.now
        self._subscribe(subscriber, StartingPosition("POINT_IN_TIME", None, now), ids)

    def _subscribe(
        self, subscriber: Subscriber, start: StartingPosition, only: frozenset[str] | None = None
    ) -> None:
        configuration = SubscriberConfiguration(
            subscriber.name,
            subscriber.pattern,
            start=start,
            max_retries=DELIVERY_RETRIES,
            max_age=DELIVERY_SECONDS,
            only=only,
        )
        self.buses[subscriber.bus].subscribe(
            configuration,
            partial(self._deliver, subscriber),
            partial(self._dead_letter, subscriber),
        )

    def _take(self, bus: str, stored: Stored) -> None:
        self._on_bus(bus, stored.event)
        self._ledger.take_once(bus, stored)

    def _deliver(self, subscriber: Subscriber, stored: Stored) -> None:
        """At least once: where the target's answer is lost it is delivered again."""
        self._befall(subscriber.name, lambda: self._arrive(subscriber.target, stored.event))

    def _read(self, bus: str, stored: Stored) -> None:
        self._befall(f"{bus} in order", lambda: self._ledger.read_in_order(bus, stored))

    def _befall(self, name: str, arrive: Callable[[], object]) -> None:
        fate = self._weather.fate(f"subscriber {name}", BEFALLS_DELIVERY)
        story = self._weather.story
        if fate is not None and story.is_told:
            story.tell(name, f"its delivery {fate.kind}")
        match fate and fate.kind:
            case Kind.LATE if fate:
                raise TargetLate(fate.amount**2 * LATEST_DELIVERY)
            case Kind.RETRIED:
                raise TargetFailed
            case Kind.UNDELIVERABLE:
                raise TargetFailed("ACCESS_DENIED", for_good=True)
            case Kind.TWICE:
                arrive()
                raise TargetFailed("EXECUTION_TIMEOUT")
            case _:
                arrive()

    def _arrive(self, target: ToQueue | ToBus, event: Event) -> None:
        if isinstance(target, ToBus):
            self._classic.accept(target.bus, event)
        else:
            body = self._ledger.deliver(event)
            self._sqs.send_message(QueueUrl=target.queue, MessageBody=body)

    def _dead_letter(
        self, subscriber: Subscriber, record: str, attributes: Mapping[str, str]
    ) -> None:
        typed: Any = {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        }
        self._sqs.send_message(QueueUrl=subscriber.dlq, MessageBody=record, MessageAttributes=typed)
