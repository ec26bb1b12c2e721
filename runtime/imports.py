"""Keeps out what libraries would bring along; the packages of processes import this first of all.

A library imports what it could use, wherever that is installed. None in sys.modules makes it look
as if it were not, and all of these are written for that.
"""

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules

# pymongo checks certificates by OCSP with PyOpenSSL, which none of our locks has, and before it
# looks for that imports cryptography: 8 MB and 25 ms, in processes that decrypt nothing.
_modules.setdefault("pymongo.pyopenssl_context", None)

# httpx's command line, where click, rich and pygments are there for it: 4 MB and 60 ms.
_modules.setdefault("httpx._main", None)

# structlog has a renderer for terminals that draws tracebacks with rich, in 5 MB and 40 ms. Ours
# writes them as text (runtime/logs.py), and commands that draw tables import rich themselves.
if "rich" not in _modules:
    _modules["rich"] = None
    import structlog  # noqa: F401

    del _modules["rich"]
