"""Version 2 of the events, on engines: sealed at the API, opened at the consumer, or held."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.bank_details import SEALED_FOR
from infra.domains.payments import BANK_DETAILS
from infra.local import provision
from infra.local_keys import render_keys
from infra.topology import TOPOLOGY
from runtime.sealing import Seal
from runtime.verdicts import Family
from services.payment.model import Status
from tests.builders import a_metadata, an_envelope
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws
from tests.integration.test_api_bad_input import ORDER, problem
from tests.integration.test_consumer import consuming
from tests.integration.test_processes import own_queues
from tests.queues import make_queue
from tests.system import System, asking
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually

KMS = "TrentService"
"""How the target of a request to KMS begins."""

CREATED = "SubscriptionCreated"


@pytest.fixture
def proxy(ministack: MiniStack) -> Iterator[FaultProxy]:
    """Stands between our processes and AWS."""
    with FaultProxy(ministack.endpoint).running() as proxy:
        yield proxy


@pytest.fixture
def behind(system: System, proxy: FaultProxy) -> System:
    return replace(system, endpoint=f"http://127.0.0.1:{proxy.port}")


def details(subscription_id: str, **changes: Any) -> str:
    found = {"version": 1, "subscriptionId": subscription_id, "accountNumber": "20000006"}
    return json.dumps(found | changes)


def created(subscription_id: str, bank_details: str) -> str:
    """The event as a queue receives it."""
    detail = {
        "subscriptionId": subscription_id,
        "quantity": 1,
        "bankDetails": bank_details,
        "metadata": a_metadata(version=2, aggregateId=subscription_id),
    }
    return json.dumps(an_envelope(detail, detail_type=CREATED, source="app.subscriptions"))


def subscribe(client: httpx.Client) -> httpx.Response:
    return client.post("/subscriptions", json=ORDER)


def test_what_the_api_commits_the_consumer_opens(system: System) -> None:
    """The outbox has no bank details in clear, and payments has the account number."""
    with asking(system.app("subscription")) as client:
        subscription_id = subscribe(client).json()["subscriptionId"]
    (record,) = system.outbox("subscription", subscription_id)
    assert json.loads(record["detail"])["metadata"]["version"] == 2
    for name, value in ORDER.items():
        if name != "quantity":
            assert str(value) not in record["detail"]
    event = json.loads(record["detail"])
    body = json.dumps(an_envelope(event, detail_type=CREATED, source="app.subscriptions"))
    system.handler("payments-subscription-created").handle(body)
    assert system.payments.get(subscription_id).account_number == ORDER["accountNumber"]


def flipped(sealed: str) -> str:
    message = bytearray(b64decode(sealed))
    message[-1] ^= 1
    return b64encode(message).decode()


BROKEN: dict[str, Callable[[Seal, str], tuple[str, str]]] = {
    "another subscription's": lambda seal, _: (
        seal.seal(details("another")),
        "it is another subscription's",
    ),
    "a flipped bit": lambda seal, each: (flipped(seal.seal(details(each))), "InvalidTag"),
    "an unknown seal version": lambda seal, each: (
        seal.seal(details(each, version=2)),
        "version: Input should be 1",
    ),
    "no account number": lambda seal, each: (
        seal.seal(details(each, accountNumber="")),
        "accountNumber: String should have at least 1 character",
    ),
    "no JSON": lambda seal, _: (seal.seal("20000006"), "Input should be an object"),
    "nonsense": lambda _, __: (b64encode(b"20000006").decode(), "NotSupportedError"),
    "no Base64": lambda _, __: ("20000006!", "Error"),
}
"""What is wrong with a sealed text, and what its dead letter says."""


def test_each_sealed_text_that_is_not_the_events_is_dead_lettered(system: System) -> None:
    """With its reason and no bank details in it; the neighbours are handled."""
    queue = make_queue(system.aws)
    other = Seal(
        system.aws.client("kms"), BANK_DETAILS.alias, {**SEALED_FOR, "purpose": "newsletter"}
    )
    one, two = str(uuid4()), str(uuid4())
    poison = {}
    for make in BROKEN.values():
        subscription_id = str(uuid4())
        sealed, reason = make(system.seal, subscription_id)
        poison[created(subscription_id, sealed)] = reason
    poison[created(one, other.seal(details(one)))] = "DecryptKeyError"
    good = [created(each, system.seal.seal(details(each))) for each in (one, two)]
    queue.send(good[0], *poison, good[1])
    with consuming(
        queue.sqs, queue.queue, system.handler("payments-subscription-created")
    ) as consumer:
        eventually(queue.empty, what="an empty queue")
    assert consumer.outcomes(queue.queue) == {"handled": 2, "dead-lettered": len(poison)}
    found = queue.dead_letters()
    assert found.keys() == poison.keys()
    for body, reason in poison.items():
        error_type, message = found[body]
        assert error_type == "CannotOpen"
        assert reason in message
        assert "20000006" not in message
    assert {system.payments.get(each).status for each in (one, two)} == {Status.ACTIVE}


def test_without_kms_the_api_answers_503_until_it_has_a_data_key(
    behind: System, proxy: FaultProxy
) -> None:
    """Nothing is committed; with a key in memory it goes on while KMS is away."""
    with asking(behind.app("subscription")) as client:
        for family in (Family.AWAY, Family.THROTTLED, Family.RIGHTS, Family.KEYS, Family.UNKNOWN):
            proxy.inject(family, service=KMS)
            assert "KMS" in problem(subscribe(client), 503, "unavailable")["detail"]
        proxy.recover()
        assert subscribe(client).status_code == 201
        proxy.inject(Family.AWAY, service=KMS)
        assert subscribe(client).status_code == 201
        proxy.recover()


def unready_for_kms(process: LaunchedProcess) -> bool:
    answer = process.get("/readyz")
    return answer is not None and answer.status_code == 503 and "KMS" in answer.text


def test_without_kms_the_consumer_holds_until_it_has_a_data_key(
    system: System, behind: System, proxy: FaultProxy, tmp_path: Path
) -> None:
    """No receive is used up and nothing dead-lettered; with a key in memory it goes on."""
    queue = make_queue(system.aws, visibility_timeout=2, max_receives=2)
    one, two = str(uuid4()), str(uuid4())
    queues = own_queues(system, "payment")
    queues["SUBSCRIPTION_CREATED_QUEUE"] = queue.queue.name
    with behind.running(tmp_path, "payment", "consumer", queues, is_measured=False) as process:
        process.until_ready()
        proxy.inject(Family.RIGHTS, service=KMS)
        queue.send(created(one, system.seal.seal(details(one))))
        eventually(lambda: unready_for_kms(process), timeout=20, what="unready, and why")
        proxy.recover()
        eventually(lambda: system.outbox("payment", one), timeout=60, what="handled")
        process.until_ready()
        proxy.inject(Family.RIGHTS, service=KMS)
        queue.send(created(two, system.seal.seal(details(two))))
        eventually(lambda: system.outbox("payment", two), timeout=60, what="handled")
        proxy.recover()
        assert "20000006" not in process.output.read_text()
    assert queue.dead_letters() == {}


def test_the_key_is_made_once_and_is_enabled_again(ministack: MiniStack) -> None:
    """Provisioning again changes nothing but what drifted: a key that was disabled, or doomed."""
    aws = empty_aws(ministack)
    provision(aws)
    kms = aws.client("kms")
    assert render_keys(kms, TOPOLOGY) == []
    key = kms.describe_key(KeyId=BANK_DETAILS.alias)["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    (change,) = render_keys(kms, TOPOLOGY)
    assert str(change) == "updated key bank-details (KeyState)"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert len(render_keys(kms, TOPOLOGY)) == 1
    assert kms.describe_key(KeyId=BANK_DETAILS.alias)["KeyMetadata"]["Enabled"]
