"""The services' processes as they are deployed: settings, signals, health, logs and memory."""

import re
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from infra.local_system.ports import LOOPBACK
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local.child import signal_child, stop_child
from tests.builders import a_body, a_cause, a_metadata
from tests.integration.test_api_bad_input import LISTS
from tests.queues import make_queue
from tests.system import NAMES, Name, System
from tests.unit.test_workloads import environment as needed_by
from verification.testkit.launcher import run_to_end
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

SERVICES = [workload for workload in WORKLOADS if not workload.is_relay]


@pytest.mark.parametrize("workload", SERVICES, ids=lambda workload: workload.name)
def test_missing_settings_are_all_named(tmp_path: Path, workload: Workload) -> None:
    """Exit code 2 and one line that names every variable, and no other."""
    main, command = workload.command
    code, output = run_to_end(tmp_path, main, command, {"AWS_REGION": ""})
    assert code == 2
    assert len(output.splitlines()) == 1
    named = set(re.findall(r"([A-Z_]{4,}): Field required", output))
    assert named == needed_by(workload).keys()


def test_a_missing_queue_is_named(tmp_path: Path, system: System) -> None:
    """A consumer of a queue that nobody made does not start."""
    environment = system.environment("stock") | {
        "PAYMENT_CANCELLED_QUEUE": "no-such-queue",
        "HEALTH_PORT": "0",
    }
    code, output = run_to_end(tmp_path, "services.stock.main", "consumer", environment)
    assert code == 2
    assert output.splitlines()[-1].startswith("the queue no-such-queue does not exist")


@pytest.mark.parametrize(("command", "port"), [("api", "HTTP_PORT"), ("consumer", "HEALTH_PORT")])
def test_a_port_that_is_taken_ends_the_process(
    tmp_path: Path, system: System, command: str, port: str
) -> None:
    """It says which setting is to blame and exits with 2, rather than run out of reach."""
    taken = system.endpoint.rpartition(":")[2]
    environment = system.environment("stock") | {port: taken}
    code, output = run_to_end(tmp_path, "services.stock.main", command, environment)
    assert code == 2
    assert port in output
    assert "in use" in output


@pytest.mark.parametrize("name", NAMES)
def test_an_api_serves_small_and_leaves_with_0(tmp_path: Path, system: System, name: Name) -> None:
    """Ready, under 120 MB after work, every line of its log JSON, and gone on SIGTERM with 0."""
    with system.running(tmp_path, name, "api") as process:
        process.until_ready()
        path = LISTS[name]
        with httpx.Client(base_url=process.url, trust_env=False) as client:
            for _ in range(50):
                assert client.get(path).status_code == 200
            assert "server" not in client.get("/docs").headers
            client.post(path, json={}, headers={"X-Correlation-Id": "look-for-me"})
        assert process.resident_megabytes < 120
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0
    lines = process.lines()
    assert {line["process"] for line in lines} == {f"{name}-api"}
    (wanted,) = [line for line in lines if line.get("correlationId") == "look-for-me"]
    assert (wanted["event"], wanted["method"], wanted["level"]) == ("request", "POST", "info")


@pytest.mark.parametrize("name", NAMES)
def test_a_consumer_reports_its_health_and_leaves_with_0(
    tmp_path: Path, system: System, name: Name
) -> None:
    """/healthz, /readyz and /metrics, under 120 MB; SIGTERM in a long poll ends it within 10 s."""
    with system.running(tmp_path, name, "consumer", own_queues(system, name)) as process:
        process.until_ready()
        for path, status in {"/healthz": 200, "/metrics": 200, "/else": 404}.items():
            answer = process.get(path)
            assert answer is not None
            assert answer.status_code == status
        assert process.resident_megabytes < 120
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0
    events = [line["event"] for line in process.lines()]
    assert events == ["started", "stopping", "stopped"]


def own_queues(system: System, name: Name) -> dict[str, str]:
    """Queues of a test's own under the variables that a consumer reads, and short polls of them."""
    queues = {
        variable: make_queue(system.aws).queue.name
        for variable in system.environment(name)
        if variable.endswith("_QUEUE")
    }
    return queues | {"QUEUE_WAIT_SECONDS": "1"}


