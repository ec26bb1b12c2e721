"""Stages: each is one deployment of the system, as cdk.json's context describes it."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from contracts.envelope import describe
from infra.arns import AccountRegion
from infra.documentdb_quotas import DocumentDb
from infra.topology import Topology

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]


class StageError(Exception):
    """cdk.json's context describes no stage that could be deployed."""


class Issuer(BaseModel):
    """Whose access tokens the APIs take: any issuer of OpenID Connect.

    `url` is the tokens' `iss`, to the letter; `audiences` are what `aud` may name, or `client_id`
    in a token of Cognito's. `scope_prefix` stands before each scope, its slash included. The keys
    are at `jwks_url`, or where most issuers have them: /.well-known/jwks.json below `url`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    url: str = Field(pattern=r"^https://\S+$")
    audiences: tuple[Annotated[str, Field(pattern=r"^[^\s,]+$")], ...] = Field(min_length=1)
    scope_prefix: str = Field(default="", pattern=r"^\S*$")
    jwks_url: str | None = Field(default=None, pattern=r"^https://\S+$")

    @property
    def environment(self) -> dict[str, str]:
        """An API's settings."""
        return {
            "AUTH": "required",
            "AUTH_ISSUER": self.url,
            "AUTH_AUDIENCE": ",".join(self.audiences),
            "AUTH_JWKS_URL": self.jwks_url or f"{self.url.rstrip('/')}/.well-known/jwks.json",
            "AUTH_SCOPE_PREFIX": self.scope_prefix,
        }


class Stage(BaseModel):
    """Where a stage lives, and how carefully it is kept.

    `accounts` names an account for each domain; without it everything lives in the account of the
    credentials that deploy. `protected` keeps data when a stack is deleted, and runs twice what
    may run twice. With one NAT gateway instead of two, a zone's failure can cut the other off.
    A stage without an `issuer` gets a user pool of Cognito's. `event_version` is 2, but for the
    first deployment over a release that reads no other than 1. `document_db` says how large that
    database is, and what its processes have open there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    accounts: Mapping[str, AccountId] = Field(default_factory=dict)
    protected: bool = False
    nat_gateways: int = Field(default=1, ge=1, le=2)
    alarm_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    issuer: Issuer | None = None
    event_version: int = Field(default=2, ge=1, le=2)
    document_db: DocumentDb = DocumentDb()

    def overrides(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Those of a process's settings that the stage decides."""
        return {"EVENT_VERSION": str(self.event_version)} if "EVENT_VERSION" in settings else {}

    @classmethod
    def of(cls, name: object, stages: object) -> Self:
        """Read the stage `name` from the context's `stages`; raises StageError for every fault."""
        known = stages if isinstance(stages, Mapping) else {}
        if not isinstance(name, str) or name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise StageError(f"cdk.json has no stage {name} (it has {names}): pass -c stage=NAME")
        given = known[name]
        if not isinstance(given, Mapping):
            raise StageError(f"cdk.json, stage {name}: it must be an object")
        if "name" in given:
            raise StageError(f"cdk.json, stage {name}: leave name out, it is the stage's key")
        try:
            return cls.model_validate({**given, "name": name})
        except ValidationError as error:
            raise StageError(f"cdk.json, stage {name}: {describe(error)}") from None

    def account_regions(self, topology: Topology, own_account: str) -> dict[str, AccountRegion]:
        """Each domain's place; `own_account` is the account of the credentials that deploy.

        Raises StageError for accounts that are not exactly the domains', and for several without
        an issuer.
        """
        names = [domain.name for domain in topology.domains]
        if self.accounts and self.accounts.keys() != set(names):
            raise StageError(
                f"cdk.json, stage {self.name}: accounts must name {', '.join(names)}"
                f" and nothing else; it names {', '.join(self.accounts)}"
            )
        if self.issuer is None and len({*self.accounts.values()}) > 1:
            raise StageError(
                f"cdk.json, stage {self.name}: with several accounts, name the issuer of tokens"
                " (issuer.url, issuer.audiences): a user pool would be in one of them, unknown to"
                " the others"
            )
        return {
            name: AccountRegion(self.accounts.get(name, own_account), self.region) for name in names
        }
