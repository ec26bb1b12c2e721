"""cdk.json's stages: what they say, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.arns import AccountRegion
from infra.stages import Issuer, Stage, StageError
from infra.topology import TOPOLOGY
from infra.zones import HAVE_OTHER_ZONES, VPC_LINK_ZONES
from runtime.http.settings import ApiSettings

CDK_JSON = Path(__file__).parents[2] / "cdk.json"
OWN = "000000000000"
ACCOUNTS = {"subscriptions": "111111111111", "stock": "222222222222", "payments": "333333333333"}


ISSUER = {"url": "https://login.example.com/", "audiences": ["the-apis"]}


def stages(**given: object) -> dict[str, Any]:
    return {"dev": {"region": "eu-west-1"} | given}


def message_of(name: object, context: object) -> str:
    with pytest.raises(StageError) as raised:
        Stage.of(name, context).account_regions(TOPOLOGY, OWN)
    return str(raised.value)


def test_without_accounts_every_domain_lives_where_the_credentials_are() -> None:
    """One account is the default."""
    stage = Stage.of("dev", stages())
    assert stage.account_regions(TOPOLOGY, OWN) == dict.fromkeys(
        ACCOUNTS, AccountRegion(OWN, "eu-west-1")
    )


def test_with_accounts_every_domain_lives_in_its_own() -> None:
    """In one region all the same."""
    stage = Stage.of("dev", stages(accounts=ACCOUNTS, issuer=ISSUER))
    assert stage.account_regions(TOPOLOGY, OWN) == {
        domain: AccountRegion(account, "eu-west-1") for domain, account in ACCOUNTS.items()
    }


def test_what_a_stage_does_not_say_is_the_cheap_way() -> None:
    """Unprotected, one NAT gateway, nobody to write to."""
    stage = Stage.of("dev", stages())
    assert (stage.protected, stage.nat_gateways, stage.alarm_email) == (False, 1, None)


def test_the_stages_of_cdk_json_are_sound() -> None:
    """dev is in one account; prod is in three, protected, with a NAT gateway for each zone."""
    context = json.loads(CDK_JSON.read_text())["context"]
    assert context["stage"] == "dev"
    found = {name: Stage.of(name, context["stages"]) for name in context["stages"]}
    assert found.keys() == {"dev", "prod"}
    assert len(set(found["dev"].account_regions(TOPOLOGY, OWN).values())) == 1
    assert len(set(found["prod"].account_regions(TOPOLOGY, OWN).values())) == 3
    assert (found["dev"].protected, found["prod"].protected) == (False, True)
    assert found["prod"].nat_gateways == 2
    assert (found["dev"].alarm_email, found["prod"].alarm_email) == (None, "oncall@example.com")
    assert (found["dev"].low_cost, found["prod"].low_cost) == (True, False)


@pytest.mark.parametrize("name", ["staging", None, "", ["dev"]])
def test_an_unknown_stage_is_answered_with_the_known_ones(name: object) -> None:
    """And with how to name one, also where the name is none at all."""
    message = message_of(name, stages())
    assert message.startswith(f"cdk.json has no stage {name} (it has dev)")
    assert "-c stage=" in message


@pytest.mark.parametrize("context", [None, {}, [], "dev"])
def test_no_stages_at_all_are_none(context: object) -> None:
    """A context without stages, or with something else in their place."""
    assert message_of("dev", context).startswith("cdk.json has no stage dev (it has none)")


@pytest.mark.parametrize("stage", [None, "eu-west-1", ["eu-west-1"]])
def test_a_stage_is_an_object(stage: object) -> None:
    """Said of the stage that is not."""
    assert message_of("dev", {"dev": stage}) == "cdk.json, stage dev: it must be an object"


FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "no region": ({"region": None}, "region"),
    "a malformed region": ({"region": "Ireland"}, "region"),
    "a zone for a region": ({"region": "eu-west-1a"}, "region"),
    "an account too short": ({"accounts": ACCOUNTS | {"stock": "22222222222"}}, "accounts.stock"),
    "an account as a number": ({"accounts": ACCOUNTS | {"stock": 222222222222}}, "accounts.stock"),
    "accounts as a list": ({"accounts": ["111111111111"]}, "accounts"),
    "no such setting": ({"natGatewys": 2}, "natGatewys"),
    "a setting in Python's spelling": ({"nat_gateways": 2}, "nat_gateways"),
    "too many gateways": ({"natGateways": 3}, "natGateways"),
    "no gateway": ({"natGateways": 0}, "natGateways"),
    "an address without a host": ({"alarmEmail": "somebody"}, "alarmEmail"),
    "nobody to alarm": ({"protected": True}, "alarmEmail"),
    "one zone": ({"zones": ["euw1-az1"]}, "zones"),
    "a zone twice": ({"zones": ["euw1-az1", "euw1-az1"]}, "zones"),
    "a zone by its name": ({"zones": ["eu-west-1a", "eu-west-1b"]}, "zones.0"),
    "another region's zone": ({"zones": ["euw1-az1", "euw2-az1"]}, "zones"),
    "no zones where one has no VPC link": ({"region": "us-east-1"}, "zones"),
    "a zone without a VPC link": (
        {"region": "us-east-1", "zones": ["use1-az2", "use1-az3"]},
        "zones",
    ),
    "a region of which AWS says nothing": ({"region": "af-south-1"}, "zones"),
    "a relay that may not run": ({"relayConcurrency": 0}, "relayConcurrency"),
    "protected on what AWS may take back": (
        {"protected": True, "lowCost": True},
        "lowCost",
    ),
    "protected in other words": ({"protected": "perhaps"}, "protected"),
    "an issuer without its audience": ({"issuer": {"url": ISSUER["url"]}}, "issuer.audiences"),
    "an audience of nobody": ({"issuer": ISSUER | {"audiences": []}}, "issuer.audiences"),
    "two audiences in one": ({"issuer": ISSUER | {"audiences": ["a,b"]}}, "issuer.audiences.0"),
    "an issuer that anybody could be": (
        {"issuer": ISSUER | {"url": "http://login.example.com/"}},
        "issuer.url",
    ),
    "keys that anybody could send": (
        {"issuer": ISSUER | {"jwksUrl": "http://k"}},
        "issuer.jwksUrl",
    ),
}


@pytest.mark.parametrize(("given", "setting"), FAULTS.values(), ids=FAULTS.keys())
def test_a_setting_that_is_wrong_is_named(given: dict[str, object], setting: str) -> None:
    """By its path in the stage, in cdk.json's own spelling."""
    assert message_of("dev", stages(**given)).startswith(f"cdk.json, stage dev: {setting}: ")


