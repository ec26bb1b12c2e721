"""What the dashboard and the alerts ask for is what running processes expose."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from infra.local_system.ports import LOOPBACK
from local.process_table import console_process, our_processes
from runtime.metrics import RelayMetrics
from tests.integration.observability.story import Traced
from tests.observability import expressions, scraped
from tests.promql import Query, Selector, read
from tests.unit.test_metrics import documented
from verification.testkit.launcher import running
from verification.testkit.waiting import eventually

PROMETHEUS = {"up": set[str]()}
"""What Prometheus measures itself."""

TARGET = {"job", "instance", "process"}
"""Labels that prometheus.yml puts on everything."""

Exposed = Mapping[str, set[str]]
"""The labels of each sample's name."""


Scrape = Mapping[str, Exposed]
"""What each process answers, by the name that prometheus.yml has for it."""


def chosen(scrape: Scrape, selector: Selector) -> list[Exposed]:
    """What the processes expose that a selector chooses by its job and process."""
    return [
        scrape[name]
        for job, names in scraped().items()
        for name in names
        if _chooses(selector, job=job, process=name)
    ]


@pytest.fixture(scope="module")
def scrape(traced: Traced, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrape]:
    """Every process after a lifecycle: of what is only counted in trouble, relays have the name."""
    settings, http = traced.world.settings, traced.world.http
    console = console_process(settings)
    folder = tmp_path_factory.mktemp("console")
    with running(
        folder, "console", "", console.env, port_name="CONSOLE_PORT", is_measured=False
    ) as watching:
        watching.until_ready()
        eventually(
            lambda: 'kind="dead-letter"' in http.get(f"{watching.url}/metrics").text,
            what="the console has looked at the queues",
        )
        addresses = {
            process.name: f"http://{LOOPBACK}:{process.port}" for process in our_processes(settings)
        }
        yield {
            name: _labels(http.get(f"{url}/metrics").raise_for_status().text)
            for name, url in {**addresses, "console": watching.url}.items()
        }


def _labels(text: str) -> dict[str, set[str]]:
    """The labels of each name; a family without a sample has names and none."""
    found: dict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        for ending in endings.get(family.type, ("",)):
            found[family.name + ending] |= set()
        for sample in family.samples:
            found[sample.name] |= sample.labels.keys()
    return found


def _in_trouble() -> Exposed:
    """What a relay exposes of failures: a lifecycle that goes well has none."""
    registry = CollectorRegistry()
    RelayMetrics(registry).refused("ThrottlingException")
    return _labels(generate_latest(registry).decode())


def _chooses(selector: Selector, **labels: str) -> bool:
    for label, operator, value in selector.matchers:
        if label in labels:
            pattern = value if operator in {"=~", "!~"} else re.escape(value)
            matches = re.fullmatch(pattern, labels[label]) is not None
            if matches == operator.startswith("!"):
                return False
    return True


def missing(query: Query, scrape: Scrape) -> list[str]:
    """What an expression asks for that nobody exposes."""
    known, complaints = set(TARGET), []
    for selector in query.selectors:
        exposed = [each for each in chosen(scrape, selector) if selector.metric in each]
        if selector.metric in PROMETHEUS:
            labels = PROMETHEUS[selector.metric]
        elif exposed:
            labels = set[str]().union(*(each[selector.metric] for each in exposed))
            labels = labels or _in_trouble().get(selector.metric, set())
        else:
            complaints.append(f"nobody exposes {selector.metric}")
            continue
        complaints += [
            f"{selector.metric} has no {each}" for each in selector.labels - labels - TARGET
        ]
        known |= labels
    return [*complaints, *(f"nothing has {each}" for each in query.grouped - known)]


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_all_that_is_asked_for_is_exposed(scrape: Scrape, expression: str) -> None:
    """Every name by a process that the expression chooses, with every label it is asked for."""
    query = read(expression)
    assert query.selectors
    assert missing(query, scrape) == []


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("outbox_age_seconds", "nobody exposes outbox_age_seconds"),
        ('relay_events_published_total{job="apis"}', "nobody exposes relay_events_published_total"),
        ('sqs_queue_messages{color="red"}', "sqs_queue_messages has no color"),
        ("sum by (colour) (relay_stream_lag_seconds)", "nothing has colour"),
    ],
)
def test_what_nobody_exposes_would_be_found(
    scrape: Scrape, expression: str, complaint: str
) -> None:
    """A name, a process of the wrong kind, a label, a grouping."""
    assert missing(read(expression), scrape) == [complaint]


def test_every_process_exposes_its_memory_and_its_processor(scrape: Scrape) -> None:
    """The tap and the console too."""
    for name, exposed in scrape.items():
        assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= exposed.keys(), (
            name
        )


def test_every_kind_of_process_exposes_what_the_handbook_says(scrape: Scrape) -> None:
    """Of the metrics of our own; of a histogram its count."""
    kinds = {"APIs": "apis", "outbox relays": "relays"}
    for name, (whose, _) in documented().items():
        for process in scraped().get(kinds.get(whose, whose), ()):
            assert scrape[process].keys() & {name, f"{name}_count"}, (process, name)
