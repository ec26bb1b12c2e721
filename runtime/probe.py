"""Asks a process beside it how it is: `python -m runtime.probe 8000/readyz`.

Exit code 0 after 200, else 1 with the reason on stderr: a container's health check. It runs every
few seconds in every container, so it imports nothing but sockets: an HTTP library takes twice the
time.
"""

import socket
import sys

PROBE_TIMEOUT = 3.0
"""Seconds for the connection and for each piece of the answer."""

LONGEST_ANSWER = 64 * 1024
"""Bytes; a reason is some hundred."""


def main(arguments: list[str]) -> int:
    port, _, path = arguments[0].partition("/") if len(arguments) == 1 else ("", "", "")
    if not port.isdecimal():
        sys.stderr.write("say what to ask: PORT/PATH, such as 8000/readyz\n")
        return 2
    try:
        answer = ask(int(port), f"/{path}")
    except OSError as error:
        sys.stderr.write(f"127.0.0.1:{port}: {error}\n")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return 0
    sys.stderr.write((body or head or b"no answer\n").decode(errors="replace"))
    return 1


def ask(port: int, path: str) -> bytes:
    """The whole answer to GET `path` on this machine; raises OSError."""
    with socket.create_connection(("127.0.0.1", port), PROBE_TIMEOUT) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b""
        while len(answer) < LONGEST_ANSWER and (piece := connection.recv(4096)):
            answer += piece
    return answer


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
