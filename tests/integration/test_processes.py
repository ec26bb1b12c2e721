"""The services' processes as they are deployed: settings, signals, health, logs and memory."""

import json
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.local_system.ports import LOOPBACK
from local.child import signal_child, stop_child
from tests.builders import a_body, a_cause, a_metadata
from tests.integration.test_api_bad_input import LISTS
from tests.queues import make_queue
from tests.system import NAMES, Name, System
from verification.testkit.launcher import LaunchedProcess, run_to_end, running
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

REQUIRED: dict[tuple[Name, str], set[str]] = {
    ("subscription", "api"): {
        "AWS_REGION",
        "HTTP_PORT",
        "SUBSCRIPTIONS_TABLE",
        "SUBSCRIPTIONS_OUTBOX_TABLE",
    },
    ("subscription", "consumer"): {
        "AWS_REGION",
        "HEALTH_PORT",
        "SUBSCRIPTIONS_TABLE",
        "SUBSCRIPTIONS_OUTBOX_TABLE",
        "PAYMENT_CANCELLED_QUEUE",
    },
    ("stock", "api"): {"AWS_REGION", "HTTP_PORT", "STOCK_TABLE", "STOCK_OUTBOX_TABLE"},
    ("stock", "consumer"): {
        "AWS_REGION",
        "HEALTH_PORT",
        "STOCK_TABLE",
        "STOCK_OUTBOX_TABLE",
        "SUBSCRIPTION_CREATED_QUEUE",
        "PAYMENT_CANCELLED_QUEUE",
    },
    ("payment", "api"): {"HTTP_PORT", "MONGODB_URI", "MONGODB_DATABASE"},
    ("payment", "consumer"): {
        "AWS_REGION",
        "HEALTH_PORT",
        "MONGODB_URI",
        "MONGODB_DATABASE",
        "SUBSCRIPTION_CREATED_QUEUE",
    },
}


def main_of(name: Name) -> str:
    return f"services.{name}.main"


@pytest.mark.parametrize(("name", "command"), REQUIRED)
def test_missing_settings_are_all_named(tmp_path: Path, name: Name, command: str) -> None:
    """Exit code 2 and one line that names every variable, and no other."""
    code, output = run_to_end(tmp_path, main_of(name), command, {"AWS_REGION": ""})
    assert code == 2
    assert len(output.splitlines()) == 1
    assert set(re.findall(r"([A-Z_]{4,}): Field required", output)) == REQUIRED[(name, command)]


def test_malformed_settings_are_all_named(tmp_path: Path, system: System) -> None:
    """Each variable with the rule that it breaks; none of the values, which may be secret."""
    malformed = {
        "AWS_REGION": "Not A Region",
        "AWS_ENDPOINT_URL": "localhost:4566",
        "HEALTH_PORT": "seventy",
        "LOG_LEVEL": "LOUD",
        "LOG_FORMAT": "xml",
        "QUEUE_WAIT_SECONDS": "20",
        "MONGODB_URI": "postgres://user:hunter2@host",
        "MONGODB_DATABASE": "pay ments",
    }
    environment = system.environment("payment") | malformed
    code, output = run_to_end(tmp_path, main_of("payment"), "consumer", environment)
    assert code == 2
    assert len(output.splitlines()) == 1
    for variable, value in malformed.items():
        assert f"{variable}: " in output
        assert value not in output


def test_a_mongodb_uri_that_the_driver_refuses_is_named(tmp_path: Path, system: System) -> None:
    """It looks like a URI and is none: exit code 2 and the variable's name."""
    environment = system.environment("payment") | {
        "MONGODB_URI": "mongodb://127.0.0.1:port",
        "HTTP_PORT": "0",
    }
    code, output = run_to_end(tmp_path, main_of("payment"), "api", environment)
    assert (code, output[:13]) == (2, "MONGODB_URI: ")


@pytest.mark.parametrize("command", ["", "worker"])
def test_an_unknown_command_is_exit_code_2(tmp_path: Path, command: str) -> None:
    """One line that says which commands there are."""
    code, output = run_to_end(tmp_path, main_of("stock"), command, {})
    assert (code, output) == (2, "say what to run: api, consumer\n")


def test_a_missing_queue_is_named(tmp_path: Path, system: System) -> None:
    """A consumer of a queue that nobody made does not start."""
    environment = system.environment("stock") | {
        "PAYMENT_CANCELLED_QUEUE": "no-such-queue",
        "HEALTH_PORT": "0",
    }
    code, output = run_to_end(tmp_path, main_of("stock"), "consumer", environment)
    assert code == 2
    assert output.splitlines()[-1].startswith("the queue no-such-queue does not exist")


@pytest.mark.parametrize(("command", "port"), [("api", "HTTP_PORT"), ("consumer", "HEALTH_PORT")])
def test_a_port_that_is_taken_ends_the_process(
    tmp_path: Path, system: System, command: str, port: str
) -> None:
    """It says which setting is to blame and exits with 2, rather than run out of reach."""
    taken = system.endpoint.rpartition(":")[2]
    environment = system.environment("stock") | {port: taken}
    code, output = run_to_end(tmp_path, main_of("stock"), command, environment)
    assert code == 2
    assert port in output
    assert "in use" in output


