"""Tools that no wheel brings: what needs one that is missing is skipped, and said so once.

Where CI is set, it fails instead: there nothing may be skipped. `make test` needs no Docker.
"""

import os
from collections import Counter
from typing import NoReturn

import pytest

CATEGORY = "skipped for a missing tool"
"""In pytest's closing line."""

_MARK = "missing: "


CHROMIUM = (
    "Chromium: sudo apt-get install chromium, or .venv/bin/playwright install --with-deps chromium,"
    " or set CHROMIUM=/path/to/it"
)
NODE = "Node: sudo apt-get install nodejs npm, where .venv has none for this machine"
JAVA = "Java: sudo apt-get install default-jre-headless, where .venv has none"
"""Each tool, and how to install it."""


def missing(tool: str) -> NoReturn:
    """Skip the test that needs it; where CI is set, fail."""
    reason = f"{_MARK}{tool}"
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"{reason} (with CI set nothing is skipped)", pytrace=False)
    pytest.skip(reason)


def missing_of(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The tool and how to install it, where a test was skipped for want of one."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _, _, reason = report.longrepr
        _, mark, tool = reason.partition(_MARK)
        return tool if mark else None
    return None


def summary(reports: list[pytest.TestReport]) -> list[str]:
    """A line for each tool that is missing, with the number of tests that want it."""
    counted = Counter(filter(None, map(missing_of, reports)))
    return [f"{count} for want of {tool}" for tool, count in sorted(counted.items())]
