"""What a load run found: numbers, and promises that hold or do not, as markdown."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class LoadReport:
    """One run. `numbers` are what was measured, `promises` what must hold."""

    title: str
    command: str
    numbers: dict[str, str] = field(default_factory=dict)
    promises: list[tuple[str, bool, str]] = field(default_factory=list)

    def promise(self, text: str, found: str, *, holds: bool) -> None:
        """Note whether something that the system promises held, and what was found."""
        self.promises.append((text, holds, found))

    @property
    def broken(self) -> list[str]:
        """The promises that did not hold, each with what was found instead."""
        return [f"{text}: {found}" for text, holds, found in self.promises if not holds]

    def markdown(self) -> str:
        lines = [f"### {self.title}", "", f"`{self.command}` on {machine()}.", ""]
        lines += ["| measured | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.numbers.items()]
        lines += ["", "| promise | found | holds |", "|---|---|---|"]
        lines += [
            f"| {text} | {found} | {'yes' if holds else '**no**'} |"
            for text, holds, found in self.promises
        ]
        return "\n".join(lines)


def machine() -> str:
    """Cores, processor and memory of this machine."""
    cpu, memory = platform.machine(), ""
    if Path("/proc/cpuinfo").exists():
        names = re.findall(
            r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE
        )
        cpu = names[0] if names else cpu
        kilobytes = re.findall(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
        memory = f", {int(kilobytes[0]) / 2**20:.0f} GiB"
    return f"{os.cpu_count()} cores ({cpu}){memory}, engines on the same machine"


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` (0 to 1) of the values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def spread(seconds: Sequence[float]) -> str:
    """Median, p99 and maximum in milliseconds."""
    shown = (percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds, default=0.0))
    return " / ".join(f"{1000 * each:,.0f}" for each in shown) + " ms"
