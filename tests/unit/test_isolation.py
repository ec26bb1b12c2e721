"""What a shell has exported reaches what runs here only where it configures it."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from infra.local_system.environment import REGION, SAMPLE_ENVIRONMENT, avoid_aws
from infra.local_system.settings import ROOT, LocalSettings
from local.isolation import COLLECTOR, FAMILIES, isolate, settings_classes
from runtime.settings import Settings, variables
from verification.load.__main__ import LoadSettings

EXPORTED = {
    "PATH": "/usr/bin",
    "AWS_PROFILE": "work",
    "AWS_REGION": "us-east-1",
    "AWS_CA_BUNDLE": "/nowhere",
    "MONGODB_URI": "mongodb://other:27017/",
    "MONGODB_USERNAME": "me",
    "MONGODB_PASSWORD": "secret",
    "HTTP_PORT": "1",
    "HEALTH_HOST": "0.0.0.0",
    "HTTP_PROXY": "http://proxy.example:3128",
    "LOG_LEVEL": "debug",
    "LOG_FORMAT": "xml",
    "POLL_SECONDS": "soon",
    "STREAMED_HOLD_SECONDS": "0",
    "CONSOLE_NAME": "No Name",
    "quiet_poll_seconds": "lower case is read as well",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "OTEL_SERVICE_NAME": "other",
    "MINISTACK_ACCOUNT_ID": "111111111111",
    COLLECTOR: "http://127.0.0.1:4318",
    "AWS_PORT": "4567",
    "STATE_DIR": "/elsewhere",
    "BREAK": "1",
    "MONGOD": "/opt/mongod",
}

STAYS = {"PATH", "HTTP_PROXY", COLLECTOR, "MONGOD"}
CONFIGURES = {"AWS_PORT", "STATE_DIR", "BREAK"}


def isolated(exported: dict[str, str], own: type[Settings] | None) -> tuple[dict[str, str], str]:
    """What is left of it beside the samples, and what is said."""
    environ, said = dict(exported), list[str]()
    isolate(environ, configured_by=own, say=said.append)
    assert len(said) <= 1
    for name, value in SAMPLE_ENVIRONMENT.items():
        assert environ.pop(name) == value
    assert "127.0.0.1" in environ.pop("NO_PROXY").split(",")
    assert "127.0.0.1" in environ.pop("no_proxy").split(",")
    return environ, "".join(said)


@pytest.mark.parametrize(("own", "stays"), [(None, STAYS), (LocalSettings, STAYS | CONFIGURES)])
def test_only_what_configures_it_is_left(own: type[Settings] | None, stays: set[str]) -> None:
    """And the rest is named in one line, without its values, which may be secrets."""
    environ, said = isolated(EXPORTED, own)
    assert environ == {name: EXPORTED[name] for name in stays}
    left_out = EXPORTED.keys() - stays
    for name in left_out:
        assert name in said
    for name in stays | {"secret", "us-east-1"}:
        assert f" {name}," not in said
    assert "\n" not in said


def test_nothing_is_said_of_an_ordinary_shell() -> None:
    """Nor where it is done twice, nor of variables that are set to nothing."""
    environ = {"PATH": "/usr/bin", "MONGODB_URI": "", **SAMPLE_ENVIRONMENT}
    left, said = isolated(environ, None)
    assert (left, said) == ({"PATH": "/usr/bin"}, "")


def test_the_emulators_callers_keep_their_own_settings() -> None:
    """`streamed` for a local system reads the ports and its own variables, and no AWS."""
    environ = dict(EXPORTED)
    avoid_aws(environ)
    assert environ["AWS_REGION"] == REGION
    assert "AWS_PROFILE" not in environ
    assert environ["AWS_PORT"] == "4567"
    assert environ["STREAMED_HOLD_SECONDS"] == "0"


def every_module() -> Iterator[str]:
    for package in ("runtime", "services", "relay", "local", "operations", "console"):
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            yield module.name
    yield "infra.local"
    yield "infra.documentdb"


def subclasses(family: type[Settings]) -> Iterator[type[Settings]]:
    for each in family.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_setting_of_every_process_is_covered() -> None:
    """A new one is too: the names come from the settings classes, wherever they are written."""
    for module in every_module():
        importlib.import_module(module)
    covered = frozenset[str]().union(*map(variables, settings_classes()))
    assert {"MONGODB_PASSWORD", "LOG_LEVEL", "BREAK", "CONSOLE_NAME", "OUTBOX_TABLE"} <= covered
    for settings in subclasses(Settings):
        if settings.__module__.startswith("tests.") or settings is LoadSettings:
            continue  # a load run reads its own and starts processes that do not
        for name in variables(settings) - covered:
            assert name.startswith(FAMILIES), f"{settings.__name__}: {name}"
