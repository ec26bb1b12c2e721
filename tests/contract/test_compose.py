"""compose.yaml runs what the table of workloads says, each process as contained as the next."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.settings import ConsoleSettings
from infra.local_system.auth import AUDIENCE, JWKS_PATH, secret_file
from infra.local_system.settings import port_field
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local import emulator
from local.issuer.settings import IssuerSettings
from runtime.http import hosts
from runtime.http.hosts import hosts_in
from runtime.settings import load

FILE = Path(__file__).parents[2] / "compose.yaml"

COMPOSED: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]

APIS = [workload for workload in WORKLOADS if workload.path]

ENGINES = {"ministack", "mongod"}
LOCAL = {"provision", "tap", "console", "issuer"}
TOOLS = {"streamed"}
OBSERVABILITY = {"otel-collector", "jaeger", "prometheus", "grafana"}
ENDS = {"provision", *TOOLS}
"""What ends by itself."""


def test_every_workload_is_a_service() -> None:
    """Beside them are the engines, what provisions them, the tap, the console and the tools.

    And what to look with.
    """
    workloads = {workload.name for workload in WORKLOADS}
    assert SERVICES.keys() == workloads | ENGINES | LOCAL | TOOLS | OBSERVABILITY


def test_tools_start_only_when_asked_for() -> None:
    """`docker compose up` leaves them alone, and what to look with has a profile of its own."""
    profiles = {name: service.get("profiles") for name, service in SERVICES.items()}
    assert {name for name, them in profiles.items() if them == ["tools"]} == TOOLS
    assert {name for name, them in profiles.items() if them == ["observability"]} == OBSERVABILITY
    assert {name for name, them in profiles.items() if them} == TOOLS | OBSERVABILITY


def test_traces_are_off_unless_the_person_says_where_to() -> None:
    """All of our processes take the variable over, and two of one command have two names."""
    traced = {
        name: service["environment"].get("OTEL_SERVICE_NAME", service["command"])
        for name, service in SERVICES.items()
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in service.get("environment", {})
    }
    assert traced.keys() == {workload.name for workload in WORKLOADS} | {"tap"}
    assert len({str(name) for name in traced.values()}) == len(traced)
    for name in traced:
        environment = SERVICES[name]["environment"]
        assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "${OTEL_EXPORTER_OTLP_ENDPOINT:-}"


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_a_service_is_its_workload(workload: Workload) -> None:
    """The same command and settings as on a laptop and on AWS."""
    service = SERVICES[workload.name]

    assert service["command"] == list(workload.command)
    given = {name: interpolated(value, auth="") for name, value in service["environment"].items()}
    assert given.items() >= workload.settings.items()
    assert ("AWS_ENDPOINT_URL" in service["environment"]) == workload.uses_aws
    assert ("MONGODB_URI" in service["environment"]) == workload.uses_documents
    assert service["init"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_and_take_little(name: str) -> None:
    """No root to write to, no capability that it does not need, a share of memory, a restart."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["restart"] == ("no" if name in ENDS else "unless-stopped")
    # Only mongo's own image starts as root, to hand its data over.
    assert bool(service.get("cap_add")) == (name == "mongod")


def test_only_what_a_person_looks_at_is_published_and_only_to_this_machine() -> None:
    """Whoever reaches an engine may do everything."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        **{
            api.name: [f"127.0.0.1:${{{port_field(api.name).upper()}:-{api.port}}}:8000"]
            for api in APIS
        },
        "console": ["127.0.0.1:${CONSOLE_PORT:-8000}:8000"],
        "issuer": ["127.0.0.1:${ISSUER_PORT:-8009}:8000"],
        "otel-collector": ["127.0.0.1:${OTLP_PORT:-4318}:4318"],
        "jaeger": ["127.0.0.1:${JAEGER_PORT:-16686}:16686"],
        "prometheus": ["127.0.0.1:${PROMETHEUS_PORT:-9090}:9090"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
    }


def interpolated(value: str, *, auth: str) -> str:
    """A value as Compose hands it on: ${AUTH:+…} is what follows where AUTH is set, else empty.

    EVENT_VERSION is not set.
    """
    value = value.replace("${EVENT_VERSION:-2}", "2")
    return re.sub(r"\$\{AUTH:\+([^}]*)\}", r"\1" if auth else "", value)


@pytest.mark.parametrize("auth", ["", "1"])
def test_the_console_starts_with_its_environment(
    monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    """It knows every API, listens beyond loopback for loopback's names alone, breaks nothing."""
    environment = SERVICES["console"]["environment"]
    for name in environment:
        monkeypatch.setenv(name, interpolated(environment[name], auth=auth))
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    urls = {f"{api.name.replace('-', '_').upper()}_URL": f"http://{api.name}:8000" for api in APIS}
    assert environment.items() >= urls.items()

    settings = load(ConsoleSettings)

    assert {name.lower() for name in environment} - {*ConsoleSettings.model_fields} == {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_ec2_metadata_disabled",
    }
    assert settings.allowed_hosts == {"localhost", "127.0.0.1", "console:8000"}
    assert settings.console_breaking_socket is None
    assert bool(settings.auth_token_url and settings.try_secret) == bool(auth)


