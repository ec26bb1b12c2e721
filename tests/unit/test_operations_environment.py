"""Where an operator's commands look: what `make up` serves, or an account of AWS."""

from pathlib import Path

import pytest

from infra.local_system.settings import LocalSettings
from infra.topology import WORKLOADS
from operations.databases import DatabaseEnvironment
from operations.errors import NoSuchName
from runtime.errors import Misconfigured

AWS = {
    "AWS_REGION": "eu-west-1",
    "MONGODB_URI": "mongodb://db.example:27017/?replicaSet=rs0",
    "MONGODB_DATABASE": "payments",
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing of the operator's own settings."""
    for name in ("STREAMED_AT", "STREAMED_AUDIT_FILE", "AWS_ENDPOINT_URL", *AWS):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_local_is_what_make_up_serves(variables: pytest.MonkeyPatch) -> None:
    """The same ports, from the same variables; sample credentials, the metrics of every process."""
    variables.setenv("AWS_PORT", "4999")
    variables.setenv("STOCK_RELAY_PORT", "4998")

    environment = DatabaseEnvironment.at(None)

    assert environment.endpoint_url == "http://127.0.0.1:4999"
    assert environment.emulated
    assert environment.metrics["stock-relay"] == "http://127.0.0.1:4998/metrics"
    assert environment.metrics.keys() == {workload.name for workload in WORKLOADS}
    assert environment.mongodb_uri is not None
    assert f":{LocalSettings().mongodb_port}/" in environment.mongodb_uri
    assert environment.aws("stock") is environment.aws("payments")


def test_aws_is_what_the_environment_names(variables: pytest.MonkeyPatch) -> None:
    """As for every process of ours; the audit file is beside the operator, not in the clone."""
    for name, value in AWS.items():
        variables.setenv(name, value)
    variables.setenv("STREAMED_AT", "aws")
    variables.setenv("STREAMED_METRICS_URL", "http://{process}:8000/metrics")

    environment = DatabaseEnvironment.at(None)

    assert not environment.emulated
    assert environment.audit_file == Path("streamed-operations.jsonl")
    assert environment.metrics["stock-relay"] == "http://stock-relay:8000/metrics"


def test_a_domain_with_an_account_of_its_own_has_a_profile(
    variables: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The others keep the environment's credentials."""
    config = tmp_path / "config"
    config.write_text(
        "[profile stock-account]\naws_access_key_id = sample\naws_secret_access_key = sample\n"
    )
    for name, value in {
        **AWS,
        "STOCK_PROFILE": "stock-account",
        "AWS_CONFIG_FILE": str(config),
    }.items():
        variables.setenv(name, value)

    environment = DatabaseEnvironment.at("aws")

    assert environment.aws("stock") is not environment.aws("payments")
    assert environment.aws("subscriptions") is environment.aws("payments")


def test_a_domain_that_is_not_there_is_one_sentence(variables: pytest.MonkeyPatch) -> None:
    """With the name that was meant."""
    with pytest.raises(NoSuchName, match="no domain 'stok': did you mean stock"):
        DatabaseEnvironment.at("local").aws("stok")


def test_every_missing_setting_is_named(variables: pytest.MonkeyPatch) -> None:
    """At once, before anything is called."""
    with pytest.raises(Misconfigured) as error:
        DatabaseEnvironment.at("aws")

    assert all(name in str(error.value) for name in AWS)
