"""The table of processes: it agrees with the topology, and with what each process reads."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

import pytest

from infra.resources import Domain, SealingKey
from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import (
    EVENT_VERSION,
    Consumes,
    Empties,
    EmptiesDocuments,
    Opens,
    Owns,
    OwnsDocuments,
    PublishesTo,
    Reserves,
    Seals,
    SendsTo,
    Workload,
)
from runtime.errors import Misconfigured
from runtime.http.settings import ApiSettings
from runtime.settings import AwsSettings, ConsumerSettings, MongoSettings, WorkerSettings, load
from tools.reference.variables import settings_of

AWS = {"AWS_REGION": "eu-west-1"}
DOCUMENTS = {"MONGODB_URI": "mongodb://127.0.0.1:27017", "MONGODB_DATABASE": "payments"}

DOMAINS = {domain.name: domain for domain in TOPOLOGY.domains}

each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)


def test_each_process_has_a_name_of_its_own() -> None:
    """Services, log groups and lines of a terminal are told apart by it."""
    assert [
        name for name, count in Counter(one.name for one in WORKLOADS).items() if count > 1
    ] == []


@each_workload
def test_what_a_process_uses_is_in_its_own_domain(workload: Workload) -> None:
    """Nobody touches another domain's tables, queues or buses: only events cross."""
    domain = DOMAINS[workload.domain]
    tables, queues = named(domain.tables), named(domain.queues)
    for use in workload.uses:
        match use:
            case Owns(table, outbox, indexes):
                (found,) = (one for one in domain.tables if one.name == table)
                assert {*indexes} <= named(found.indexes)
                assert outbox in outboxes(domain)
            case Reserves(inventory):
                assert inventory in tables - outboxes(domain)
            case Consumes(queue) | SendsTo(queue):
                assert queue in queues
            case PublishesTo(bus):
                assert bus in named(domain.buses)
            case Empties(outbox):
                assert outbox in tables & outboxes(domain)
            case OwnsDocuments(collection, outbox):
                assert collection in named(domain.collections)
                assert outbox in changing(domain)
            case EmptiesDocuments(outbox):
                assert outbox in changing(domain)


@each_workload
def test_what_a_process_seals_is_for_another_domain(workload: Workload) -> None:
    """It is opened under a key of one's own."""
    keys = DOMAINS[workload.domain].keys
    for use in workload.uses:
        if isinstance(use, Opens | Seals):
            assert use.key in TOPOLOGY.keys
            assert (use.key in keys) == isinstance(use, Opens)


@each_workload
def test_settings_name_what_the_process_uses(workload: Workload) -> None:
    """What may be touched and what is configured are the same names, so neither can go stale."""
    used = {
        name
        for use in workload.uses
        if not isinstance(use, OwnsDocuments)  # a service's store names its own collections
        for name in names(use)
    }
    configured = {value for each, value in workload.settings.items() if each not in EVENT_VERSION}
    assert configured <= used
    # An index is found on its table; only the table is configured.
    assert used <= configured


