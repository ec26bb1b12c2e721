"""docs/reference/settings.md: each process's environment, from the settings classes."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, MinLen
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from console.settings import ConsoleSettings
from infra.documentdb_function import ProvisionerSettings
from infra.local_system.settings import ROOT, AuthSettings, LocalSettings
from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import Workload
from local.issuer.settings import IssuerSettings, IssuerState
from local.provision import ProvisionSettings
from local.tap import TapSettings
from operations.settings import (
    AwsEnvironmentSettings,
    LocalEnvironmentSettings,
    WebhookCommandSettings,
)
from relay.settings import (
    ChangeStreamRelaySettings,
    ChangeStreamSettings,
    DynamoDBRelaySettings,
    DynamoDBSettings,
    ForwardSettings,
)
from runtime.http.settings import ApiSettings, ClientSettings, HttpSettings, WebhookSettings
from runtime.settings import (
    AwsSettings,
    ConsumerSettings,
    MongoSettings,
    ProcessSettings,
    Settings,
    WorkerSettings,
)
from tools.reference.markdown import code, paragraph, table
from tools.reference.meanings import MEANINGS
from verification.load.__main__ import LoadSettings

SHARED: dict[type[Settings], str] = {
    ProcessSettings: "Every process",
    AwsSettings: "AWS settings",
    HttpSettings: "HTTP settings",
    ApiSettings: "API settings",
    ClientSettings: "Clients of the APIs",
    WorkerSettings: "Background processes",
    ConsumerSettings: "Consumers of queues",
    MongoSettings: "MongoDB and DocumentDB settings",
    WebhookSettings: "Webhook settings",
    AuthSettings: "Tokens on this machine",
    LocalSettings: "The system on this machine",
}

SETTINGS_OF_RELAYS: dict[str, type[ProcessSettings]] = {
    "dynamodb": DynamoDBRelaySettings,
    "change-stream": ChangeStreamRelaySettings,
    "forward": ForwardSettings,
}


def settings_of(workload: Workload) -> type[ProcessSettings]:
    """What a process reads; in a service's settings.py the class is named after its command."""
    main, command = workload.command
    if workload.is_relay:
        return SETTINGS_OF_RELAYS[command]
    module = import_module(main.replace(".main", ".settings"))
    (found,) = (
        each
        for name, each in vars(module).items()
        if name.endswith(f"{command.title()}Settings") and each.__module__ == module.__name__
    )
    settings: type[ProcessSettings] = found
    return settings


SETTINGS_OF_COMMANDS: dict[str, type[Settings]] = {
    **{
        f"python -m {' '.join(each.command)}": settings_of(each)
        for domain in TOPOLOGY.domains
        for each in WORKLOADS
        if each.domain == domain.name and not each.is_relay
    },
    **{f"python -m relay {command}": each for command, each in SETTINGS_OF_RELAYS.items()},
    "python -m relay sweep dynamodb": DynamoDBSettings,
    "python -m relay sweep change-stream": ChangeStreamSettings,
    "relay.aws_lambda.publish, relay.aws_lambda.sweep": DynamoDBSettings,
    "python -m infra.documentdb": MongoSettings,
    "infra.documentdb_function.handle": ProvisionerSettings,
    "python -m local.provision": ProvisionSettings,
    "python -m local.tap": TapSettings,
    "python -m local.issuer": IssuerSettings,
    "python -m local.issuer rotate": IssuerState,
    "make up, make demo": LocalSettings,
    "make chaos, make requests": AuthSettings,
    "make load": LoadSettings,
    "make console": ConsoleSettings,
    "streamed --at local": LocalEnvironmentSettings,
    "streamed --at aws": AwsEnvironmentSettings,
    "streamed webhook": WebhookCommandSettings,
}

TYPE_NAMES: dict[type, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`0` or `1`",
    Path: "path",
    SecretStr: "secret",
}


HEAD = """# Settings

*Which environment variables does each process read?* An empty variable counts as not set. If one is
missing or invalid, a process exits with 2 and one sentence that names all of them. AWS credentials
come from boto3's own chain; OpenTelemetry's own variables configure
[traces](../operations.md#traces). `make docs` writes this page from the settings classes, and a
test compares them; [operations](../operations.md#settings) has a shorter table.
"""


def page() -> str:
    parts = [HEAD]
    for settings, title in SHARED.items():
        parts.append(f"## {title}\n\n{_table(_own(settings))}\n")
    for command, settings in SETTINGS_OF_COMMANDS.items():
        parts.append(f"## {code(command)}\n\n{_of_process(settings)}\n")
    return "\n".join(parts)


def _of_process(settings: type[Settings]) -> str:
    families = [family for family in SHARED if issubclass(settings, family)]
    titles = [SHARED[each] for each in families]
    links = ", ".join(f"[{each}](#{each.lower().replace(' ', '-')})" for each in titles)
    said = {
        name: field
        for family in families
        for name, field in _own(family).items()
        if _row(name, field) == _row(name, settings.model_fields[name])
    }
    rest = {name: each for name, each in settings.model_fields.items() if name not in said}
    intro = f"Reads the variables of {links}" if links else "Reads"
    joined = f"{intro}, and" if links else intro
    return f"{paragraph(joined + ':')}\n\n{_table(rest)}" if rest else paragraph(f"{intro}.")


def _own(settings: type[Settings]) -> dict[str, FieldInfo]:
    """The fields that a class adds to those it inherits; `with_fields` made a class of its name."""
    written = {
        name
        for each in settings.__mro__
        if each.__name__ == settings.__name__
        for name in each.__annotations__
    }
    return {name: field for name, field in settings.model_fields.items() if name in written}


def _table(fields: dict[str, FieldInfo]) -> str:
    return table(
        ("variable", "type", "default", "meaning"),
        [_row(name, field) for name, field in fields.items()],
    )


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    variable = _variable(name, field)
    if variable not in MEANINGS:
        raise LookupError(f"say what {variable} means, in tools/reference/meanings.py")
    return code(variable), _type(field), _default(field), MEANINGS[variable]


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    return str(alias or name).upper()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must be set**"
    default = field.default
    if default is None or default == "":
        return "none"
    if isinstance(default, bool):
        return code(str(int(default)))
    if isinstance(default, Path):
        return code(str(default.relative_to(ROOT)))
    return code(str(default))


def _type(field: FieldInfo) -> str:
    kind = _kind(field.annotation)
    return ", ".join([kind, *_limits(field.metadata)])


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(map(code, get_args(annotation)))
    inner = [each for each in get_args(annotation) if each is not type(None)]
    return _kind(inner[0]) if inner else TYPE_NAMES[annotation]


def _limits(metadata: list[Any]) -> Iterator[str]:
    for limit in metadata:
        match limit:
            case Ge(ge=bound):
                yield f"{bound} or more"
            case Gt(gt=bound):
                yield f"more than {bound}"
            case Le(le=bound):
                yield f"{bound} or less"
            case MinLen():
                yield "not empty"
