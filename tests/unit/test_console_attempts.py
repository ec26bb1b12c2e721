"""An attempt is told whole: the request, the answer, and the command that does the same."""

import shlex

import httpx

from console.apis import Api
from console.requests.attempts import curl, send


def an_api(handle: httpx.MockTransport) -> Api:
    client = httpx.Client(transport=handle)
    return Api("subscription", "subscription-api", "subscriptions", "subscriptions", URL, client)


URL = "http://127.0.0.1:8001"


def test_what_was_typed_is_sent_as_it_is_and_the_answer_is_told() -> None:
    """Wrong values, too: the API's own refusal is what is to be seen."""

    def refuse(request: httpx.Request) -> httpx.Response:
        assert request.content == '{"quantity": "vïele"}'.encode()
        return httpx.Response(422, json={"detail": "quantity: a number"})

    api = an_api(httpx.MockTransport(refuse))
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

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    told = send(an_api(httpx.MockTransport(nobody)), "POST", URL, {})
    assert told["response"] is None
    assert told["error"] == "subscription-api did not answer: nothing listens there"


def test_the_subscription_is_named_where_there_is_one() -> None:
    """So that the page can follow it."""

    def create(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json={"subscriptionId": "a"})

    told = send(an_api(httpx.MockTransport(create)), "POST", URL, {})
    assert told["subscriptionId"] == "a"


def test_an_answer_that_is_no_json_names_none() -> None:
    """Whatever else listens there."""

    def page(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>")

    assert send(an_api(httpx.MockTransport(page)), "POST", URL, {})["subscriptionId"] is None


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
    api = an_api(httpx.MockTransport(lambda request: httpx.Response(404)))
    assert api.resource("../readyz?x") == f"{URL}/subscriptions/..%2Freadyz%3Fx"
