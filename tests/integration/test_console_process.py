"""The console as a process: started, stopped, killed, and started wrongly."""

from pathlib import Path

import httpx
import pytest

from infra.local import provision
from infra.local_system.environment import SAMPLE_ENVIRONMENT
from runtime.aws import Aws
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws
from verification.testkit.launcher import run_to_end, running
from verification.testkit.waiting import eventually

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def aws(ministack: MiniStack) -> Aws:
    """The topology; each test takes its taps away."""
    made = empty_aws(ministack)
    provision(made)
    return made


@pytest.fixture
def env(aws: Aws, ministack: MiniStack, tmp_path: Path) -> dict[str, str]:
    """A console without its APIs: it shows what it can."""
    return {
        **SAMPLE_ENVIRONMENT,
        "AWS_REGION": aws.client("sqs").meta.region_name,
        "AWS_ENDPOINT_URL": ministack.endpoint,
        "SUBSCRIPTION_API_URL": NOWHERE,
        "STOCK_API_URL": NOWHERE,
        "PAYMENT_API_URL": NOWHERE,
        "STREAMED_AUDIT_FILE": str(tmp_path / "audit.jsonl"),
    }


def taps(aws: Aws) -> list[str]:
    """The queues and the rules that a console made."""
    urls = aws.client("sqs").list_queues()["QueueUrls"]
    rules = [
        rule["Name"]
        for bus in ("subscriptions", "stock", "payments")
        for rule in aws.client("events").list_rules(EventBusName=f"{bus}-event-bus")["Rules"]
    ]
    names = [*(url.rsplit("/", 1)[-1] for url in urls), *rules]
    return [name for name in names if name.startswith(("console-tap-", "ConsoleTap-"))]


def test_a_stop_lets_its_pages_go_and_takes_the_taps_away(
    tmp_path: Path, aws: Aws, env: dict[str, str]
) -> None:
    """In good time, with exit code 0, while a page follows."""
    with running(tmp_path, "console", "", env, port_name="CONSOLE_PORT") as process:
        process.until_ready()
        assert len(taps(aws)) == 6
        with httpx.stream("GET", f"{process.url}/api/live", trust_env=False) as answer:
            assert answer.status_code == 200
            process.child.terminate()
            assert process.child.wait(timeout=60) == 0
    assert taps(aws) == []
    assert "Traceback" not in process.output.read_text()


def test_a_killed_console_is_succeeded_by_the_next(
    tmp_path: Path, aws: Aws, env: dict[str, str]
) -> None:
    """Its taps stay for the next one of its name to find, and to take away."""
    with running(
        tmp_path, "console", "", env, port_name="CONSOLE_PORT", is_measured=False
    ) as process:
        process.until_ready()
        process.child.kill()
        process.child.wait(timeout=60)
    left = taps(aws)
    assert len(left) == 6
    with running(tmp_path, "console", "", env, port_name="CONSOLE_PORT") as process:
        process.until_ready()
        assert taps(aws) == left
        process.child.terminate()
        assert process.child.wait(timeout=60) == 0
    assert taps(aws) == []


def test_it_shows_what_it_can_before_the_system_is_there(
    tmp_path: Path, ministack: MiniStack, env: dict[str, str]
) -> None:
    """Alive, not ready, with the reason; and ready by itself once the system is."""
    late = empty_aws(ministack)
    env |= {"AWS_REGION": late.client("sqs").meta.region_name}
    with running(tmp_path, "console", "", env, port_name="CONSOLE_PORT") as process:
        eventually(lambda: process.get("/healthz"), what="the console is alive")
        answer = process.get("/readyz")
        assert answer is not None
        assert answer.status_code == 503
        assert answer.json()["detail"]
        provision(late)
        process.until_ready()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"CONSOLE_HOST": "0.0.0.0"}, "CONSOLE_ALLOWED_HOSTS"),
        ({"CONSOLE_NAME": "No Name"}, "CONSOLE_NAME"),
        ({"STOCK_API_URL": "stock"}, "STOCK_API_URL"),
        ({"CONSOLE_HOST": "203.0.113.1", "CONSOLE_ALLOWED_HOSTS": "x"}, "CONSOLE_PORT"),
    ],
)
def test_a_wrong_setting_is_one_clear_message(
    tmp_path: Path, env: dict[str, str], wrong: dict[str, str], named: str
) -> None:
    """Exit code 2, the variable's name, and no traceback."""
    code, output = run_to_end(tmp_path, "console", "", {**env, "CONSOLE_PORT": "0", **wrong})
    assert code == 2
    assert named in output
    assert "Traceback" not in output
