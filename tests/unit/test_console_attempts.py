"""An attempt is told whole: the request, the answer, and the command that does the same."""

import shlex
from typing import Any

import httpx
import pytest

from console.apis import Api
from console.requests.attempts import curl, send

URL = "http://127.0.0.1:8001"


def an_api(answer: httpx.Response | httpx.HTTPError) -> Api:
    """An API that has one answer, or none."""

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    client = httpx.Client(transport=httpx.MockTransport(handle))
    return Api("subscription-api", "subscriptions", "subscriptions", URL, client)


def test_what_was_typed_is_sent_as_it_is_and_the_answer_is_told() -> None:
    """Wrong values, too: the API's own refusal is what is to be seen."""
    api = an_api(httpx.Response(422, json={"detail": "quantity: a number"}))
    told = send(
        api, "POST", f"{URL}/subscriptions", {"quantity": "vïele"}, {"Idempotency-Key": "k"}
    )
    assert told["request"]["body"] == '{"quantity": "vïele"}'
    assert told["request"]["headers"]["idempotency-key"] == "k"
    assert told["response"]["status"] == 422
    assert "a number" in told["response"]["body"]
    assert told["error"] is None
    assert told["subscriptionId"] is None


def test_an_api_that_is_away_is_a_sentence() -> None:
    """No exception, and no made-up answer."""
    told = send(an_api(httpx.ConnectError("refused")), "POST", URL, {})
    assert told["response"] is None
    assert told["error"] == "subscription-api did not answer: nothing listens there"


@pytest.mark.parametrize(
    ("answer", "subscription_id"),
    [({"json": {"subscriptionId": "a"}}, "a"), ({"text": "<html>"}, None)],
    ids=["ours", "whatever else listens there"],
)
def test_the_subscription_is_named_where_there_is_one(
    answer: dict[str, Any], subscription_id: str | None
) -> None:
    """So that the page can follow it."""
    told = send(an_api(httpx.Response(201, **answer)), "POST", URL, {})
    assert told["subscriptionId"] == subscription_id


def test_the_command_survives_a_shell() -> None:
    """Quotes in a name end nothing."""
    request = httpx.Request(
        "POST",
        f"{URL}/subscriptions",
        json={"accountName": "O'Neil; $(reboot)"},
        headers={"Idempotency-Key": "a b"},
    )
    words = shlex.split(curl(request))
    assert words[:5] == ["curl", "-s", "-X", "POST", f"{URL}/subscriptions"]
    assert "Idempotency-Key: a b" in words
    assert words[-1] == request.content.decode()


def test_an_id_stays_one_part_of_the_path() -> None:
    """Whatever somebody types as an id."""
    api = an_api(httpx.Response(404))
    assert api.resource("../readyz?x") == f"{URL}/subscriptions/%2E%2E%2Freadyz%3Fx"
    for dots in (".", ".."):
        assert httpx.URL(api.resource(dots)).raw_path == b"/subscriptions/" + b"%2E" * len(dots)
