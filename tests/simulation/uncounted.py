"""Metrics that count nothing: nobody reads them here, and they take a tenth of a history's time."""

from typing import Any


class Uncounted:
    """Any metrics, and any of Prometheus's instruments."""

    def __getattr__(self, _: str) -> Any:
        return self

    def __call__(self, *_: object, **__: object) -> Any:
        return self


METRICS: Any = Uncounted()
