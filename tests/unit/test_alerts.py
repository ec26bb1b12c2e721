"""The alerts of Prometheus are the alarms of CloudWatch: none missing, the same thresholds."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from infra.topology import TOPOLOGY, WORKLOADS
from tests.observability import FOLDER, alerts, expressions, loaded, panels, scraped
from tests.stack_constants import constants, source

ROOT = FOLDER.parent

NOT_HERE = {
    "lost": "a subscriber of a Custom Event Bus, which no emulator has",
    "errors": "a failed invocation is Lambda's: here the relay is a process, and ProcessGone",
    "quota": "of an instance of DocumentDB",
    "processor": "of an instance of DocumentDB",
    "memory": "of an instance of DocumentDB",
    "throttled": "DynamoDB and Lambda refuse by their quotas: an emulator has none",
    "failed-invocations": "what a rule could not deliver is in its dead-letter queue, and only"
    " AWS counts it; DeadLetterQueueNotEmpty",
    "dlq-unreachable": "only AWS sees that a dead-letter queue took nothing",
}
"""Alarms without a counterpart, and why."""

each_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])


def constant(name: str) -> float:
    """A threshold of the alarms."""
    value = constants("alarms")[name]
    assert isinstance(value, int | float)
    return value


def kinds() -> set[str]:
    """How the names of the alarms end: what each watches for."""
    added = [
        call.args[0]
        for call in ast.walk(source("alarms"))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "self._add"
    ]
    names = [ast.literal_eval(name.values[-1]) for name in added if isinstance(name, ast.JoinedStr)]
    assert len(names) == len(added) > 0
    return {name.removeprefix("-") for name in names}


def test_every_alarm_has_its_alert() -> None:
    """Or a reason why it has none; and no alert is for an alarm that nobody knows."""
    assert {alert["labels"]["alarm"] for alert in alerts()} == kinds() - NOT_HERE.keys()
    assert NOT_HERE.keys() < kinds()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OldestRow", constant("MOST_ROW_AGE")),
        ("ServerErrors", constant("ERROR_RATE")),
        ("EffectsTooLate", constant("MOST_MESSAGE_AGE")),
        ("DeadLetterQueueNotEmpty", 1),
        ("ProcessGone", 1),
    ],
)
def test_thresholds_are_those_of_cloudwatch(name: str, value: float) -> None:
    """Seconds, percent and counts, at an expression's end."""
    match = re.search(r"(?:>=|<) (\d+)$", expression_of(name))
    assert match
    assert float(match[1]) == value


def test_what_is_behind_is_as_far_behind_as_cloudwatch_allows() -> None:
    """Lambda's iterator age is in milliseconds, ours in seconds."""
    assert f">= {constant('MOST_ITERATOR_AGE') / 1000:g} and" in expression_of("RelayBehind")


def test_a_queue_may_stand_still_as_long_as_a_message_may_wait() -> None:
    """Every range of it is the age that CloudWatch allows a message."""
    for name in ("QueueStandsStill", "FifoQueueStandsStill"):
        ranges = set(re.findall(r"\[(\w+)\]", expression_of(name)))
        assert ranges == {f"{constant('MOST_MESSAGE_AGE'):g}s"}


def test_a_silence_is_as_long() -> None:
    """Alone of all it has a `for`: CloudWatch's other alarms go off at the first measurement."""
    durations = {alert["alert"]: alert["for"] for alert in alerts() if "for" in alert}
    assert durations == {"ProcessGone": f"{constant('SILENCE'):g}m"}


@each_alert
def test_an_alert_says_what_is_wrong_and_where_to_read_what_to_do(alert: Any) -> None:
    """The heading is there, in a document that is there."""
    assert alert["annotations"]["summary"].endswith((".", "?"))
    path, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert anchor in {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    """How GitHub names a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_process_is_scraped_in_its_kinds_job() -> None:
    """One that is missing there is one that no alert watches."""
    jobs = scraped()
    assert {name for names in jobs.values() for name in names} == {
        *(workload.name for workload in WORKLOADS),
        "tap",
        "console",
    }
    for workload in WORKLOADS:
        kind = "relays" if workload.command[0] == "relay" else f"{workload.command[-1]}s"
        assert workload.name in jobs[kind]


def test_every_job_names_its_processes() -> None:
    """`process` is the container's name, whatever the port."""
    for job in loaded("prometheus/prometheus.yml")["scrape_configs"]:
        (rule,) = job["relabel_configs"]
        assert rule["target_label"] == "process"
        for name in scraped()[job["job_name"]]:
            match = re.fullmatch(rule["regex"], f"{name}:8000")
            assert match
            assert match[1] == name


def test_the_queue_behind_a_relay_is_the_only_fifo_queue() -> None:
    """Its alert names the relay that forwards it."""
    fifo = [
        queue.name for queue in TOPOLOGY.queues if queue.redrive and queue.name.endswith(".fifo")
    ]
    forwarders = [one.name for one in WORKLOADS if one.command == ("relay", "forward")]
    assert len(fifo) == len(forwarders) == 1
    assert f'process="{forwarders[0]}"' in expression_of("FifoQueueStandsStill")


def test_panels_have_a_title_a_description_and_a_unit() -> None:
    """A number without a unit says nothing to whoever is woken by it."""
    for panel in panels():
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
    assert len(expressions()) > 30


def test_panels_stand_beside_one_another_and_not_upon() -> None:
    """Within a grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_panels_use_the_data_sources_that_are_provisioned() -> None:
    """By the ids of the file that Grafana reads them from."""
    sources = loaded("grafana/provisioning/datasources/datasources.yaml")["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    for panel in panels():
        for each in (panel, *panel["targets"]):
            assert (each["datasource"]["type"], each["datasource"]["uid"]) in known


def test_the_files_name_one_another_as_compose_mounts_them() -> None:
    """What a container reads is where compose.yaml puts it."""
    services = loaded("../compose.yaml")["services"]
    mounts: dict[str, Path] = {
        target: ROOT / source
        for name in ("otel-collector", "prometheus", "grafana")
        for source, _, target in (
            volume.removesuffix(":ro").partition(":") for volume in services[name]["volumes"]
        )
        if source.startswith("./")
    }

    def mounted(path: str) -> Path:
        folder, _, rest = max(
            (target, "/", path.removeprefix(target).lstrip("/"))
            for target in mounts
            if path.startswith(target)
        )
        return mounts[folder] / rest

    (provider,) = loaded("grafana/provisioning/dashboards/dashboards.yaml")["providers"]
    environment = services["grafana"]["environment"]
    assert mounted(provider["options"]["path"]).is_dir()
    assert mounted(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    assert mounted("/etc/grafana/provisioning/datasources/datasources.yaml").is_file()
    assert mounted(services["otel-collector"]["command"][0].partition("=")[2]).is_file()
    assert mounted(services["prometheus"]["command"][0].partition("=")[2]).is_file()
    (rules,) = loaded("prometheus/prometheus.yml")["rule_files"]
    assert (FOLDER / "prometheus" / rules).is_file()


def test_spans_go_from_the_collector_to_the_viewer() -> None:
    """Every part that a pipeline names is configured, and its exporter's host is a container."""
    config = loaded("otel-collector/config.yaml")
    services = loaded("../compose.yaml")["services"]
    for pipeline in config["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(config[part])
    (exporter,) = config["exporters"].values()
    assert exporter["endpoint"].partition(":")[0] in services


def expression_of(name: str) -> str:
    (found,) = [alert["expr"] for alert in alerts() if alert["alert"] == name]
    return str(found)
