"""Whether a process is at work, part by part."""

import threading


class Readiness:
    """Which parts of a process are at work. A part that was never reported up keeps it unready."""

    def __init__(self, *parts: str) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str | None] = dict.fromkeys(parts, "starting")
        self._was_ready = not parts

    def up(self, part: str) -> None:
        with self._lock:
            self._reasons[part] = None
            self._was_ready = self._was_ready or not any(self._reasons.values())

    def down(self, part: str, reason: str) -> None:
        with self._lock:
            self._reasons[part] = reason

    def reasons(self) -> dict[str, str]:
        """Say why the process is not ready, by part; empty when it is."""
        with self._lock:
            return {part: reason for part, reason in self._reasons.items() if reason is not None}

    def reasons_at_start(self) -> dict[str, str]:
        """Say why the process was never ready; empty for ever once it was."""
        return {} if self._was_ready else self.reasons()
