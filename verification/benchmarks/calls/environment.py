"""A process's settings, read from what it would find in its environment."""

from typing import Any, TypeVar

from runtime.settings import ProcessSettings
from verification.testkit.engines import Engines

S = TypeVar("S", bound=ProcessSettings)

PORTS = {"http_port": 0, "health_port": 0}
"""Nobody serves here."""


def settings_of(kind: type[S], engines: Engines, workload: str) -> S:
    """Read a workload's settings as `kind`, which knows some of the variables."""
    values: dict[str, Any] = dict(PORTS)
    values |= {name.lower(): value for name, value in engines.environment(workload).items()}
    return kind(**{name: value for name, value in values.items() if name in kind.model_fields})