@pytest.mark.parametrize("name", NAMES)
def test_an_api_serves_small_and_leaves_with_0(tmp_path: Path, system: System, name: Name) -> None:
    """Ready, under 120 MB after work, every line of its log JSON, and gone on SIGTERM with 0."""
    environment = system.environment(name)
    with running(tmp_path, main_of(name), "api", environment, port_name="HTTP_PORT") as process:
        process.until_ready()
        path = LISTS[name]
        with httpx.Client(base_url=process.url, trust_env=False) as client:
            for _ in range(50):
                assert client.get(path).status_code == 200
            assert "server" not in client.get("/docs").headers
            client.post(path, json={}, headers={"X-Correlation-Id": "look-for-me"})
        assert megabytes(process) < 120
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0
    lines = process.lines()
    assert {line["process"] for line in lines} == {f"{name}-api"}
    (wanted,) = [line for line in lines if line.get("correlationId") == "look-for-me"]
    assert (wanted["event"], wanted["method"], wanted["level"]) == ("request", "POST", "info")


def megabytes(process: LaunchedProcess) -> float:
    """Resident memory, as the process itself counts it."""
    answer = process.get("/metrics")
    assert answer is not None
    (found,) = re.findall(r"^process_resident_memory_bytes (\S+)", answer.text, re.MULTILINE)
    return float(found) / 1e6


@pytest.mark.parametrize("name", NAMES)
def test_a_consumer_reports_its_health_and_leaves_with_0(
    tmp_path: Path, system: System, name: Name
) -> None:
    """/healthz, /readyz and /metrics, under 120 MB; SIGTERM in a long poll ends it within 10 s."""
    environment = system.environment(name) | own_queues(system, name) | {"QUEUE_WAIT_SECONDS": "1"}
    with running(
        tmp_path, main_of(name), "consumer", environment, port_name="HEALTH_PORT"
    ) as process:
        process.until_ready()
        for path, status in {"/healthz": 200, "/metrics": 200, "/else": 404}.items():
            answer = process.get(path)
            assert answer is not None
            assert answer.status_code == status
        assert megabytes(process) < 120
        assert stop_child(process.child, within=60)
    assert process.child.returncode == 0
    events = [line["event"] for line in process.lines()]
    assert events == ["started", "stopping", "stopped"]


def own_queues(system: System, name: Name) -> dict[str, str]:
    """Queues of a test's own under the variables that a consumer reads."""
    return {
        variable: make_queue(system.aws).queue.name
        for variable in system.environment(name)
        if variable.endswith("_QUEUE")
    }


def test_a_consumer_that_starts_while_sqs_is_away_waits_for_it(
    tmp_path: Path, system: System
) -> None:
    """Alive and not ready, with the reason in its log; SIGTERM ends the waiting with 0."""
    environment = system.environment("stock")
    with (
        reserved_ports(1) as (nobody,),
        running(
            tmp_path,
            main_of("stock"),
            "consumer",
            environment | {"AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{nobody}"},
            port_name="HEALTH_PORT",
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
    environment = system.environment("stock") | {
        "SUBSCRIPTION_CREATED_QUEUE": created.queue.name,
        "PAYMENT_CANCELLED_QUEUE": make_queue(system.aws).queue.name,
        "QUEUE_WAIT_SECONDS": "1",
    }
    ids = [str(uuid4()) for _ in range(100)]
    created.send(*(an_event(each, number) for number, each in enumerate(ids)))
    poison = '{"accountNumber": "20000007", "accountSortCode": "65-43-21"}'
    created.send(poison)

    def consumer() -> Any:
        return running(tmp_path, main_of("stock"), "consumer", environment, port_name="HEALTH_PORT")

    with consumer() as first:
        eventually(lambda: '"event": "handled"' in first.output.read_text(), what="work")
        assert stop_child(first.child, within=60)
    assert first.child.returncode == 0
    handled = [line for line in first.lines() if line["event"] == "handled"]
    # Hidden for a second at most, where its visibility timeout is a minute.
    eventually(lambda: not created.depth()[1], timeout=20, what="messages deleted or visible")
    with consumer() as second:
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


def test_a_part_that_fails_ends_the_process_with_1(tmp_path: Path, system: System) -> None:
    """Its neighbours are stopped, the error is logged as JSON, and whoever started it goes on."""
    script = tmp_path / "broken.py"
    script.write_text(
        "from runtime import logs\n"
        "from runtime.process.health import Readiness\n"
        "from runtime.metrics import new_registry\n"
        "from runtime.settings import WorkerSettings\n"
        "from runtime.process.shutdown import Stop\n"
        "from runtime.process.worker import main, run_worker\n"
        "def run():\n"
        "    logs.configure(process='broken')\n"
        "    stop = Stop()\n"
        "    def good(): stop.wait()\n"
        "    def bad(): raise ValueError('account 20000007')\n"
        "    parts = {'good': good, 'bad': bad}\n"
        "    run_worker(WorkerSettings(health_port=0), prepare=lambda: parts, stop=stop,\n"
        "        readiness=Readiness(), registry=new_registry())\n"
        "main({'': run})\n"
    )
    code, output = run_to_end(tmp_path, "broken", "", {"PYTHONPATH": str(tmp_path)})
    assert code == 1
    lines = [json.loads(line) for line in output.splitlines()]
    assert [line["event"] for line in lines if line["level"] == "error"] == [
        "part failed",
        "process failed",
    ]
    assert "20000007" not in output


def test_requests_in_flight_are_finished_after_sigterm(tmp_path: Path, system: System) -> None:
    """An API that is told to stop answers what it has begun to read."""
    environment = system.environment("stock")
    with running(tmp_path, main_of("stock"), "api", environment, port_name="HTTP_PORT") as process:
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
