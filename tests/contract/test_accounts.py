"""What crosses from account to account: events from bus to bus, and nothing else."""

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from infra.resources import ToBus
from infra.topology import TOPOLOGY
from tests.synthesis import Synthesize, context_of
from tests.templates import Stack

DOMAINS: dict[str, str] = context_of("prod")["stages"]["prod"]["accounts"]
"""The account of each domain, in the stage prod."""

STOCK, PAYMENTS = DOMAINS["stock"], DOMAINS["payments"]

BUSES = {bus.name: DOMAINS[domain.name] for domain in TOPOLOGY.domains for bus in domain.buses}

FORWARDS = {
    rule.name: (BUSES[rule.bus], rule.bus, rule.target.bus)
    for rule in TOPOLOGY.rules
    if isinstance(rule.target, ToBus)
}
"""Which rule, in which account, sends from which bus to which."""

PATTERNS = {rule.name: rule.pattern.as_json() for rule in TOPOLOGY.rules}
"""Which events a rule is for: a source and a type, as far as it sends them to another bus."""

MAY_PUT = {
    bus: {account for account, _, target in FORWARDS.values() if target == bus} for bus in BUSES
}
"""Which other account may put events on which bus: the arrows of the architecture's picture."""

_SEALS = "role/streamed-events-prod-subscription-api"

CROSSINGS = {
    *((f"bus {bus}", f"arn:aws:iam::{one}:root") for bus, may in MAY_PUT.items() for one in may),
    *(
        (f"{kind} {rule}{suffix}", f"arn:aws:events:eu-west-1:{BUSES[target]}:event-bus/{target}")
        for rule, (_, _, target) in FORWARDS.items()
        for kind, suffix in (("rule", ""), ("role", "Role"))
    ),
    # Subscriptions seal bank details under payments' key: tests/integration/test_aws_sealing.py.
    *(("key BankDetails", f"arn:aws:iam::111111111111:{one}") for one in ("root", _SEALS)),
    ("policy subscriptionapiRoleDefaultPolicy", "arn:aws:kms:eu-west-1:333333333333:key/*"),
    ("task subscriptionapiDefinition", "arn:aws:kms:eu-west-1:333333333333:alias/bank-details"),
}
"""Every mention of another account that there is: by whom, and of what."""


DESIGNED = {
    "SubscriptionToStockRule": ("111111111111", "subscriptions-event-bus", "stock-event-bus"),
    "SubscriptionToPaymentsRule": ("111111111111", "subscriptions-event-bus", "payments-event-bus"),
    "SubscriptionCancelledToPaymentsRule": (
        "111111111111",
        "subscriptions-event-bus",
        "payments-event-bus",
    ),
    "SubscriptionErasedToPaymentsRule": (
        "111111111111",
        "subscriptions-event-bus",
        "payments-event-bus",
    ),
    "StockToSubscriptionsRule": ("222222222222", "stock-event-bus", "subscriptions-event-bus"),
    "PaymentsToStockRule": ("333333333333", "payments-event-bus", "stock-event-bus"),
    "PaymentsToSubscriptionsRule": (
        "333333333333",
        "payments-event-bus",
        "subscriptions-event-bus",
    ),
}
"""FORWARDS of the three domains, as design.md has them; a further domain adds its own."""


def test_the_three_domains_forward_as_designed() -> None:
    """What follows is compared with the topology, and the topology here with the design."""
    three = ("subscriptions", "stock", "payments")
    buses = {f"{name}-event-bus" for name in three}
    assert {name: DOMAINS[name] for name in three} == {
        "subscriptions": "111111111111",
        "stock": "222222222222",
        "payments": "333333333333",
    }
    among = {rule: found for rule, found in FORWARDS.items() if {found[1], found[2]} <= buses}
    assert among == DESIGNED


@pytest.fixture(scope="module")
def prod(synthesized: Synthesize) -> list[Stack]:
    return list(synthesized("prod").stacks.values())


@pytest.fixture(scope="module")
def dev(synthesized: Synthesize) -> list[Stack]:
    return list(synthesized("dev").stacks.values())


