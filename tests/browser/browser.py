"""Chromium: one found on the machine, else Playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It asks nobody for anything but the page."""


class NoBrowser(Exception):
    """There is none to drive; the message says what to do."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser without a window until the block ends. Raises NoBrowser."""
    found = find_chromium()
    # Chromium does not make its sandbox as root, and containers run tests as root.
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            raise NoBrowser(
                f"none of {', '.join(NAMES)} is on PATH, CHROMIUM does not name one, and"
                " Playwright has none: .venv/bin/playwright install chromium"
            )
        with playwright.chromium.launch(executable_path=found, args=arguments) as browser:
            yield browser


def find_chromium() -> str | None:
    """$CHROMIUM, else the first on PATH; None where only Playwright's own can be meant.

    Raises NoBrowser where CHROMIUM names no program.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoBrowser(f"CHROMIUM={named} is not a program")
        return found
    return next(filter(None, map(shutil.which, NAMES)), None)
