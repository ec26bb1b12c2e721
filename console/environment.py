"""The system as the console reaches it: AWS, and the three REST APIs. No database."""

from pathlib import Path

from console.settings import ConsoleSettings
from infra.topology import TOPOLOGY
from operations.environment import AUDIT_FILE, Environment


def environment_of(settings: ConsoleSettings) -> Environment:
    return Environment(
        region=settings.aws_region,
        endpoint_url=settings.aws_endpoint_url,
        audit_file=settings.streamed_audit_file or Path(AUDIT_FILE),
        hold_seconds=settings.streamed_hold_seconds,
        profiles={domain.name: settings.profile(domain.name) for domain in TOPOLOGY.domains},
    )