@each_workload
def test_a_process_starts_with_these_settings_and_its_places(
    workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own settings, AWS, DocumentDB and a port make a whole environment."""
    settings = settings_of(workload)
    for name, value in environment(workload).items():
        monkeypatch.setenv(name, value)
    assert load(settings)
    assert {name.lower() for name in workload.settings} <= settings.model_fields.keys()


@each_workload
def test_a_process_needs_each_of_its_settings(
    workload: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is superfluous: without it the process says that it is missing."""
    for name, value in environment(workload).items():
        monkeypatch.setenv(name, value)
    for name in workload.settings:
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(Misconfigured, match=name):
                load(settings_of(workload))


@each_workload
def test_what_a_process_is_given_fits_what_it_reads(workload: Workload) -> None:
    """AWS for those that read its settings, DocumentDB likewise, and HTTP for APIs alone."""
    settings = settings_of(workload)
    assert workload.uses_aws == issubclass(settings, AwsSettings)
    assert workload.uses_documents == issubclass(settings, MongoSettings)
    assert (workload.path is not None) == issubclass(settings, ApiSettings)
    assert (workload.path is None) == issubclass(settings, WorkerSettings)
    consumes = any(isinstance(use, Consumes) for use in workload.uses)
    assert consumes == issubclass(settings, ConsumerSettings)


@pytest.mark.parametrize("domain", TOPOLOGY.domains, ids=lambda domain: domain.name)
def test_each_domain_has_one_api(domain: Domain) -> None:
    """It serves the collection that the domain is about."""
    assert len([one for one in WORKLOADS if one.domain == domain.name and one.path]) == 1


def test_every_work_queue_has_one_consumer() -> None:
    """A dead-letter queue has none: a person looks, and redrives."""
    consumers = Counter(
        use.queue for one in WORKLOADS for use in one.uses if isinstance(use, Consumes)
    )
    assert consumers == dict.fromkeys((q.name for q in TOPOLOGY.queues if q.redrive), 1)


def test_every_outbox_has_one_relay() -> None:
    """Of tables and of collections; whoever writes events is not who publishes them."""
    tables = Counter(one.empties for one in WORKLOADS if one.empties)
    collections = Counter(
        one.settings["OUTBOX_COLLECTION"]
        for one in WORKLOADS
        if "OUTBOX_COLLECTION" in one.settings
    )
    assert tables == dict.fromkeys((table.name for table in TOPOLOGY.tables if table.stream), 1)
    assert collections == dict.fromkeys(
        (c.name for c in TOPOLOGY.collections if c.change_stream), 1
    )
    for one in WORKLOADS:
        assert one.relays_outbox == bool(one.empties or "OUTBOX_COLLECTION" in one.settings)
        assert not (one.relays_outbox and any(isinstance(use, Owns) for use in one.uses))


def test_every_bus_has_one_publisher() -> None:
    """A domain's events reach its bus in one way: from a relay, in order for each aggregate."""
    publishers = Counter(
        use.bus for one in WORKLOADS for use in one.uses if isinstance(use, PublishesTo)
    )
    assert publishers == dict.fromkeys(named(TOPOLOGY.buses), 1)


def test_a_relays_dead_letters_go_where_nothing_else_does() -> None:
    """To a dead-letter queue of its own; that of a FIFO queue is where the queue redrives to."""
    for_rules = {rule.dlq for rule in TOPOLOGY.rules}
    redrives = {queue.name: queue.redrive.dlq for queue in TOPOLOGY.queues if queue.redrive}
    for one in WORKLOADS:
        dlq = one.settings.get("DEAD_LETTER_QUEUE")
        assert (dlq is not None) == one.relays_outbox
        if dlq is not None:
            assert dlq not in for_rules
            assert SendsTo(dlq) in one.uses
            fifo = one.settings.get("FIFO_QUEUE")
            assert (dlq in redrives.values()) == (fifo is not None)
            assert fifo is None or redrives[fifo] == dlq


def environment(workload: Workload) -> dict[str, str]:
    return {
        **workload.settings,
        **(AWS if workload.uses_aws else {}),
        **(DOCUMENTS if workload.uses_documents else {}),
        "HTTP_PORT" if workload.path else "HEALTH_PORT": "8080",
    }


def outboxes(domain: Domain) -> set[str]:
    return {table.name for table in domain.tables if table.stream}


def changing(domain: Domain) -> set[str]:
    return {each.name for each in domain.collections if each.change_stream}


class Named(Protocol):
    @property
    def name(self) -> str: ...


def named(resources: Iterable[Named]) -> set[str]:
    return {resource.name for resource in resources}


def names(use: object) -> set[str]:
    """Every name in it."""
    values = [getattr(use, field) for field in getattr(use, "__slots__", ())]
    keys = {value.alias for value in values if isinstance(value, SealingKey)}
    return keys | {value for value in values if isinstance(value, str)}


@pytest.fixture(autouse=True)
def _nothing_is_set_already(monkeypatch: pytest.MonkeyPatch) -> None:
    for workload in WORKLOADS:
        for name in settings_of(workload).model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
