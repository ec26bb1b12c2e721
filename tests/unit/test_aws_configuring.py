"""What is wrong with a machine's AWS configuration is one sentence at start, with what to do."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    LoginRefreshRequired,
    NoCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from runtime.aws import Aws, configuring
from runtime.errors import Misconfigured, Unavailable

CONFIG = """
[profile session]
sso_session = work
sso_account_id = 111111111111
sso_role_name = reader
[sso-session work]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile legacy]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111111111111
sso_role_name = reader
[profile fails]
credential_process = /bin/false
[profile nowhere]
credential_process = /nowhere/tool
[profile chatty]
credential_process = echo hello
[profile loop]
role_arn = arn:aws:iam::111111111111:role/reader
source_profile = gone
[profile half]
aws_access_key_id = sample
[profile token]
role_arn = arn:aws:iam::111111111111:role/reader
web_identity_token_file = /nowhere/token
[profile empty]
region = eu-west-1
[profile good]
aws_access_key_id = sample
aws_secret_access_key = sample
"""

KEYS = {"AWS_ACCESS_KEY_ID": "sample", "AWS_SECRET_ACCESS_KEY": "sample"}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A home with profiles and nothing else of AWS."""
    config = tmp_path / "config"
    config.write_text(CONFIG)
    (tmp_path / "malformed").write_text("[profile broken\nregion")
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def start(*, region: str = "eu-west-1", endpoint: str | None = None) -> None:
    """What every process does with its settings."""
    aws = Aws(region=region, endpoint_url=endpoint)
    aws.require_credentials()
    aws.client("sqs")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"AWS_PROFILE": "gone"}, r"\(gone\) could not be found: set AWS_PROFILE to one that"),
        ({"AWS_PROFILE": "session"}, r": run `aws sso login --profile session`$"),
        ({"AWS_PROFILE": "legacy"}, r": run `aws sso login --profile legacy`$"),
        ({"AWS_PROFILE": "fails"}, r"custom-process.*\(profile fails\)$"),
        ({"AWS_PROFILE": "nowhere"}, r"'/nowhere/tool' \(profile nowhere\)$"),
        ({"AWS_PROFILE": "chatty"}, r"\(profile chatty\)$"),
        ({"AWS_PROFILE": "loop"}, r'source_profile "gone".*does not exist'),
        ({"AWS_PROFILE": "half"}, r"missing: aws_secret_access_key"),
        ({"AWS_PROFILE": "token"}, r"'/nowhere/token' \(profile token\)$"),
        ({}, r"set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give"),
        ({"AWS_PROFILE": "empty"}, r": profile empty gives none$"),
        ({"AWS_ACCESS_KEY_ID": "sample"}, r"missing: AWS_SECRET_ACCESS_KEY"),
        ({**KEYS, "AWS_CONFIG_FILE": "malformed"}, r"Unable to parse config file: .*malformed"),
        ({**KEYS, "AWS_SHARED_CREDENTIALS_FILE": "malformed"}, r"Unable to parse config file"),
        ({**KEYS, "AWS_METADATA_SERVICE_TIMEOUT": "soon"}, r"'soon'"),
        ({**KEYS, "AWS_DEFAULTS_MODE": "zebra"}, r"zebra"),
    ],
)
def test_a_configuration_that_cannot_work_is_one_sentence(
    shell: pytest.MonkeyPatch, tmp_path: Path, environment: Mapping[str, str], sentence: str
) -> None:
    """Whatever botocore raises for it, and wherever: a session, a client, the first credentials."""
    shell.chdir(tmp_path)
    for name, value in environment.items():
        shell.setenv(name, value)
    with pytest.raises(Misconfigured, match=sentence) as refusal:
        start()
    assert str(refusal.value).startswith("AWS is not configured: ")
    assert "\n" not in str(refusal.value)


def test_a_region_or_an_address_that_cannot_be_is_named(shell: pytest.MonkeyPatch) -> None:
    """By the variable that says it."""
    shell.setenv("AWS_PROFILE", "good")
    with pytest.raises(Misconfigured, match="AWS_REGION: "):
        start(region="-x-")
    with pytest.raises(Misconfigured, match="AWS_ENDPOINT_URL: "):
        start(endpoint="http://under_score.example:99999")


def test_a_domains_own_profile_is_named(shell: pytest.MonkeyPatch) -> None:
    """It is not AWS_PROFILE that says it."""
    with pytest.raises(Misconfigured, match=r"\(stock\) could not be found: set the domain's"):
        Aws(region="eu-west-1", profile="stock")


def test_a_good_configuration_is_no_problem(shell: pytest.MonkeyPatch) -> None:
    """Nothing is called: there is no AWS here."""
    shell.setenv("AWS_PROFILE", "good")
    start()


def caused_by(error: Exception) -> CredentialRetrievalError:
    """What runtime.credentials makes of whatever else a source of credentials raises."""
    made = CredentialRetrievalError(provider="source", error_msg=str(error))
    made.__cause__ = error
    return made


def refused(code: str) -> CredentialRetrievalError:
    return caused_by(ClientError({"Error": {"Code": code, "Message": ""}}, "AssumeRole"))


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="container-role", error_msg="no answer"),
        EndpointConnectionError(endpoint_url="https://sts.example"),
        refused("Throttling"),
    ],
)
def test_what_gives_credentials_may_be_away(error: Exception) -> None:
    """Then it is no configuration, and a process that starts waits."""
    with pytest.raises(Unavailable, match="what gives AWS credentials"), configuring():
        raise error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnauthorizedSSOTokenError(), "aws sso login --profile work"),
        (
            TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
            "aws sso login --profile work",
        ),
        (LoginRefreshRequired(), "aws login --profile work"),
        (NoCredentialsError(), "profile work gives none"),
        (caused_by(EOFError()), "profile work asks for an MFA code"),
        (refused("ValidationError"), "ValidationError"),
    ],
)
def test_what_a_person_has_to_do_is_named(error: Exception, sentence: str) -> None:
    """As a session that ended a moment ago: the same error, another class."""
    with pytest.raises(Misconfigured, match=sentence), configuring("work"):
        raise error
