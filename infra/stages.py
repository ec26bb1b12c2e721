"""Stages: each is one deployment of the system, as cdk.json's context describes it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from contracts.envelope import describe
from infra.arns import AccountRegion
from infra.documentdb_quotas import DocumentDb
from infra.topology import Topology
from infra.zones import fault_of_zones

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
ZoneId = Annotated[str, Field(pattern=r"^[a-z]+\d-az\d$")]


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
    credentials that deploy. `protected` keeps data when a stack is deleted, runs twice what may run
    twice, and more of what is busy; it needs an address that its alarms reach. `zones`
    are the ids of the availability zones, by default the region's first. With one NAT gateway
    instead of two, a zone's failure can cut the other off. `relay_concurrency` is how many batches
    each relay's function may publish at a time, with that much of the account's concurrency kept
    for it; by default nothing is. A stage without an `issuer` gets a user pool of Cognito's.
    `event_version` is 2, but for the first deployment over a release that reads no other than 1.
    `document_db` says how large that database is, and what its processes have open there.
    `low_cost` runs on Fargate Spot, behind NAT instances instead of gateways: it may be away for
    minutes when AWS wants its capacity back or an instance is replaced, so it is not `protected`.
    `pack_outbox_rows` is for a stage in which no relay runs that cannot read packed rows.
    `event_bus_kind` custom puts it on Custom Event Buses, which is not proven
    (docs/decisions/0023-custom-event-bus.md).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    accounts: Mapping[str, AccountId] = Field(default_factory=dict)
    protected: bool = False
    zones: Annotated[tuple[ZoneId, ...], Field(min_length=2, max_length=2)] | None = None
    nat_gateways: int = Field(default=1, ge=1, le=2)
    low_cost: bool = False
    alarm_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    relay_concurrency: int | None = Field(default=None, ge=1, le=1000)
    issuer: Issuer | None = None
    event_version: int = Field(default=2, ge=1, le=2)
    document_db: DocumentDb = DocumentDb()
    pack_outbox_rows: bool = False
    event_bus_kind: Literal["classic", "custom"] = "classic"

    def overrides(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Those of a process's settings that the stage decides."""
        if "EVENT_VERSION" not in settings:
            return {}
        packing = {"PACK_OUTBOX_ROWS": "true"} if self.pack_outbox_rows else {}
        return {"EVENT_VERSION": str(self.event_version), **packing}

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
            stage = cls.model_validate({**given, "name": name})
        except ValidationError as error:
            raise StageError(f"cdk.json, stage {name}: {describe(error)}") from None
        if faults := list(_faults_of(stage)):
            raise StageError(f"cdk.json, stage {name}: {'; '.join(faults)}")
        return stage

    def account_regions(self, topology: Topology, own_account: str) -> dict[str, AccountRegion]:
        """Each domain's place; `own_account` is the account of the credentials that deploy.

        Raises StageError for accounts that are not exactly the domains', and for several without
        an issuer or with Custom Event Buses.
        """
        names = [domain.name for domain in topology.domains]
        if self.accounts and self.accounts.keys() != set(names):
            raise StageError(
                f"cdk.json, stage {self.name}: accounts must name {', '.join(names)}"
                f" and nothing else; it names {', '.join(self.accounts)}"
            )
        if self.event_bus_kind == "custom" and len({*self.accounts.values()}) > 1:
            raise StageError(
                f"cdk.json, stage {self.name}: with eventBusKind custom, keep all domains in one"
                " account: a subscriber names another account's bus by an ARN that AWS makes with"
                " the bus, so no template can have it; or leave eventBusKind out"
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


def _faults_of(stage: Stage) -> Iterator[str]:
    """Say what does not go together, or is needed and not there, by the setting to change."""
    if stage.protected and stage.low_cost:
        yield "lowCost: a protected stage is not run on what AWS may take back"
    if stage.protected and stage.alarm_email is None:
        yield "alarmEmail: a protected stage needs an address that its alarms reach"
    if stage.zones and len({*stage.zones}) < len(stage.zones):
        yield f"zones: {stage.zones[0]} is there twice; name two"
    elif fault := fault_of_zones(stage.region, stage.zones):
        yield f"zones: {fault}"
