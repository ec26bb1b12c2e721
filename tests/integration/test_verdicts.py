"""Every family of failures, as each process meets it: it stays, says so, and loses nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError

from operations.__main__ import AWAY, CANNOT, main
from runtime.aws import Aws, error_code, family_of
from runtime.aws_failures import CODES
from runtime.verdicts import HELD, RULES, Family, Verdict
from tests.conftest import MiniStack
from tests.integration.test_api_bad_input import ORDER, problem
from tests.integration.test_processes import an_event, own_queues
from tests.queues import TestQueue, make_queue
from tests.relay_world import World, a_world, ids, records
from tests.system import System, asking
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.refusals import QUERY_CODES, codes_of
from verification.testkit.waiting import eventually

each_family = pytest.mark.parametrize("family", HELD)
"""Of those that hold: what says something against an entry is another matter."""


@pytest.fixture(scope="module")
def proxy(ministack: MiniStack) -> Iterator[FaultProxy]:
    """Stands between our processes and AWS."""
    with FaultProxy(ministack.endpoint).running() as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def calm(proxy: FaultProxy) -> Iterator[None]:
    yield
    proxy.recover()


def endpoint(proxy: FaultProxy) -> str:
    return f"http://127.0.0.1:{proxy.port}"


LISTS = {
    "sqs": "list_queues",
    "events": "list_event_buses",
    "dynamodb": "list_tables",
    "dynamodbstreams": "list_streams",
}
"""A call of each service that needs nothing to be there."""


@pytest.mark.parametrize("service", LISTS)
@pytest.mark.parametrize("family", [*CODES, Family.UNKNOWN])
def test_a_client_reads_from_each_answer_what_the_table_says(
    proxy: FaultProxy, ministack: MiniStack, service: str, family: Family
) -> None:
    """The proxy writes each code as that service does, and botocore reads the same family."""
    aws = Aws(region=ministack.region, endpoint_url=endpoint(proxy), attempts=1)
    client = aws.client(service)  # type: ignore[call-overload]
    ask = getattr(client, LISTS[service])
    proxy.inject(family)
    found = set()
    for _ in range(3 * len(codes_of(family))):
        with pytest.raises(ClientError) as raised:
            ask()
        assert family_of(raised.value) is family, error_code(raised.value)
        found.add(error_code(raised.value))
    assert found


@dataclass(frozen=True)
class Consuming:
    process: LaunchedProcess
    created: TestQueue


@pytest.fixture(scope="module")
def consumer(
    system: System, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Consuming]:
    """One stock consumer for all families: it must outlive each of them."""
    # A message that was handled while nothing could be deleted comes again soon.
    created = make_queue(system.aws, visibility_timeout=2)
    with replace(system, endpoint=endpoint(proxy)).running(
        tmp_path_factory.mktemp("consumer"),
        "stock",
        "consumer",
        own_queues(system, "stock") | {"SUBSCRIPTION_CREATED_QUEUE": created.queue.name},
        is_measured=False,
    ) as process:
        process.until_ready()
        yield Consuming(process, created)


@pytest.mark.parametrize("service", ["AmazonSQS", "DynamoDB"])
@each_family
def test_a_consumer_holds(
    system: System, proxy: FaultProxy, consumer: Consuming, service: str, family: Family
) -> None:
    """Unready with the code in its log while it lasts; then handled once, and nothing buried."""
    process, created = consumer.process, consumer.created
    before = len(process.lines())
    proxy.inject(family, service=service)
    subscription_id = str(uuid4())
    created.send(an_event(subscription_id, 1))

    _until_warned(process, family, since=before)
    eventually(lambda: _is_unready_for(process, family), timeout=20, what="unready")
    proxy.recover()
    eventually(
        lambda: len(system.outbox("stock", subscription_id)) == 1, timeout=30, what="handled"
    )
    eventually(created.empty, timeout=30, what="an empty queue")
    process.until_ready()
    assert created.dead_letters() == {}


def _until_warned(process: LaunchedProcess, family: Family, *, since: int) -> None:
    """Wait until its log, from that line on, has a warning with a code of the family."""

    def said() -> bool:
        warnings = [line for line in process.lines()[since:] if line["level"] == "warning"]
        return any(_names_one(line.get("reason", ""), family) for line in warnings)

    eventually(said, timeout=20, what=f"a warning about {family}")


def _is_unready_for(process: LaunchedProcess, family: Family) -> bool:
    answer = process.get("/readyz")
    return answer is not None and answer.status_code == 503 and _names_one(answer.text, family)


def _names_one(text: str, family: Family) -> bool:
    """Whether a text names a code of the family, or what an SQS client makes of one."""
    return any(code in text or QUERY_CODES.get(code, code) in text for code in codes_of(family))


@pytest.fixture(scope="module")
def relay(
    ministack: MiniStack, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, LaunchedProcess]]:
    """One relay of a DynamoDB outbox for all families."""
    with a_world(ministack, tmp_path_factory.mktemp("relay")) as world:
        world.provision_dynamodb()
        changes = {"AWS_ENDPOINT_URL": endpoint(proxy), "SWEEP_MIN_AGE_SECONDS": "1"}
        with world.relay("dynamodb", SWEEP_INTERVAL_SECONDS="1", **changes) as process:
            yield world, process


@pytest.mark.parametrize("service", ["AWSEvents", "DynamoDB", "DynamoDBStreams"])
@each_family
def test_a_relay_holds(
    proxy: FaultProxy, relay: tuple[World, LaunchedProcess], service: str, family: Family
) -> None:
    """All that is committed meanwhile is on the bus afterwards, and none is a dead letter."""
    world, process = relay
    before = len(process.lines())
    proxy.inject(family, service=service)
    committed = world.commit(records(12, aggregates=4, prefix=uuid4().hex[:6]))

    _until_warned(process, family, since=before)
    proxy.recover()
    world.until_on_bus(ids(committed), timeout=40)
    eventually(lambda: not world.outbox(), timeout=40, what="an empty outbox")
    process.until_ready()
    assert world.drained("dlq") == []


@pytest.fixture(scope="module")
def subscriptions(system: System, proxy: FaultProxy) -> Iterator[httpx.Client]:
    """The subscription API behind the proxy."""
    app = replace(system, endpoint=endpoint(proxy)).app("subscription")
    with asking(app) as client:
        yield client


@each_family
def test_an_api_answers_503(proxy: FaultProxy, subscriptions: httpx.Client, family: Family) -> None:
    """With Retry-After, for reads and writes and readiness; and serves when it is over."""
    key = {"Idempotency-Key": str(uuid4())}
    proxy.inject(family)
    for answer in (
        subscriptions.post("/subscriptions", json=ORDER, headers=key),
        subscriptions.get("/subscriptions"),
        subscriptions.get(f"/subscriptions/{uuid4()}"),
        subscriptions.get("/readyz"),
    ):
        found = problem(answer, 503, "unavailable")
        assert _names_one(found["detail"], family)
        assert int(answer.headers["retry-after"]) > 0
    proxy.recover()
    assert subscriptions.post("/subscriptions", json=ORDER, headers=key).status_code == 201


@each_family
def test_a_command_has_the_exit_code_of_its_verdict(
    system: System,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    family: Family,
) -> None:
    """75 for what passes by itself, 2 for what a setting or a right must be changed for."""
    for name, value in replace(system, endpoint=endpoint(proxy)).environment("payment").items():
        monkeypatch.setenv(name, value)
    command = ["dlq", "list", "--at", "aws", "--queue", "stock-dlq"]
    assert main(command) in {0, 1}
    capsys.readouterr()
    proxy.inject(family)
    assert main(command) == (CANNOT if RULES[family].at_start is Verdict.EXIT else AWAY)
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert _names_one(said, family) or "stock-dlq does not exist" in said


@each_family
def test_every_code_is_recognized_as_a_client_of_sqs_reads_it(family: Family) -> None:
    """The proxy picks one by chance: the tests above hold for each that it may pick."""
    for code in codes_of(family):
        assert _names_one(f"SQS is unavailable: {QUERY_CODES.get(code, code)}", family), code
