"""Processes that can be killed at any call, and start again with nothing in their memory."""

from collections.abc import Callable

from greenlet import getcurrent, greenlet

from tests.simulation.scheduling import Killed, Scheduler
from tests.simulation.telling import Finding, Story

RESTART_AFTER = 1.0
"""Seconds until a process that ended by an error is started again."""

Body = Callable[["Process"], object]
"""Puts a process together and spawns its tasks."""


class Process:
    """Tasks that share a memory, and its end. `life` counts the starts."""

    def __init__(self, name: str, scheduler: Scheduler, story: Story, body: Body) -> None:
        self.name, self._scheduler, self._story, self._body = name, scheduler, story, body
        self._tasks: dict[greenlet, Callable[[], object]] = {}
        self.life = 0
        self.is_up = False
        self.may_fail = False
        """Whether an error that ends it is none of its own: some fault was no outage."""

    def start(self) -> None:
        if self.is_up:
            return
        self.life += 1
        self.is_up = True
        if self.life > 1:
            self._story.tell(self.name, "starts")
        self._body(self)

    def spawn(
        self, work: Callable[[], object], *, ended: Callable[[], object] = lambda: None
    ) -> None:
        """Run work as a task; `ended` is called when it is over, also if it was killed."""
        self._tasks[self._scheduler.task(lambda: self._run(work))] = ended

    def die_here(self, restart_after: float) -> None:
        """Kill the process from within one of its tasks, which does not go on."""
        self._scheduler.interrupt(lambda: self.kill(restart_after))
        raise Killed

    def kill(self, restart_after: float) -> None:
        """End every task where it stands, at once, and start anew after so many seconds."""
        if not self.is_up:
            return
        self._story.tell(self.name, f"is killed, and starts again in {restart_after:.1f} s")
        self.end()
        self._scheduler.after(restart_after, self.start)

    def end(self) -> None:
        """End every task where it stands."""
        self.is_up = False
        tasks, self._tasks = self._tasks, {}
        self._scheduler.kill(tasks)
        for ended in tasks.values():
            ended()

    def _run(self, work: Callable[[], object]) -> None:
        me, life = getcurrent(), self.life
        try:
            work()
        except Exception as error:
            if not self.may_fail:
                raise Finding(f"{self.name} ended by an error: {error!r}") from error
            if self.is_up and self.life == life:
                self._story.tell(self.name, f"ends by an error: {error!r}")
                self._scheduler.after(0, lambda: self._fall(life))
        ended = self._tasks.pop(me, None)
        if ended is not None:
            ended()

    def _fall(self, life: int) -> None:
        """A part that fails ends its process: whoever started it starts another."""
        if self.life == life:
            self.kill(RESTART_AFTER)


class Errand:
    """A task of a process that is there while there is something to do; called, it looks."""

    def __init__(
        self, process: Process, is_needed: Callable[[], object], step: Callable[[], object]
    ) -> None:
        self._process, self._is_needed, self._step = process, is_needed, step
        self._is_at_work = False

    def __call__(self) -> None:
        if not self._is_at_work:
            self._is_at_work = True
            self._process.spawn(self._work)

    def _work(self) -> None:
        while self._is_needed():
            self._step()
        self._is_at_work = False