def test_each_domain_lands_in_its_own_account(prod: list[Stack]) -> None:
    """Its stack and the one with its bus, and no stack is anywhere else."""
    places = {stack.name: (stack.account, stack.region) for stack in prod}
    for domain, account in DOMAINS.items():
        for part in (domain, f"shared-{domain}"):
            assert places[f"streamed-events-prod-{part}"] == (account, "eu-west-1")
    assert set(places.values()) == {(account, "eu-west-1") for account in DOMAINS.values()}


def test_other_accounts_are_mentioned_where_events_cross_and_nowhere_else(
    prod: list[Stack],
) -> None:
    """In bus policies, bus-to-bus targets and their roles; in no other resource, output or name."""
    assert set(_crossings(prod)) == CROSSINGS


def test_a_bus_admits_what_another_accounts_rules_send_and_nothing_else(prod: list[Stack]) -> None:
    """By PutEvents on that bus, of their sources and types; a bus policy has no other statement."""
    policies = {
        bus.properties["Name"]: bus.properties["Policy"]["Statement"]
        for stack in prod
        for bus in stack.resources("AWS::Events::EventBus")
    }
    assert policies.keys() == BUSES.keys()
    for name, found in policies.items():
        for statement in found:
            assert statement.pop("Sid")
        assert sorted(found, key=str) == sorted(
            (
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "events:PutEvents",
                    "Resource": _bus_arn(name),
                    "Condition": {
                        "ForAllValues:StringEquals": {
                            "events:source": PATTERNS[rule]["source"],
                            "events:detail-type": PATTERNS[rule]["detail-type"],
                        },
                        "Null": {"events:source": "false", "events:detail-type": "false"},
                    },
                }
                for rule, (account, _, target) in FORWARDS.items()
                if target == name
            ),
            key=str,
        )


def test_a_rule_forwards_with_a_role_that_can_do_only_that(prod: list[Stack]) -> None:
    """EventBridge may assume it for this rule alone, and put events on the one bus alone."""
    roles = {
        role.properties.get("RoleName"): role.properties
        for stack in prod
        for role in stack.resources("AWS::IAM::Role")
    }
    for rule, (account, bus, target) in FORWARDS.items():
        role = roles[f"{rule}Role"]
        assert role["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "ArnEquals": {
                        "aws:SourceArn": f"arn:aws:events:eu-west-1:{account}:rule/{bus}/{rule}"
                    }
                },
            }
        ]
        (policy,) = role["Policies"]
        assert policy["PolicyDocument"]["Statement"] == [
            {"Effect": "Allow", "Action": "events:PutEvents", "Resource": _bus_arn(target)}
        ]
        assert role.keys() == {"AssumeRolePolicyDocument", "Policies", "RoleName"}


def test_rules_that_forward_are_those_and_use_their_roles(prod: list[Stack]) -> None:
    """A target is another bus for these rules only, in their own accounts."""
    found = {
        rule.properties["Name"]: (
            stack.account,
            rule.properties["EventBusName"],
            target["Arn"].rsplit("/", 1)[-1],
            target["RoleArn"],
        )
        for stack in prod
        for rule in stack.resources("AWS::Events::Rule")
        for target in rule.properties["Targets"]
        if ":event-bus/" in target["Arn"]
    }
    assert found == {
        rule: (account, bus, target, f"arn:aws:iam::{account}:role/{rule}Role")
        for rule, (account, bus, target) in FORWARDS.items()
    }


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_nobody_is_let_in_without_a_name(stage: str, synthesized: Synthesize) -> None:
    """No policy of any resource allows anything to everybody, to any account, or to all but one."""
    stacks = synthesized(stage).stacks.values()
    open_doors = [
        (stack.name, resource.logical_id, statement)
        for stack in stacks
        for resource in stack.resources()
        for statement in _statements(resource.properties)
        if statement["Effect"] == "Allow"
        and ("NotPrincipal" in statement or "*" in str(statement.get("Principal")))
    ]
    assert open_doors == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_stacks_import_from_stacks_of_their_own_account(
    stage: str, synthesized: Synthesize
) -> None:
    """CloudFormation resolves exports within one account and region."""
    stacks = synthesized(stage).stacks.values()
    exports = {
        (stack.account, stack.region, output["Export"]["Name"])
        for stack in stacks
        for output in stack.template.get("Outputs", {}).values()
        if "Export" in output
    }
    imports = {
        (stack.account, stack.region, name) for stack in stacks for name in _imports(stack.template)
    }
    assert imports
    assert imports <= exports


