"""Who is woken by what on AWS, and what the dashboard shows."""

import json

import pytest

from infra.documentdb_quotas import QUOTAS
from infra.topology import TOPOLOGY, WORKLOADS
from tests.synthesis import Synthesize
from tests.templates import ACCOUNT

TOPIC = "AWS::SNS::Topic"
DOMAINS = {domain.name: domain for domain in TOPOLOGY.domains}


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_everything_that_may_go_wrong_has_an_alarm(
    synthesized: Synthesize, domain: str, stage: str
) -> None:
    """Dead letters, old messages, old rows, failing functions and APIs, and what is not there.

    In a protected stage also what AWS refused, and what a bus could not deliver.
    """
    stack = synthesized(stage).stacks[f"streamed-events-{stage}-{domain}"]
    names = {alarm.properties["AlarmName"] for alarm in stack.resources("AWS::CloudWatch::Alarm")}

    wanted = {f"{domain}-5xx"}
    for queue in DOMAINS[domain].queues:
        what = "too-old" if queue.redrive else "not-empty"
        wanted.add(f"{queue.name.replace('.', '-')}-{what}")
    for workload in WORKLOADS:
        if workload.domain == domain:
            wanted |= {f"{workload.name}-oldest-row"} if workload.relays_outbox else set()
            sweep = workload.name.replace("-relay", "-sweep")
            wanted |= (
                {
                    f"{workload.name}-errors",
                    f"{workload.name}-behind",
                    f"{sweep}-errors",
                    f"{sweep}-gone",
                }
                if workload.empties
                else {f"{workload.name}-gone"}
            )
    if stage == "prod":
        bus = f"{domain}-event-bus"
        wanted |= {f"{bus}-failed-invocations", f"{bus}-dlq-unreachable"}
        if DOMAINS[domain].tables:
            wanted |= {f"{domain}-throttled", f"{domain}-relay-throttled"}
        if DOMAINS[domain].collections:
            kinds = ("transactions-quota", "cursors-quota", "connections-quota")
            wanted |= {f"documentdb-{each}" for each in (*kinds, "processor", "memory")}
    assert names == {f"streamed-events-{stage}-{name}" for name in wanted}


def test_an_alarm_has_at_most_as_many_metrics_as_cloudwatch_takes(synthesized: Synthesize) -> None:
    """Ten in an expression; a query of every rule of a bus has no such bound, and stands alone."""
    for alarm in synthesized("prod").resources("AWS::CloudWatch::Alarm"):
        metrics = alarm.properties.get("Metrics", [])
        assert sum("MetricStat" in each for each in metrics) <= 10
        if any(each.get("Expression", "").startswith("SELECT") for each in metrics):
            assert len(metrics) == 1


@pytest.mark.parametrize("domain", [name for name in DOMAINS if DOMAINS[name].tables])
def test_throttles_are_those_of_every_table_and_index(synthesized: Synthesize, domain: str) -> None:
    """One alarm for a domain's tables: reads and writes, of each table and each index."""
    (alarm,) = (
        each.properties
        for each in synthesized("prod").resources("AWS::CloudWatch::Alarm")
        if each.properties["AlarmName"] == f"streamed-events-prod-{domain}-throttled"
    )
    watched = {
        (stat["Metric"]["MetricName"], *(each["Value"] for each in stat["Metric"]["Dimensions"]))
        for stat in (each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each)
    }
    assert watched == {
        (f"{kind}ThrottleEvents", *names)
        for kind in ("Read", "Write")
        for table in DOMAINS[domain].tables
        for names in ((table.name,), *((index.name, table.name) for index in table.indexes))
    }


def test_a_protected_stages_documentdb_is_watched(synthesized: Synthesize) -> None:
    """Of the primary, whichever instance that is; not in a stage without data to protect."""
    cluster, quotas = "streamed-events-prod-payments", QUOTAS["db.t4g.medium"]
    found = {}
    for alarm in synthesized("prod").resources("AWS::CloudWatch::Alarm"):
        # Where a stack has an account of its own, CDK writes every metric as one of several.
        metric = alarm.properties.get("Metrics", [{}])[0].get("MetricStat", {}).get("Metric", {})
        if metric.get("Namespace") == "AWS/DocDB":
            dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            found[metric["MetricName"]] = (alarm.properties["Threshold"], dimensions)
    primary = {"DBClusterIdentifier": cluster, "Role": "WRITER"}
    assert found == {
        "TransactionsOpenMax": (0.8 * quotas.transactions, primary),
        "DatabaseCursorsMax": (0.8 * quotas.cursors, primary),
        "DatabaseConnections": (0.8 * quotas.connections, primary),
        "CPUUtilization": (80, primary),
        "LowMemNumOperationsThrottled": (1, primary),
    }


