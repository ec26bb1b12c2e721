"""Keeps what runs on this machine away from the shell: no real AWS, and no settings by accident.

A developer has exported what other work needs: a profile, a database's password, a log level. None
of it reaches the processes that are started here, but for what configures `make up`.
"""

from collections.abc import Callable, Iterator, MutableMapping
from importlib import import_module

from infra.local_system.environment import SAMPLE_ENVIRONMENT, avoid_aws
from infra.local_system.settings import ROOT
from runtime.settings import AwsClientSettings, Settings, variables

COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The one variable of OpenTelemetry that reaches what runs here. The others, such as a protocol
that our exporter does not speak, are for a developer's own programs."""

FAMILIES = ("AWS_", "OTEL_", "MINISTACK_", "LOCALSTACK_")
"""How those variables begin that boto3, OpenTelemetry and the emulator read beside our settings."""

SETTINGS_PACKAGES = ("runtime", "services", "relay", "infra", "local", "operations", "console")
"""Whose settings are read by what runs here."""


def isolate(
    environ: MutableMapping[str, str],
    *,
    configured_by: type[Settings] | None = None,
    say: Callable[[str], object] | None = None,
) -> None:
    """Take everything out of `environ` that would reach our processes or the engines by accident.

    What `configured_by` reads stays, the address of a collector of traces, and which client calls
    AWS. AWS becomes samples, and loopback bypasses any proxy: HTTP_PROXY and its like stay, for a
    collector elsewhere. `say` gets one sentence with the names of what was set and does not count.
    """
    kept = {COLLECTOR} | variables(AwsClientSettings)
    kept |= variables(configured_by) if configured_by else set()
    ours = frozenset[str]().union(*map(variables, settings_classes())) - kept
    left_out = [
        name
        for name in sorted(environ)
        if name.upper() not in kept and (name.upper() in ours or name.upper().startswith(FAMILIES))
    ]
    named = [name for name in left_out if environ[name] not in {"", SAMPLE_ENVIRONMENT.get(name)}]
    for name in left_out:
        del environ[name]
    avoid_aws(environ)
    if named and say is not None:
        say(
            f"set in your shell, and not used by what runs here: {', '.join(named)}"
            " (docs/running.md has what is)"
        )


def settings_classes() -> Iterator[type[Settings]]:
    """Find every class of every `settings.py` of SETTINGS_PACKAGES."""
    _import_settings()
    yield from (each for each in _subclasses(Settings) if each.__module__.endswith(".settings"))


def _import_settings() -> None:
    # By their names: nothing here may depend on the console or the operator's commands, but what a
    # shell has for them reaches them.
    for package in SETTINGS_PACKAGES:
        for file in sorted((ROOT / package).rglob("settings.py")):
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def _subclasses(family: type[Settings]) -> Iterator[type[Settings]]:
    for each in family.__subclasses__():
        yield each
        yield from _subclasses(each)
