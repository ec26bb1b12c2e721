"""Sells all razors out for as long as a demo lasts: `make demo OUT_OF_STOCK=1`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

TRIES = 10
"""Others take or give back between our read and our write: then both are made again."""

PUT_TAKES = 30.0
"""Seconds: the first one answers after a second, one that loses races after ten."""


class Warehouse:
    """The inventory of one item, over HTTP. Raises httpx.HTTPStatusError for what is refused."""

    def __init__(self, http: httpx.Client, stock_url: str) -> None:
        self._http, self._url = http, f"{stock_url}/inventory/razor-123"

    @contextmanager
    def sold_out(self) -> Iterator[None]:
        """Have nothing available meanwhile; then the inventory is as it was found.

        A signal that comes while it is changed waits until that is done.
        """
        found = self._read()
        try:
            with uninterrupted():
                self._sell_out()
            yield
        finally:
            with uninterrupted():
                self._restore(found)

    def _read(self) -> dict[str, int] | None:
        """Its numbers; None where none is set."""
        answer = self._http.get(self._url)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, int] = answer.raise_for_status().json()
        return found

    def _sell_out(self) -> None:
        for _ in range(TRIES):
            found = self._read()
            answer = self._put(found["reserved"] if found else 0)
            if answer.status_code != httpx.codes.CONFLICT:
                break
        answer.raise_for_status()

    def _restore(self, found: dict[str, int] | None) -> None:
        answer = self._http.delete(self._url) if found is None else self._put(found["onHand"])
        answer.raise_for_status()

    def _put(self, on_hand: int) -> httpx.Response:
        return self._http.put(self._url, json={"onHand": on_hand}, timeout=PUT_TAKES)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Raise KeyboardInterrupt only at the end, if Ctrl-C or SIGTERM comes within."""
    came: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
