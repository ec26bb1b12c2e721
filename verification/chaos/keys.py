"""The AWS keys of a run's processes, in a profile file, and rotated while they run."""

from collections.abc import Mapping
from pathlib import Path


class Keys:
    """One key is good at a time: the one that `rotate` gave last, which `hand_out` writes."""

    def __init__(self, file: Path) -> None:
        self._file, self._number = file, 0
        file.parent.mkdir(parents=True, exist_ok=True)
        self.hand_out()

    @property
    def environment(self) -> Mapping[str, str]:
        """What has a process read the file, and nothing else; an empty variable is not set."""
        return {
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_SHARED_CREDENTIALS_FILE": str(self._file),
        }

    @property
    def current(self) -> str:
        return f"AKIACHAOS{self._number:07}"

    def rotate(self) -> str:
        """Make the next key the good one, which no process knows yet."""
        self._number += 1
        return self.current

    def hand_out(self) -> None:
        """Write the good key where the processes find it."""
        text = f"[default]\naws_access_key_id={self.current}\naws_secret_access_key=chaos\n"
        fresh = self._file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._file)
