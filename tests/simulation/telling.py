"""The story of a history: what happened, in order, in words. Told only when somebody listens."""

from tests.simulation.scheduling import Scheduler


class Story:
    """Numbered steps, each with its time and who took it."""

    def __init__(self, scheduler: Scheduler, *, is_told: bool) -> None:
        self._scheduler, self.is_told = scheduler, is_told
        self._steps: list[str] = []

    def tell(self, who: str, what: str) -> None:
        if self.is_told:
            moment = f"{self._scheduler.now:.3f} s"
            self._steps.append(f"{len(self._steps) + 1:>4}. {moment:>12}  {who:<24} {what}")

    def __str__(self) -> str:
        return "\n".join(self._steps)