def test_tokens_are_required_by_one_switch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AUTH=1 starts the issuer and has every API require its tokens; without it there is none."""
    issuer = SERVICES["issuer"]
    assert issuer["scale"] == "${AUTH:-0}"
    assert issuer["command"] == ["local.issuer"]
    for name in issuer["environment"]:
        monkeypatch.setenv(name, issuer["environment"][name])
    monkeypatch.setenv("LOG_LEVEL", "INFO")
    settings = load(IssuerSettings)
    folder = settings.issuer_folder
    console = SERVICES["console"]["environment"]
    for variable, client in (("AUTH", "console"), ("CONSOLE_TRY", "console-try")):
        given = interpolated(console[f"{variable}_CLIENT_SECRET_FILE"], auth="1")
        assert Path(given) == secret_file(folder, client)
    assert issuer["volumes"] == SERVICES["console"]["volumes"]
    for api in APIS:
        environment = SERVICES[api.name]["environment"]
        assert interpolated(environment["AUTH"], auth="") == ""
        assert interpolated(environment["AUTH"], auth="1") == "required"
        assert environment["AUTH_ISSUER"] == settings.issuer_url
        assert environment["AUTH_JWKS_URL"] == settings.issuer_url + JWKS_PATH
        assert environment["AUTH_AUDIENCE"] == AUDIENCE


def test_an_api_answers_to_the_name_by_which_containers_ask() -> None:
    """And as on this machine to loopback's, as which it is published and probed."""
    for api in APIS:
        environment = SERVICES[api.name]["environment"]
        assert environment["HTTP_HOST"] == "0.0.0.0"
        assert api.name in hosts_in(environment["HTTP_ALLOWED_HOSTS"])


def test_the_emulator_is_behind_its_guard() -> None:
    """A browser on this machine may reach a container's address, published or not."""
    service, guard = SERVICES["ministack"], "/opt/guard"
    assert service["entrypoint"] == ["python3", "-m", emulator.__name__]
    assert service["environment"]["PYTHONPATH"] == guard
    assert service["environment"][emulator.ALLOWED_HOSTS_VARIABLE] == "ministack"
    for file in (emulator.__file__, hosts.__file__):
        mounted = Path(file).relative_to(FILE.parent)
        assert f"./{mounted}:{guard}/{mounted}:ro" in service["volumes"]


def test_the_guard_needs_no_library_beside_the_emulators_own() -> None:
    """MiniStack's image has its libraries alone."""
    imports = f"import sys; import {emulator.__name__}; print(*sys.modules)"
    command = [sys.executable, "-c", imports]
    loaded = subprocess.run(command, cwd=FILE.parent, check=True, capture_output=True, text=True)
    tops = {each.partition(".")[0] for each in loaded.stdout.split()}
    assert not tops & {"starlette", "pydantic", "fastapi", "uvicorn", "structlog"}


def test_the_console_and_the_commands_share_one_audit_file() -> None:
    """What either did with a dead letter is in the same trail."""
    console, streamed = SERVICES["console"], SERVICES["streamed"]
    assert console["volumes"] == streamed["volumes"][:1]
    assert (
        console["environment"]["STREAMED_AUDIT_FILE"]
        == streamed["environment"]["STREAMED_AUDIT_FILE"]
    )


def test_only_what_signs_or_verifies_a_webhook_has_its_secret() -> None:
    """`provision` makes it, the payment API and the commands read it; the console has no part."""
    volumes = {
        name: [volume for volume in service.get("volumes", []) if volume.startswith("webhook:")]
        for name, service in SERVICES.items()
    }
    assert {name: them for name, them in volumes.items() if them} == {
        "provision": ["webhook:/var/lib/webhook"],
        "payment-api": ["webhook:/var/lib/webhook:ro"],
        "streamed": ["webhook:/var/lib/webhook:ro"],
    }
    with_file = {
        name
        for name, each in SERVICES.items()
        if "WEBHOOK_SECRETS_FILE" in each.get("environment", {})
    }
    assert with_file == {"provision", "payment-api", "streamed"}


def test_every_container_that_stays_says_how_it_is() -> None:
    """So that `docker compose up --wait` ends when the whole system is at work.

    Two images that we do not make have nothing in them to ask with.
    """
    silent = ENDS | {"otel-collector", "jaeger"}
    for name, service in SERVICES.items():
        assert service["healthcheck"].get("disable", False) == (name in silent), name
