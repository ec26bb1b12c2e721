"""The two things that make work wait: servers that are busy, and quotas that are used up."""

from heapq import heapify, heapreplace
from math import inf

import simpy


class Servers:
    """Servers behind one queue, first come first served.

    A service time is known on arrival, so its end is too: an arrival takes the server that is free
    first. A task's share of a core is one server, whatever its number of threads.
    """

    def __init__(self, env: simpy.Environment, count: int) -> None:
        self._env = env
        self._free_at = [0.0] * count
        heapify(self._free_at)

    def use(self, seconds: float) -> simpy.Event:
        """Wait for a server, then be served; the event comes at the end of that."""
        end = max(self._env.now, self._free_at[0]) + seconds
        heapreplace(self._free_at, end)
        return self._env.timeout(end - self._env.now)


class RateQuota:
    """A token bucket of `rate` tokens a second that holds `burst`; whoever comes is served in turn.

    What AWS throttles is tried again until it passes, so a refusal is a wait here.
    """

    def __init__(self, env: simpy.Environment, rate: float, *, burst: float | None = None) -> None:
        self._env, self._rate = env, rate
        self._slack = 0.0 if rate == inf else (rate if burst is None else burst) / rate
        self._next = -inf

    def wait(self, tokens: float = 1) -> float:
        """Take tokens; returns the seconds until they are there."""
        now = self._env.now
        begin = max(self._next, now - self._slack)
        self._next = begin + tokens / self._rate
        return max(0.0, self._next - now)
