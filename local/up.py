"""Runs the system in the foreground: `python -m local.up`, which is `make up`."""

import signal
import sys
import time

from local.console import Console
from local.errors import ProcessDied, Stopped
from local.settings import LocalSettings
from local.system import CANNOT_START, running_system
from runtime.errors import Misconfigured
from runtime.settings import load
from runtime.stopping import Stop, on_signal

FAILED, MISCONFIGURED = 1, 2
"""Exit codes; a stop that was asked for is 0."""


def main() -> int:
    started = time.monotonic()
    console, stop = Console(sys.stdout), Stop()
    try:
        settings = load(LocalSettings)
        signal.signal(signal.SIGHUP, lambda *_: stop.request())  # the terminal was closed
        with on_signal(stop), running_system(settings, console=console, stop=stop) as supervisor:
            console.say(f"ready in {time.monotonic() - started:.1f} s")
            for name, address in addresses(settings).items():
                console.say(f"  {name:<13} {address}/docs")
            console.say(f"Ctrl-C stops it; its state stays in {settings.state_dir}")
            try:
                supervisor.supervise()
            except ProcessDied as death:
                console.say(f"stopping, because {death.process.name} died")
                raise
            console.say("stopping")
    except Stopped:
        pass
    except Misconfigured as error:
        console.say(str(error))
        return MISCONFIGURED
    except CANNOT_START as error:
        console.say(str(error))
        return FAILED
    console.say("stopped")
    return 0


def addresses(settings: LocalSettings) -> dict[str, str]:
    """Where each API answers."""
    return {
        "subscription": f"http://127.0.0.1:{settings.subscription_api_port}",
        "stock": f"http://127.0.0.1:{settings.stock_api_port}",
        "payment": f"http://127.0.0.1:{settings.payment_api_port}",
    }


if __name__ == "__main__":
    sys.exit(main())
