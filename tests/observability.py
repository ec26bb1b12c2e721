"""The files of observability/ as values: what is scraped, what is drawn, what alerts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "observability"


@dataclass(frozen=True)
class Alert:
    """`alarm` is how the name of its counterpart in infra/aws/alarms.py ends."""

    name: str
    expression: str
    alarm: str
    minutes: int
    summary: str
    runbook: str


def alerts() -> list[Alert]:
    (group,) = loaded("prometheus/alerts.yml")["groups"]
    return [
        Alert(
            name=rule["alert"],
            expression=rule["expr"],
            alarm=rule["labels"]["alarm"],
            minutes=int(rule.get("for", "0m").removesuffix("m")),
            summary=rule["annotations"]["summary"],
            runbook=rule["annotations"]["runbook"],
        )
        for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, rows left out."""
    board = json.loads((FOLDER / "grafana/dashboards/streamed-events.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Every PromQL expression there is."""
    drawn = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*drawn, *(alert.expression for alert in alerts())]


def scraped() -> dict[str, list[str]]:
    """The processes of each job, by the name of their container."""
    return {
        job["job_name"]: [
            target.partition(":")[0]
            for config in job["static_configs"]
            for target in config["targets"]
        ]
        for job in loaded("prometheus/prometheus.yml")["scrape_configs"]
    }


def loaded(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())
