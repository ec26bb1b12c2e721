"""How a relay starts, or says why it cannot."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.relay_world import (
    BUS,
    COLLECTION,
    DLQ,
    FIFO,
    FIFO_DLQ,
    TABLE,
    World,
    mongo_settings,
    records,
)
from verification.testkit.launcher import run_to_end, running
from verification.testkit.waiting import eventually


def start(world: World, command: str, **settings: str) -> tuple[int, str]:
    environment = world.environment(**mongo_settings(world), HEALTH_PORT="0", **settings)
    queue = DLQ if "dynamodb" in command else FIFO_DLQ
    environment["DEAD_LETTER_QUEUE"] = queue
    return run_to_end(world.folder, "relay", command, environment)


@pytest.mark.parametrize(
    ("command", "prepare", "named"),
    [
        ("dynamodb", lambda world: None, TABLE),
        ("dynamodb", lambda world: world.create_table(stream=False), f"{TABLE} has no stream"),
        ("dynamodb", lambda world: world.create_table(), f"bus {BUS} does not exist"),
        ("dynamodb", lambda world: (world.create_table(), world.create_bus()), DLQ),
        ("sweep dynamodb", lambda world: world.create_table(), f"bus {BUS} does not exist"),
        ("change-stream", lambda world: world.create_fifo_queues(), COLLECTION),
        ("change-stream", lambda world: world.collection.insert_one({}), FIFO),
        ("forward", lambda world: world.create_fifo_queues(), f"bus {BUS} does not exist"),
        ("forward", lambda world: world.create_bus(), f"queue {FIFO} does not exist"),
        (
            "forward",
            lambda world: (world.create_bus(), world.create_queue(FIFO)),
            f"{FIFO} has no redrive policy",
        ),
    ],
)
def test_what_does_not_exist_is_named(
    world: World, command: str, prepare: Callable[[World], object], named: str
) -> None:
    """Exit code 2 and one line; PutEvents to a missing bus would have succeeded, silently."""
    prepare(world)
    code, output = start(world, command)
    assert code == 2, output
    assert named in output
    assert len(output.strip().splitlines()) == 1


CUSTOM_BUS = f"arn:aws:events:eu-west-1:111122223333:event-busv2/{BUS}/abcdefghijklmnopqrstuvwxy"


@pytest.mark.parametrize(
    ("bus", "named"),
    [(CUSTOM_BUS, "what answers as AWS has no Custom Event Bus"), (BUS, "give the bus's ARN")],
)
@pytest.mark.parametrize("command", ["dynamodb", "sweep dynamodb", "forward"])
def test_an_engine_without_custom_event_buses_is_named(
    world: World, command: str, bus: str, named: str
) -> None:
    """Exit code 2 and one line, where the emulator answers in another protocol."""
    world.create_table()
    world.create_bus()
    world.create_queue(DLQ)
    world.create_fifo_queues()
    code, output = start(world, command, EVENT_BUS_KIND="custom", EVENT_BUS=bus)
    assert code == 2, output
    assert named in output
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("dynamodb", ["HEALTH_PORT", "OUTBOX_TABLE", "EVENT_BUS", "DEAD_LETTER_QUEUE"]),
        (
            "change-stream",
            [
                "MONGODB_URI",
                "MONGODB_DATABASE",
                "OUTBOX_COLLECTION",
                "FIFO_QUEUE",
                "DEAD_LETTER_QUEUE",
                "HEALTH_PORT",
            ],
        ),
        ("forward", ["FIFO_QUEUE", "EVENT_BUS", "HEALTH_PORT"]),
        ("nonsense", ["dynamodb", "change-stream", "forward", "sweep dynamodb"]),
    ],
)
def test_settings_that_are_missing_or_malformed_are_all_named(
    tmp_path: Path, command: str, names: list[str]
) -> None:
    """One message names every variable, a malformed one too: exit code 2."""
    environment = {
        "FIFO_QUEUE": "standard",
        "SWEEP_MIN_AGE_SECONDS": "-1",
        "QUEUE_WAIT_SECONDS": "99",
    }
    code, output = run_to_end(tmp_path, "relay", command, environment)
    assert code == 2, output
    missing = [name for name in names if name not in output]
    assert not missing, output
    if command == "dynamodb":
        assert "SWEEP_MIN_AGE_SECONDS" in output
    if command == "forward":
        assert "QUEUE_WAIT_SECONDS" in output


def test_aws_that_is_away_at_start_is_waited_for(world: World) -> None:
    """The process lives, says that it is not ready, and goes to work when AWS is there."""
    world.provision_dynamodb()
    committed = records(5)
    world.gate.cut()
    with running(
        world.folder, "relay", "dynamodb", world.environment(), port_name="HEALTH_PORT"
    ) as process:
        eventually(lambda: "waiting at start" in process.output.read_text(), what="a try in vain")
        alive, ready = process.get("/healthz"), process.get("/readyz")
        assert alive is not None
        assert ready is not None
        assert (alive.status_code, ready.status_code) == (200, 503)
        world.commit(committed)
        world.gate.open()
        process.until_ready()
        world.until_published(committed)
        metrics = process.get("/metrics")
        assert metrics is not None
        assert "relay_events_published_total 5.0" in metrics.text
