"""What a process has open at a time in MongoDB or DocumentDB: bounded, and a wait has an end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from runtime.errors import Unavailable
from runtime.mongodb import Bound, Bounds, Mongo, connect
from runtime.settings import MongoSettings, load
from runtime.verdicts import Family

URI = "mongodb://127.0.0.1:1"


def test_no_more_are_open_than_may_be() -> None:
    """Eight threads, three at a time: each has its turn."""
    bound, lock = Bound("transactions", 3), threading.Lock()
    is_open, most = 0, 0

    def work(_: int) -> None:
        nonlocal is_open, most
        with bound.taking():
            with lock:
                is_open += 1
                most = max(most, is_open)
            threading.Event().wait(0.005)
            with lock:
                is_open -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == 3


@pytest.mark.parametrize("most", [0, 2])
def test_one_too_many_waits_and_is_an_outage(most: int) -> None:
    """A throttle, which every process holds: nothing is said against the work."""
    bound = Bound("cursors", most, longest_wait=0.01)
    with ExitStack() as held:
        for _ in range(most):
            held.enter_context(bound.taking())
        with pytest.raises(Unavailable) as refused:
            held.enter_context(bound.taking())
    assert refused.value.family is Family.THROTTLED
    assert f"open cursors: {most}," in str(refused.value)


def test_one_that_fails_gives_its_place_back() -> None:
    """Whatever the error."""
    bound = Bound("transactions", 1, longest_wait=0.01)
    for _ in range(3):
        with pytest.raises(LookupError), bound.taking():
            raise LookupError


def test_the_environment_sets_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the pool too, in which a wait for a connection ends as well."""
    monkeypatch.setenv("MONGODB_URI", URI)
    monkeypatch.setenv("MONGODB_DATABASE", "payments")
    for name, most in {"TRANSACTIONS": "0", "CURSORS": "2", "CONNECTIONS": "4"}.items():
        monkeypatch.setenv(f"MONGODB_MAX_{name}", most)
    mongo = Mongo.of(load(MongoSettings))
    with mongo.database.client as client, mongo.cursors.taking(), mongo.cursors.taking():
        assert client.options.pool_options.max_pool_size == 4
        assert client.options.pool_options.wait_queue_timeout == 3
        assert not mongo.transactions._free.acquire(blocking=False)
        assert not mongo.cursors._free.acquire(blocking=False)


def test_the_defaults_of_the_settings_are_those_of_a_client() -> None:
    """One number each."""
    fields = MongoSettings.model_fields
    assert Bounds() == Bounds(
        transactions=fields["mongodb_max_transactions"].default,
        cursors=fields["mongodb_max_cursors"].default,
        connections=fields["mongodb_max_connections"].default,
    )
    with connect(URI) as client:
        assert client.options.pool_options.max_pool_size == Bounds().connections
