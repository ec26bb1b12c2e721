"""The names that a server answers to: those of loopback, and those that a setting adds.

A page of any site can point a name of its own to 127.0.0.1 and then read what is served there (DNS
rebinding). The Host header is the one thing that tells such a request from its owner's.

It needs nothing beside the standard library: the emulator's guard runs in an image of its own.
"""

from ipaddress import ip_address

ANY_HOST = "*"
"""The setting of a server that is reached by no browser, or by names that are checked before it."""


def hosts_in(setting: str) -> frozenset[str]:
    """Read names with commas between them, in any case; empty for an empty setting."""
    return frozenset(each.strip().lower() for each in setting.split(",") if each.strip())


def is_allowed(host: str, allowed: frozenset[str]) -> bool:
    """Whether a Host header names loopback, or one of `allowed`, which may have a port or not."""
    name = without_port(host)
    return is_loopback(name) or bool(allowed & {name, host.lower(), ANY_HOST})


def is_loopback(host: str) -> bool:
    """Whether a host names this machine and no other can reach it; brackets of IPv6 may be on."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def without_port(host: str) -> str:
    """Take the port, and the brackets of IPv6, off a Host header."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]
