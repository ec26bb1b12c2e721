"""Prepares both engines for our processes: `python -m local.provision`.

Running it again changes nothing, and brings what drifted up to date. It is for engines that stand
for AWS and DocumentDB, here or in containers; for AWS itself there is CloudFormation.
"""

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pymongo.errors import PyMongoError

from infra.changes import CannotChangeError, Report
from infra.documentdb import provision_at
from infra.local import EmulatorSettings, provision, refuse_aws
from infra.local_system.bank import make_secret
from infra.local_system.environment import REGION
from local.probes import EMULATORS, ask, emulator_at
from local.replica_set import ensure_replica_set
from runtime.aws import Aws
from runtime.process.command import run_command
from runtime.settings import MongoSettings, load

ENGINES_ANSWER_WITHIN = 60.0
"""Seconds that an engine has to answer; containers that start together take some."""

KNOWN_WITHIN = 3.0
"""Seconds in which an emulator that answers has to say of what kind it is; it may yet start."""

CALL_WITHIN = 60.0
"""Seconds for one call to the emulator: 5 are a process's, and a start on a busy machine has more.
"""

CANNOT_PROVISION = (CannotChangeError, ClientError, BotoCoreError, PyMongoError, OSError)
"""Why an engine may not be prepared: each carries a sentence for the person at the terminal."""


class ProvisionSettings(EmulatorSettings, MongoSettings):
    """In `webhook_secrets_file` a secret of the bank's is made, if it is not there."""

    webhook_secrets_file: Path | None = None


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = load(ProvisionSettings)
    started = time.monotonic()
    if settings.webhook_secrets_file is not None:
        make_secret(settings.webhook_secrets_file)
    _say(
        "DocumentDB",
        provision_documentdb(
            settings.mongodb_uri, settings.mongodb_database, settings.mongodb_credentials
        ),
    )
    _say("AWS", provision_aws(settings.aws_endpoint_url, region=settings.aws_region))
    if warning := about_unknown_emulator(settings.aws_endpoint_url):
        print(warning)
    print(f"provisioned in {time.monotonic() - started:.1f} s")
    return 0


def provision_aws(
    endpoint: str, *, region: str = REGION, answers_within: float = ENGINES_ANSWER_WITHIN
) -> Report:
    """Make an emulator what the topology says, as soon as it answers.

    Raises Misconfigured for an endpoint of AWS, else what CANNOT_PROVISION lists.
    """
    refuse_aws(endpoint)
    _wait_until_answering(endpoint.rstrip("/"), answers_within)
    aws = Aws(region=region, endpoint_url=endpoint, read_timeout=CALL_WITHIN)
    aws.require_credentials()
    return provision(aws)


def provision_documentdb(
    uri: str,
    database: str,
    credentials: Mapping[str, Any] | None = None,
    *,
    answers_within: float = ENGINES_ANSWER_WITHIN,
) -> Report:
    """Make a mongod the primary of its replica set, and in it what the topology says.

    Raises Misconfigured for a URI that names no set, else what CANNOT_PROVISION lists.
    """
    ensure_replica_set(uri, timeout=answers_within)
    return provision_at(uri, database, credentials or {})


def about_unknown_emulator(endpoint: str) -> str | None:
    """The warning about an emulator of a kind that we do not know; None for one that we do."""
    if emulator_at(endpoint):
        return None
    return (
        f"warning: the emulator at {endpoint} is neither {' nor '.join(EMULATORS)}: what it fakes"
        f" of AWS is not known here. `make conformance AWS={endpoint}` says which facts fail"
    )


def _wait_until_answering(endpoint: str, within: float) -> None:
    """Wait for an emulator that we know, or for what answers otherwise, again and again."""
    deadline, since = time.monotonic() + within, None
    while not emulator_at(endpoint):
        now = time.monotonic()
        since = (since or now) if ask(f"{endpoint}/") else None
        if since and now - since > KNOWN_WITHIN:
            return
        if not since and now > deadline:
            raise TimeoutError(f"{endpoint}/ did not answer within {within:g} s")
        time.sleep(0.1)


def _say(engine: str, report: Report) -> None:
    for change in report.changes:
        print(change)
    print(f"{engine}: {report}")


if __name__ == "__main__":
    run_command(main, failures=CANNOT_PROVISION)
