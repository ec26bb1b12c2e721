"""Which names a server answers to."""

import pytest

from runtime.http.hosts import hosts_in, is_allowed, is_loopback, without_port


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_what_no_other_machine_reaches(host: str, expected: bool) -> None:
    """A name that merely looks like it is none."""
    assert is_loopback(host) is expected


def test_a_port_is_taken_off_a_host() -> None:
    """Of names, of addresses, and of IPv6's in brackets."""
    assert [without_port(each) for each in ("A:1", "a", "[::1]:80", "[::1]", "")] == [
        "a",
        "a",
        "::1",
        "::1",
        "",
    ]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8001", True),
        ("Api.Example", True),
        ("api.example:443", True),
        ("box:8000", True),
        ("box", False),
        ("box:8001", False),
        ("api.example.evil.example", False),
        ("", False),
    ],
)
def test_a_server_answers_to_loopback_and_to_what_is_set(host: str, expected: bool) -> None:
    """A name that is set with a port counts with that port alone."""
    assert is_allowed(host, hosts_in("api.example, Box:8000")) is expected
    assert is_allowed(host, hosts_in("*"))
