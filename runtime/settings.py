"""The typed environment: each process reads its own, once, and says all that is wrong with it."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo

from runtime.errors import Misconfigured


class Settings(BaseModel):
    """Read from the environment, once. A variable that is set to nothing is not set.

    Its name is the field's, in whichever case. What is `given` is not looked for.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        defer_build=True,  # a process reads one of these classes, and imports twenty
    )

    def __init__(self, **given: Any) -> None:
        environment = {name.lower(): value for name, value in os.environ.items() if value}
        for name, field in type(self).model_fields.items():
            names = _names(name, field)
            if given.keys().isdisjoint(names):
                given |= {each: environment[each] for each in names if each in environment}
        super().__init__(**given)


class ProcessSettings(Settings):
    """What every process that writes a log reads."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"


def can_be_parsed(url: str) -> str:
    """Return the URL; raises ValueError for one without a host, or with a port that is none."""
    parts = urlsplit(url)  # raises ValueError, as does its port
    if not parts.hostname or parts.port == 0:
        raise ValueError("give a host, and a port from 1 to 65535 or none")
    return url


Address = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/]+/?$"), AfterValidator(can_be_parsed)
]
"""Where HTTP is served: a host and perhaps a port, without a path."""


class AwsClientSettings(Settings):
    """Who makes the calls to AWS that are made all the time: our lean client, or boto3's."""

    aws_client: Literal["lean", "boto3"] = "lean"


class AwsSettings(AwsClientSettings, ProcessSettings):
    """For a process that calls AWS, or an emulator where the endpoint is set."""

    aws_region: str = Field(pattern=r"^[a-z0-9-]+$")
    aws_endpoint_url: Address | None = None


class WorkerSettings(ProcessSettings):
    """For a process that works in the background and serves only its health."""

    health_host: str = "127.0.0.1"
    health_port: int = Field(ge=0, le=65535)


class PublisherSettings(Settings):
    """For a process that commits events: in which version those are, of which there are two.

    2 has no personal data in clear; 1 is for readers of a release that knows no other. There is no
    default: that release would dead-letter what a forgotten setting published. With
    `pack_outbox_rows` a DynamoDB row's detail is packed where that saves a write unit: for a
    system whose relays all read that.
    """

    event_version: int = Field(ge=1, le=2)
    pack_outbox_rows: bool = False


KmsKey = Annotated[
    str, StringConstraints(pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(key|alias)/[\w/-]+$")
]
"""A KMS key: its ARN, or an alias or its ARN."""


class ConsumerSettings(WorkerSettings, AwsSettings):
    """For a process that consumes SQS queues.

    `queue_wait_seconds` is how long a receive waits for a message. SQS allows 20 s, but a receive
    cannot be cut short, and the process has 10 s in all to stop.
    """

    queue_wait_seconds: int = Field(default=8, ge=1, le=8)


class MongoSettings(ProcessSettings):
    """For a process that uses MongoDB or DocumentDB; the URI's options decide on TLS.

    Credentials stand in the URI, percent-encoded, or, as they are, in variables beside it. The
    password may be in a file, which is read again when the server refuses what was in it.

    An instance of DocumentDB refuses what is over its quotas, so each process bounds what it opens:
    infra/documentdb_quotas.py has them. 0: it opens none.
    """

    mongodb_max_transactions: int = Field(default=20, ge=0)
    mongodb_max_cursors: int = Field(default=10, ge=0)
    mongodb_max_connections: int = Field(default=50, ge=1)
    mongodb_uri: str = Field(pattern=r"^mongodb(\+srv)?://[^\s/?]+")
    mongodb_database: str = Field(pattern=r"^[^/\\. \"$*<>:|?\x00]{1,63}$")
    mongodb_username: str | None = None
    mongodb_password_file: FilePath | None = None
    mongodb_password: SecretStr | None = Field(default=None, validate_default=True)

    @field_validator("mongodb_password")
    @classmethod
    def _goes_with_a_username(
        cls, password: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if "mongodb_password_file" not in info.data:  # it is wrong, and that is said
            return password
        in_a_file = info.data["mongodb_password_file"] is not None
        if password and in_a_file:
            raise ValueError("set it or MONGODB_PASSWORD_FILE, not both")
        has_one = password is not None or in_a_file
        if has_one != (info.data.get("mongodb_username") is not None):
            raise ValueError("set it and MONGODB_USERNAME, or neither")
        if has_one and re.match(r"[^/]+//[^/?]*@", info.data.get("mongodb_uri", "")):
            raise ValueError("MONGODB_URI has credentials already: set them in one place only")
        return password

    @property
    def mongodb_credentials(self) -> dict[str, Any]:
        """What MongoClient takes beside the URI; nothing where the URI has it, or none is needed.

        A None in it would undo what the URI says. A password's file is read now: raises
        Misconfigured if it cannot be, or is empty.
        """
        if self.mongodb_username is None:
            return {}
        if self.mongodb_password_file is not None:
            password = content_of(self.mongodb_password_file, "MONGODB_PASSWORD_FILE")
        elif self.mongodb_password is not None:
            password = self.mongodb_password.get_secret_value()
        return {"username": self.mongodb_username, "password": password}


def content_of(file: Path, variable: str) -> str:
    """A secret as editors and orchestrators write it: with a line's end, or without."""
    try:
        text = file.read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{variable}: {file}: {error}") from error
    if not text:
        raise Misconfigured(f"{variable}: {file} is empty")
    return text


class ErasureSettings(ProcessSettings):
    """For a command that erases and ends. `erase_ids` are separated by commas, or white space."""

    erase_ids: str = Field(pattern=r"^[^,\s]{1,128}(\s*[,\s]\s*[^,\s]{1,128})*\s*$")

    @property
    def ids(self) -> list[str]:
        return self.erase_ids.replace(",", " ").split()


S = TypeVar("S", bound=Settings)


def with_fields(fields: Mapping[str, tuple[Any, Any]]) -> Callable[[type[S]], type[S]]:
    """Add fields that a table names: each name with its type and its default."""

    def extended(settings: type[S]) -> type[S]:
        of_table: dict[str, Any] = dict(fields)
        return create_model(
            settings.__name__,
            __base__=settings,
            __module__=settings.__module__,
            __doc__=settings.__doc__,
            **of_table,
        )

    return extended


def variables(settings: type[Settings]) -> frozenset[str]:
    """Name the environment variables that a class reads, in capitals; a field may have several."""
    fields = settings.model_fields.items()
    return frozenset(each.upper() for name, field in fields for each in _names(name, field))


def _names(name: str, field: FieldInfo) -> tuple[str, ...]:
    alias = field.validation_alias or name
    return tuple(map(str, alias.choices if isinstance(alias, AliasChoices) else (alias,)))


def load(settings: type[S]) -> S:
    """Read `settings` from the environment; raises Misconfigured naming every variable at fault."""
    try:
        return settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise Misconfigured(f"set these environment variables: {problems}") from None
