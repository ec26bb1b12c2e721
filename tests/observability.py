"""The files of observability/ as values: what is scraped, what is drawn, what alerts."""

import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "observability"


def alerts() -> list[dict[str, Any]]:
    """Prometheus's rules; the label `alarm` is how its counterpart of infra/aws/alarms.py ends."""
    (group,) = loaded("prometheus/alerts.yml")["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, rows left out."""
    board = json.loads((FOLDER / "grafana/dashboards/streamed-events.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Every PromQL expression there is."""
    drawn = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*drawn, *(alert["expr"] for alert in alerts())]


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
