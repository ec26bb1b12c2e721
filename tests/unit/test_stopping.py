"""Stopping: a signal asks once, every thread sees it, and the handlers are given back."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from runtime.process.shutdown import Stop, on_signal, unless_stopped
from tests.threads import beside


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_requests_a_stop(number: signal.Signals) -> None:
    """A real signal to this process: requested, waited for at once, nothing raised."""
    stop = Stop()
    with on_signal(stop):
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.wait(60)
        assert stop.requested


def test_a_signal_that_another_thread_gets_is_handled_too() -> None:
    """The main thread waits without an end, and the kernel does not wake it."""
    stop, ended = Stop(), threading.Event()
    with beside(ended.wait, ended.set) as other, on_signal(stop):
        to = other.ident or 0
        threading.Timer(0.1, lambda: signal.pthread_kill(to, signal.SIGTERM)).start()
        assert stop.wait(60)


@pytest.mark.timeout(20)
def test_a_signal_does_not_wait_for_what_it_interrupts() -> None:
    """The main thread may be inside a wait, with its lock in hand, or inside another handler."""
    stop = Stop()
    with on_signal(stop):
        with stop._event._cond:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        assert stop.wait(60)


@pytest.fixture
def pythons_own_interrupt() -> Iterator[None]:
    """A shell starts what runs in its background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("pythons_own_interrupt")
def test_a_second_interrupt_is_pythons_own() -> None:
    """Whoever presses Ctrl-C twice means it."""
    stop = Stop()
    with on_signal(stop):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_are_given_back() -> None:
    """What was there before is there after."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with on_signal(Stop()):
        pass
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_wait_is_a_sleep_that_a_stop_cuts_short() -> None:
    """A thread that waits a minute is back as soon as a stop is requested."""
    stop = Stop()
    assert not stop.wait(0)
    waited: list[bool] = []
    started = time.monotonic()
    with beside(lambda: waited.append(stop.wait(60)), stop.request):
        pass
    assert waited == [True]
    assert time.monotonic() - started < 50


def test_what_cannot_be_cut_short_is_abandoned_by_a_stop() -> None:
    """None, while the thread still waits for an answer that nobody takes."""
    stop, asked, answers = Stop(), threading.Event(), threading.Event()

    def poll() -> str:
        asked.set()
        answers.wait(30)
        return "too late"

    def request() -> None:
        asked.wait(30)
        stop.request()

    with beside(request):
        assert unless_stopped(stop, poll, thread="poll") is None
    assert not answers.is_set()
    answers.set()


def test_without_a_stop_there_is_an_answer_or_an_error() -> None:
    """Raised by who waits for it, whatever it is."""
    assert unless_stopped(Stop(), lambda: "answer", thread="poll") == "answer"
    with pytest.raises(TimeoutError, match="of its own"):
        unless_stopped(Stop(), failing, thread="poll")


def failing() -> None:
    raise TimeoutError("of its own")
