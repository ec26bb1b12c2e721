"""Renders the topology to an AWS emulator: `python -m infra.local`.

Running it again changes nothing; what drifted, or what the topology now says differently, is
brought up to date. It is not for AWS itself: that is CloudFormation's part.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from infra.arns import Arns
from infra.changes import CannotChangeError, Report
from infra.local_buses import account_of, render_archives, render_buses
from infra.local_keys import render_keys
from infra.local_logs import render_log_groups
from infra.local_queues import render_queues
from infra.local_rules import render_rules
from infra.local_tables import render_tables
from infra.taps import with_taps
from infra.topology import TOPOLOGY, Topology
from runtime.aws import Aws
from runtime.errors import Misconfigured
from runtime.process.command import run_command
from runtime.settings import Address, AwsSettings, load


class EmulatorSettings(AwsSettings):
    """The endpoint is optional elsewhere; without one, these calls would go to AWS."""

    aws_endpoint_url: Address


def provision(aws: Aws, topology: Topology = TOPOLOGY) -> Report:
    """Make the emulator what `topology` says, taps included, with all domains in one account.

    Raises Misconfigured for AWS itself, CannotChangeError, and botocore's errors as they come.
    """
    events, sqs = aws.client("events"), aws.client("sqs")
    logs, dynamodb, kms = aws.client("logs"), aws.client("dynamodb"), aws.client("kms")
    for client in (events, sqs, logs, dynamodb, kms):
        refuse_aws(client.meta.endpoint_url)
    rendered = with_taps(topology)
    arns = Arns.in_one_account(rendered, account_of(events), events.meta.region_name)

    with ThreadPoolExecutor(1) as beside:
        tables = beside.submit(render_tables, dynamodb, rendered)
        changes = [
            *render_queues(sqs, rendered, arns),
            *render_log_groups(logs, rendered, arns),
            *render_buses(events, rendered, arns),
            *render_archives(events, rendered, arns),
            *render_keys(kms, rendered),
            *render_rules(events, rendered, arns),  # last: what they deliver to is there
            *tables.result(),
        ]
    return Report(tuple(changes))


def main() -> int:
    """Run as a process: prints each change and a summary."""
    aws, started = Aws.of(load(EmulatorSettings)), time.monotonic()
    report = provision(aws)
    summary = f"{report} in {time.monotonic() - started:.2f} s"
    sys.stdout.writelines(f"{line}\n" for line in (*report.changes, summary))
    return 0


def refuse_aws(endpoint: str, setting: str = "AWS_ENDPOINT_URL") -> None:
    """Raises Misconfigured for an endpoint of AWS itself, with the setting that names it."""
    host = urlsplit(endpoint).hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        raise Misconfigured(
            f"{endpoint} is AWS itself: set {setting} to an emulator, such as"
            " http://127.0.0.1:4566 (AWS is deployed to with CDK)"
        )


if __name__ == "__main__":
    run_command(main, failures=(CannotChangeError, ClientError, BotoCoreError))
