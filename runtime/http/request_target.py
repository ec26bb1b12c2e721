"""What a request asks for: each form of target that RFC 9112 has, as the one path of a route.

https://www.rfc-editor.org/rfc/rfc9112#section-3.2
"""

import re
from urllib.parse import unquote

from starlette.types import Scope

_ABSOLUTE = re.compile(rb"(?i:https?)://([^/@:][^/@]*)(/.*)?")


def settle(scope: Scope) -> str | None:
    """Write the target's path and authority into an ASGI scope; say what is wrong with a bad one.

    A URL in place of a path, as a client sends it to a proxy, is served as its path is, and its
    authority takes the place of Host (3.2.2). `/payments/` is `/payments`; `/payments//` is not.
    """
    target: bytes = scope["raw_path"]
    if target[:1] != b"/":
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute:
            authority, target = absolute[1], absolute[2] or b"/"
            others = [each for each in scope["headers"] if each[0] != b"host"]
            scope["headers"] = [(b"host", authority), *others]
            scope["raw_path"], scope["path"] = target, unquote(target.decode("ascii"))
        elif scope["method"] != "OPTIONS" or target != b"*":
            return "ask for a path, or for an http or https URL with a host and no user"
    # By the bytes: a slash that is percent-encoded belongs to an id.
    if target[-1:] == b"/" and target[-2:-1] not in {b"", b"/"}:
        scope["raw_path"], scope["path"] = target[:-1], scope["path"][:-1]
    return None