def test_in_one_account_no_account_is_written_down(dev: list[Stack]) -> None:
    """The same templates fit any account: each is that of the credentials that deploy."""
    assert {stack.name for stack in dev} >= {
        f"streamed-events-dev-{part}" for part in ("shared", *DOMAINS)
    }
    assert {(stack.account, stack.region) for stack in dev} == {(None, "eu-west-1")}
    for stack in dev:
        assert ACCOUNT_ID.findall(json.dumps(stack.template)) == []


def test_a_permission_too_many_is_found_out(prod: list[Stack]) -> None:
    """Another account in a queue's policy, or on a bus that it has no business with, shows."""
    for change in (_let_payments_send_to_a_stock_queue, _let_stock_put_on_the_payments_bus):
        changed = [replace(each, template=copy.deepcopy(each.template)) for each in prod]
        change(changed)
        assert set(_crossings(changed)) != CROSSINGS


ACCOUNT_ID = re.compile(r"(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])")
"""Standing alone: the hash of an asset has a dozen digits in a row now and then."""


def _crossings(stacks: Iterable[Stack]) -> Iterator[tuple[str, str]]:
    """Every string with another account in it, by the resource that says it."""
    for stack in stacks:
        for resource in stack.resources():
            where = f"{_KINDS.get(resource.type, resource.type)} {_name(resource)}"
            yield from ((where, text) for text in _foreign(resource.properties, stack))
        rest = {key: each for key, each in stack.template.items() if key != "Resources"}
        yield from ((stack.name, text) for text in _foreign(rest, stack))


_KINDS = {
    "AWS::ECS::TaskDefinition": "task",
    "AWS::Events::EventBus": "bus",
    "AWS::Events::Rule": "rule",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::Role": "role",
    "AWS::KMS::Key": "key",
}


def _name(resource: Any) -> str:
    given = resource.properties
    without_hash = resource.logical_id[:-8]
    return str(given.get("Name") or given.get("RoleName") or without_hash)


def _foreign(value: Any, stack: Stack) -> Iterator[str]:
    for each in _within(value):
        if isinstance(each, str) and set(ACCOUNT_ID.findall(each)) - {stack.account}:
            yield each


def _statements(value: Any) -> Iterator[Mapping[str, Any]]:
    """Those of resource policies, which name a principal; some are documents as text."""
    for each in _within(value):
        match each:
            case str() if each.startswith("{") and "Principal" in each:
                yield from _statements(json.loads(each))
            case {"Effect": _, "Principal": _} | {"Effect": _, "NotPrincipal": _}:
                yield each


def _imports(value: Any) -> Iterator[str]:
    for each in _within(value):
        if isinstance(each, Mapping) and "Fn::ImportValue" in each:
            yield str(each["Fn::ImportValue"])


def _within(value: Any) -> Iterator[Any]:
    """A value and all that it holds, keys too."""
    yield value
    if isinstance(value, Mapping):
        yield from value
    if isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _within(each)


def _bus_arn(name: str) -> str:
    return f"arn:aws:events:eu-west-1:{BUSES[name]}:event-bus/{name}"


def _let_payments_send_to_a_stock_queue(stacks: list[Stack]) -> None:
    stack = next(each for each in stacks if each.name == "streamed-events-prod-stock")
    policy = next(stack.resources("AWS::SQS::QueuePolicy"))
    document = stack.template["Resources"][policy.logical_id]["Properties"]["PolicyDocument"]
    document["Statement"].append({"Effect": "Allow", "Principal": {"AWS": PAYMENTS}})


def _let_stock_put_on_the_payments_bus(stacks: list[Stack]) -> None:
    stack = next(each for each in stacks if each.name == "streamed-events-prod-shared-payments")
    bus = next(stack.resources("AWS::Events::EventBus"))
    policy = stack.template["Resources"][bus.logical_id]["Properties"]["Policy"]
    policy["Statement"].append(
        {**policy["Statement"][0], "Principal": {"AWS": f"arn:aws:iam::{STOCK}:root"}}
    )
