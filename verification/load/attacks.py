"""What clients do to a process in the run `exhaustion`, with the ends that are right for each."""

from functools import partial

from verification.load.clients import (
    CLOSED,
    ENDLESS,
    HEALTH,
    TRICKLE,
    Attack,
    exchange,
    idle_after_an_answer,
    never_read,
)

_REFUSED = {"401", "404", "405", "408", "413"}
"""401 is where tokens are required."""

HALF_OPEN = Attack("half open", {"408"}, lambda to: exchange(to, HEALTH + b"X-Rest:"))

IDLE = (
    # 503, where others needed its room.
    Attack("silent", {CLOSED, "503"}, lambda to: exchange(to, b"")),
    HALF_OPEN,
    # One answer, where others needed its room for the second.
    Attack("idle after an answer", {"2 x 200", "200"}, idle_after_an_answer),
)

_trickle = partial(exchange, times=ENDLESS, pause=TRICKLE)

SLOW = (
    Attack("slow headers", {"408"}, lambda to: _trickle(to, HEALTH + b"X-Slow: ", b"x")),
    Attack("slow body", _REFUSED, lambda to: _trickle(to, to.post("Content-Length: 1000"), b"x")),
    Attack(
        "slow chunks",
        _REFUSED,
        lambda to: _trickle(to, to.post("Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
    ),
    Attack("never reads", {"dropped"}, never_read),
)

GREEDY = (
    Attack(
        "announces more than it sends",
        _REFUSED,
        lambda to: exchange(to, to.post("Content-Length: 100") + b"{}"),
    ),
    Attack(  # what follows the announced body is no request
        "sends more than it announces",
        {"400", "400, 401", "400, 404", "400, 405", "400, 422"},
        lambda to: exchange(to, to.post("Content-Length: 2") + b"{}" + b"x" * 64 + b"\r\n\r\n"),
    ),
    Attack(
        "large header",
        {"431"},
        lambda to: exchange(to, HEALTH + b"X-Large: " + b"x" * 65536 + b"\r\n\r\n"),
    ),
    Attack(
        "many headers",
        {"431"},
        lambda to: exchange(
            to, HEALTH + b"".join(b"X-%d: x\r\n" % n for n in range(10_000)) + b"\r\n"
        ),
    ),
    Attack(
        "endless headers",
        {"431"},
        lambda to: exchange(to, HEALTH, b"X-More: x\r\n" * 1000, times=ENDLESS),
    ),
    Attack(  # of 8 MB; after its refusal the connection is kept
        "large body",
        _REFUSED,
        lambda to: exchange(
            to, to.post("Content-Length: 8000000"), b"x" * 80_000, times=100, kept=True
        ),
    ),
    Attack(
        "endless body",
        _REFUSED,
        lambda to: exchange(
            to,
            to.post("Transfer-Encoding: chunked"),
            b"2000\r\n" + b"x" * 0x2000 + b"\r\n",
            times=ENDLESS,
        ),
    ),
    Attack(
        "pipelines",
        {"20 x 200"},
        lambda to: exchange(to, (HEALTH + b"\r\n") * 19 + HEALTH + b"Connection: close\r\n\r\n"),
    ),
)


def _sending(name: str, request: bytes, *right: str) -> Attack:
    return Attack(name, set(right or ["400"]), lambda to: exchange(to, request))


_POST, _GET = b"POST / HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

GARBAGE = (
    _sending("two lengths", _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    _sending("a negative length", _POST + b"Content-Length: -1\r\n\r\n"),
    _sending(
        "a length and chunks",
        _POST + b"Content-Length: 4\r\n" + _CHUNKED + b"0\r\n\r\n" + HEALTH + b"\r\n",
    ),
    _sending("an unknown encoding", _POST + b"Transfer-Encoding: xchunked\r\n\r\n", "501"),
    _sending("a space before the colon", _GET + b"Host : x\r\n\r\n"),
    _sending(
        "a folded host",
        _GET + b"Connection: close\r\nHost: localhost\r\n X: y\r\n Z\r\n\r\n",
        "401",
        "404",
        "405",
        "421",
    ),
    _sending("a null in a header", _GET + b"Host: localhost\r\nX: \x00\r\n\r\n"),
    _sending("no host", _GET + b"\r\n"),
    _sending("two hosts", _GET + b"Host: localhost\r\nHost: y\r\n\r\n"),
    _sending("a chunk without a size", _POST + _CHUNKED + b"zz\r\n"),
    _sending("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n"),
    _sending("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    _sending("an empty line and zeros", b"\r\n" + bytes(4096) + b"\r\n\r\n"),
)
"""No HTTP, or what two readers of HTTP could read in two ways: what is sent, and the statuses that
answer it, if not 400."""
