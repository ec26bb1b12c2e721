"""What pip is configured with, in uv's words: uv reads neither pip's files nor its variables."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

INDEXES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_CONFIG_FILE",
)
"""Where one of these is set, uv is configured by hand, and pip's configuration is not asked."""

SECTIONS = ("global", "install", ":env:")
"""Of `pip config list`, as pip ranks them for `pip install`: the last one wins."""


def configured(lines: Iterable[str]) -> dict[str, str]:
    """Option by option what `pip config list` printed: `global.index-url='https://…'`."""
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in lines:
        name, equals, value = line.strip().partition("=")
        section, _, option = name.rpartition(".")
        if equals and section in found:
            found[section][option] = str(ast.literal_eval(value))
    return {option: value for section in SECTIONS for option, value in found[section].items()}


def for_uv(pip: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The variables that make uv look where pip would; a folder that is not there is left out."""
    settings: dict[str, str] = {}
    if not any(env.get(name) for name in INDEXES):
        settings |= _indexes(pip)
    if "cert" in pip and not env.get("SSL_CERT_FILE"):
        settings["SSL_CERT_FILE"] = pip["cert"]
    if "proxy" in pip and not (env.get("HTTPS_PROXY") or env.get("ALL_PROXY")):
        settings["ALL_PROXY"] = pip["proxy"]
    if "trusted-host" in pip and not env.get("UV_INSECURE_HOST"):
        settings["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    timeout = pip.get("timeout", pip.get("default-timeout"))
    if timeout and not env.get("UV_HTTP_TIMEOUT"):
        settings["UV_HTTP_TIMEOUT"] = str(max(1, round(float(timeout))))
    return settings


def _indexes(pip: Mapping[str, str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        settings["UV_NO_INDEX"] = "1"
    elif index := pip.get("index-url"):
        settings["UV_DEFAULT_INDEX"] = index.strip()
    if extra := list(filter(_is_there, pip.get("extra-index-url", "").split())):
        settings["UV_INDEX"] = " ".join(extra)
        # As pip does: every index is asked. What comes is held to the lock's hashes.
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := list(filter(_is_there, pip.get("find-links", "").split())):
        settings["UV_FIND_LINKS"] = ",".join(links)
    return settings


def _is_there(place: str) -> bool:
    """False for a folder that does not exist, which pip warns of and uv refuses."""
    address = urlsplit(place)
    if address.scheme not in {"", "file"}:
        return True
    return Path(unquote(address.path)).exists()