@pytest.mark.parametrize(
    ("region", "zones"),
    [
        ("us-east-1", ["use1-az1", "use1-az6"]),
        ("eu-west-3", ["euw3-az1", "euw3-az3"]),
        ("eu-west-1", ["euw1-az3", "euw1-az2"]),
        ("af-south-1", ["afs1-az1", "afs1-az2"]),  # that they have a VPC link is its word alone
    ],
)
def test_zones_that_have_a_vpc_link_are_taken(region: str, zones: list[str]) -> None:
    """In the order in which they are named."""
    assert Stage.of("dev", stages(region=region, zones=zones)).zones == tuple(zones)


def test_the_table_of_zones_has_two_at_least_of_each_region() -> None:
    """All with the region's own prefix; a region that has others is one of the table."""
    for zones in VPC_LINK_ZONES.values():
        assert len(zones) >= 2
        assert len({zone.partition("-")[0] for zone in zones}) == 1
    assert VPC_LINK_ZONES.keys() > HAVE_OTHER_ZONES


def test_a_region_says_which_of_its_zones_to_name() -> None:
    """The sentence has all that will do."""
    message = message_of("dev", stages(region="eu-west-3"))
    assert message.endswith("name two of euw3-az1, euw3-az3")


def test_a_stage_does_not_name_itself() -> None:
    """Two names for one stage would be one too many; nothing that is said is passed over."""
    assert "leave name out" in message_of("dev", stages(name="test"))


