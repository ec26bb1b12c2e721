"""The floors' own client signs as botocore does, and is answered as boto3 is."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local_system.environment import SAMPLE_ENVIRONMENT
from verification.benchmarks.floors import lean
from verification.benchmarks.floors.lean import CallFailed, SignedClient
from verification.benchmarks.stubbed import running_stub

NOW = datetime(2026, 12, 1, 9, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SAMPLE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")


@pytest.mark.parametrize("service", ["dynamodb", "dynamodbstreams", "events", "sqs"])
@pytest.mark.parametrize("body", [b"{}", '{"Müller":"☃"}'.encode()])
def test_a_signature_is_botocores(
    monkeypatch: pytest.MonkeyPatch, service: str, body: bytes
) -> None:
    """For the same headers, at the same second."""
    at = NOW.timetuple()
    monkeypatch.setattr(lean, "time", SimpleNamespace(gmtime=lambda: at, strftime=time.strftime))
    client = SignedClient(service)
    ours = client._headers("Prefix.Action", body)
    unsigned = {name: ours[name] for name in ours if name != "Authorization"}
    request: Any = AWSRequest("POST", "http://127.0.0.1:4566/", unsigned, body)
    request.context["timestamp"] = ours["X-Amz-Date"]
    theirs: Any = SigV4Auth(
        Credentials("test", "test"), lean._PROTOCOLS[service][2], client._region
    )
    canonical = theirs.canonical_request(request)
    signature = theirs.signature(theirs.string_to_sign(request, canonical), request)
    assert ours["Authorization"].endswith(f"Signature={signature}")


def test_calls_have_boto3s_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And their times are numbers, as EventBridge reads them."""
    with running_stub(tmp_path_factory.mktemp("stub")) as stub:
        monkeypatch.setenv("AWS_ENDPOINT_URL", stub.process.url)
        entry = {"Source": "app", "DetailType": "Type", "Detail": "{}", "Time": NOW}
        answer = SignedClient("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0
        assert stub.state()["published"] == 1
        with pytest.raises(CallFailed, match="UnknownOperation"):
            SignedClient("events").list_rules()


def test_a_time_is_sent_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As AWS's JSON has it."""
    sent: list[bytes] = []
    client = SignedClient("events")

    def keep(body: bytes, _: object) -> tuple[int, bytes]:
        sent.append(body)
        return 200, b"{}"

    monkeypatch.setattr(client, "_sent", keep)
    client.put_events(Entries=[{"Time": NOW}])
    assert sent == [b'{"Entries":[{"Time":%d.0}]}' % NOW.timestamp()]