def test_all_alarms_go_to_the_one_topic_and_say_what_is_wrong(synthesized: Synthesize) -> None:
    """Their end is told, too."""
    stacks = synthesized("dev").stacks
    targets = set()
    for stack in stacks.values():
        for resource in stack.template["Resources"].values():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                alarm = resource["Properties"]
                assert alarm["AlarmActions"] == alarm["OKActions"]
                assert len(alarm["AlarmDescription"]) > 20
                targets.add(json.dumps(alarm["AlarmActions"]))
    assert len(targets) == 1
    assert "streamed-events-dev-shared" in targets.pop()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_our_alarms_and_nobody_else_may_publish_to_their_topic(
    synthesized: Synthesize, stage: str
) -> None:
    """The topic's policy and its key's both let CloudWatch in, for alarms of this stage alone."""
    for stack in synthesized(stage).stacks.values():
        for policy in stack.resources("AWS::SNS::TopicPolicy"):
            (key,) = stack.resources("AWS::KMS::Key")
            allowed = [
                statement
                for document in (policy.properties["PolicyDocument"], key.properties["KeyPolicy"])
                for statement in document["Statement"]
                if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
            ]
            account = stack.account or ACCOUNT
            arn = f"arn:aws:cloudwatch:eu-west-1:{account}:alarm:streamed-events-{stage}-*"
            assert [statement["Action"] for statement in allowed] == [
                "sns:Publish",
                ["kms:Decrypt", "kms:GenerateDataKey"],
            ]
            for statement in allowed:
                assert statement["Condition"] == {
                    "ArnLike": {"aws:SourceArn": arn},
                    "StringEquals": {"aws:SourceAccount": account},
                }
    topics = list(synthesized(stage).resources(TOPIC))
    assert len(topics) == len({stack.account for stack in synthesized(stage).stacks.values()})


def test_silence_is_an_alarm_where_something_should_always_be_heard(
    synthesized: Synthesize,
) -> None:
    """A service without tasks, or a sweep that no longer runs, sends no measurement at all."""
    for alarm in synthesized("dev").resources("AWS::CloudWatch::Alarm"):
        gone = alarm.properties["AlarmName"].endswith("-gone")
        expected = "breaching" if gone else "notBreaching"
        assert alarm.properties["TreatMissingData"] == expected


def test_the_age_of_the_oldest_row_is_read_from_what_sweeps_and_looks_log(
    synthesized: Synthesize,
) -> None:
    """Its field is that of the lines of sweeper and gauges in relay/, whose tests hold it."""
    for domain in DOMAINS:
        stack = synthesized("dev").stacks[f"streamed-events-dev-{domain}"]
        (found,) = stack.resources("AWS::Logs::MetricFilter")
        (metric,) = found.properties["MetricTransformations"]
        assert found.properties["FilterPattern"] == "{ $.oldestAgeSeconds >= 0 }"
        assert metric["MetricValue"] == "$.oldestAgeSeconds"
        (alarm,) = [
            each.properties
            for each in stack.resources("AWS::CloudWatch::Alarm")
            if each.properties["AlarmName"].endswith("-oldest-row")
        ]
        watched = alarm["Metrics"][0]["MetricStat"]["Metric"]
        assert watched == {
            "Namespace": metric["MetricNamespace"],
            "MetricName": metric["MetricName"],
        }


def test_the_dashboard_has_every_domain_and_every_queue(synthesized: Synthesize) -> None:
    """One page, six steps for each domain, none off the grid."""
    (dashboard,) = (
        synthesized("dev")
        .stacks["streamed-events-dev-overview"]
        .resources("AWS::CloudWatch::Dashboard")
    )
    widgets = json.loads(dashboard.properties["DashboardBody"])["widgets"]

    graphs = [widget for widget in widgets if widget["type"] == "metric"]
    assert len(graphs) == 6 * len(DOMAINS)
    assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
    text = dashboard.properties["DashboardBody"]
    for queue in TOPOLOGY.queues:
        assert f'"{queue.name}"' in text
    for rule in TOPOLOGY.rules:
        assert f'"{rule.name}"' in text