def test_everything_that_is_wrong_is_named_at_once() -> None:
    """One run tells it all."""
    message = message_of("dev", {"dev": {"natGateways": 3, "alarmEmail": "somebody"}})
    for setting in ("region", "natGateways", "alarmEmail"):
        assert f"{setting}: " in message


@pytest.mark.parametrize("name", ["Dev", "1st", "a-b", "a" * 17])
def test_a_stages_name_is_short_lower_case_letters_and_digits(name: str) -> None:
    """It becomes a part of names that AWS limits."""
    message = message_of(name, {name: {"region": "eu-west-1"}})
    assert message.startswith(f"cdk.json, stage {name}: ")


@pytest.mark.parametrize(
    ("accounts", "named"),
    [
        ({"stock": "222222222222"}, "stock"),
        (ACCOUNTS | {"billing": "000000000000"}, "subscriptions, stock, payments, billing"),
    ],
)
def test_accounts_are_exactly_the_domains(accounts: dict[str, str], named: str) -> None:
    """One too few and one too many are told what there must be, and what there is."""
    message = message_of("dev", stages(accounts=accounts))
    assert message.startswith("cdk.json, stage dev: accounts ")
    assert "subscriptions, stock, payments" in message
    assert message.endswith(named)


def test_several_accounts_need_an_issuer_that_all_of_them_know() -> None:
    """A user pool's id is known in its own account alone; in one account none need be named."""
    message = message_of("dev", stages(accounts=ACCOUNTS))
    assert message.startswith("cdk.json, stage dev: with several accounts, name the issuer")
    one = dict.fromkeys(ACCOUNTS, "111111111111")
    assert Stage.of("dev", stages(accounts=one)).account_regions(TOPOLOGY, OWN)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "https://login.example.com/.well-known/jwks.json"),
        (
            {"url": "https://login.example.com/t"},
            "https://login.example.com/t/.well-known/jwks.json",
        ),
        ({"jwksUrl": "https://login.example.com/keys"}, "https://login.example.com/keys"),
    ],
)
def test_an_issuers_keys_are_where_most_have_them_or_where_it_says(
    given: dict[str, str], url: str
) -> None:
    """The API gets the address; it makes no discovery of its own."""
    environment = Issuer.model_validate(ISSUER | given).environment
    assert environment["AUTH_JWKS_URL"] == url


def test_an_issuers_settings_are_those_that_an_api_takes() -> None:
    """Read as an API reads its environment, on the address of a task."""
    issuer = Issuer.model_validate(ISSUER | {"audiences": ["a", "b"], "scopePrefix": "apis/"})
    given = {name.lower(): value for name, value in issuer.environment.items()}
    task = {"http_host": "0.0.0.0", "http_port": 8000, "http_allowed_hosts": "*"}
    settings = ApiSettings.model_validate(task | given)
    assert (settings.auth, settings.auth_issuer) == ("required", ISSUER["url"])
    assert settings.auth_audiences == {"a", "b"}
    assert settings.auth_scope_prefix == "apis/"


def test_a_stage_says_whether_rows_are_packed() -> None:
    """By default they are not: an older release's relay may still run, and dead-letters them."""
    settings = {"EVENT_VERSION": "2"}
    assert Stage.of("dev", stages()).overrides(settings) == settings
    packing = Stage.of("dev", stages(packOutboxRows=True))
    assert packing.overrides(settings) == {**settings, "PACK_OUTBOX_ROWS": "true"}
    assert packing.overrides({}) == {}