def test_a_consumer_that_starts_while_sqs_is_away_waits_for_it(
    tmp_path: Path, system: System
) -> None:
    """Alive and not ready, with the reason in its log; SIGTERM ends the waiting with 0."""
    with (
        reserved_ports(1) as (nobody,),
        replace(system, endpoint=f"http://{LOOPBACK}:{nobody}").running(
            tmp_path, "stock", "consumer"
        ) as process,
    ):
        eventually(lambda: "waiting at start" in process.output.read_text(), what="it waits")
        answer = process.get("/readyz")
        assert answer is not None
        assert answer.status_code == 503
        assert "starting" in answer.text
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0


def an_event(subscription_id: str, number: int) -> str:
    return a_body(
        subscriptionId=subscription_id,
        accountNumber="20000007",
        accountSortCode="65-43-21",
        accountName="Mary Somerville",
        metadata=a_metadata(eventId=f"event-{number}", correlationId=f"call-{number}"),
    )


def test_sigterm_in_the_middle_of_a_batch_loses_nothing(tmp_path: Path, system: System) -> None:
    """What was begun is finished, exit code 0 within 10 s; the next process does the rest, once.

    Its log: JSON, with correlationId and eventId on each line about an event, and no bank details.
    """
    created = make_queue(system.aws)
    queues = own_queues(system, "stock") | {"SUBSCRIPTION_CREATED_QUEUE": created.queue.name}
    ids = [str(uuid4()) for _ in range(100)]
    created.send(*(an_event(each, number) for number, each in enumerate(ids)))
    poison = '{"accountNumber": "20000007", "accountSortCode": "65-43-21"}'
    created.send(poison)

    with system.running(tmp_path, "stock", "consumer", queues) as first:
        eventually(lambda: '"event": "handled"' in first.output.read_text(), what="work")
        assert stop_child(first.child, within=60)
    assert first.child.returncode == 0
    handled = [line for line in first.lines() if line["event"] == "handled"]
    # Hidden for a second at most, where its visibility timeout is a minute.
    eventually(lambda: not created.depth()[1], timeout=20, what="messages deleted or visible")
    with system.running(tmp_path, "stock", "consumer", queues) as second:
        second.until_ready()
        eventually(created.empty, what="an empty queue")
    handled += [line for line in second.lines() if line["event"] == "handled"]
    assert sorted(line["eventId"] for line in handled) == sorted(
        f"event-{number}" for number in range(100)
    )
    for line in handled:
        assert line["correlationId"] == line["eventId"].replace("event", "call")
        assert line["eventType"] == "SubscriptionCreated"
        assert line["process"] == "stock-consumer"
    for each in ids:
        assert len(system.outbox("stock", each)) == 1
    assert set(created.dead_letters()) == {poison}
    text = first.output.read_text() + second.output.read_text()
    assert "dead-lettered" in text
    for secret in ("20000007", "65-43-21", "654321", "Somerville"):
        assert secret not in text


def test_requests_in_flight_are_finished_after_sigterm(tmp_path: Path, system: System) -> None:
    """An API that is told to stop answers what it has begun to read."""
    with system.running(tmp_path, "stock", "api") as process:
        process.until_ready()
        system.stock.allocate(key := str(uuid4()), 1, a_cause())
        statuses = []
        with (
            httpx.Client(base_url=process.url, trust_env=False) as client,
            suppress(httpx.TransportError),
        ):
            for number in range(1000):
                if number == 20:
                    signal_child(process.child, signal.SIGTERM)
                statuses.append(client.get(f"/stock/{key}").status_code)
        assert set(statuses) == {200}
        assert len(statuses) >= 20
        assert process.child.wait(60) == 0


def test_an_api_drains_after_sigterm(tmp_path: Path, system: System) -> None:
    """Not ready, and serving; a second SIGTERM ends that, and it leaves with 0."""
    with system.running(tmp_path, "stock", "api", {"HTTP_DRAIN_SECONDS": "60"}) as process:
        process.until_ready()
        signal_child(process.child, signal.SIGTERM)

        def is_unready() -> bool:
            answer = process.get("/readyz")
            return answer is not None and answer.status_code == 503

        eventually(is_unready, what="it is not ready")
        served = process.get("/stock/nowhere")
        assert served is not None
        assert served.status_code == 404
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0
