"""What a history tells: what happened, in order and in words, and what it was looked at for."""

from tests.simulation.scheduling import Scheduler


class Story:
    """Numbered steps, each with its time and who took it; told only when somebody listens."""

    def __init__(self, scheduler: Scheduler, *, is_told: bool) -> None:
        self._scheduler, self.is_told = scheduler, is_told
        self._steps: list[str] = []

    def tell(self, who: str, what: str) -> None:
        if self.is_told:
            moment = f"{self._scheduler.now:.3f} s"
            self._steps.append(f"{len(self._steps) + 1:>4}. {moment:>12}  {who:<24} {what}")

    def __str__(self) -> str:
        return "\n".join(self._steps)


class Finding(BaseException):
    """A promise that was broken. No code under test can catch it: it is no Exception."""
