"""Where everything is that runs on one machine: ports, URLs, files."""

from pathlib import Path

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings, port_field
from infra.topology import WORKLOADS

DATABASE = "payments"

REPLICA_SET = "rs0"


def aws_endpoint(settings: LocalSettings) -> str:
    named = settings.emulator_url
    return named.rstrip("/") if named else f"http://{LOOPBACK}:{settings.aws_port}"


def mongodb_uri(port: int) -> str:
    """The URI for drivers; retryWrites is off because DocumentDB does not have it."""
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}&retryWrites=false"


def console_address(settings: LocalSettings) -> str:
    return f"http://{LOOPBACK}:{settings.console_port}"


def addresses(settings: LocalSettings) -> dict[str, str]:
    """Where each API answers, by its service: subscription, stock, payment."""
    apis = [workload.name for workload in WORKLOADS if workload.path]
    return {
        name.removesuffix("-api"): f"http://{LOOPBACK}:{port_of(name, settings)}" for name in apis
    }


def port_of(name: str, settings: LocalSettings) -> int:
    port: int = getattr(settings, port_field(name))
    return port


def audit_file(settings: LocalSettings) -> Path:
    """Where each dead letter that is redriven or dropped gets its line, by `streamed` as well."""
    return settings.streamed_audit_file or settings.state_dir / "operations.jsonl"


def breaking_socket(settings: LocalSettings) -> Path:
    """Where `make up BREAK=1` listens to the console."""
    return settings.state_dir / "breaking" / "socket"
