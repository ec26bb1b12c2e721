"""`streamed erase`: erases a subscription's personal data, and says what keeps copies."""

import argparse
from collections.abc import Generator
from datetime import UTC, datetime

import httpx

from infra.local_system.addresses import addresses
from infra.local_system.auth import client_tokens
from operations.commandline import Parser
from operations.databases import DatabaseEnvironment
from operations.erase.copies import clear_copies, logged_versions
from operations.journey.evidence import read_dead_letters
from operations.output import Output, table
from operations.posting import post
from operations.settings import EraseCommandSettings
from operations.sources.aggregate_states import read_state
from operations.sources.ledger import NotUnderstood, events_of
from operations.sources.peeking import open_queues
from runtime.http.client_credentials import ClientCredentials, OAuthClient
from runtime.http.hosts import is_loopback
from runtime.settings import load

DOMAINS = ("subscriptions", "payments")
"""Those that have personal data."""


def add(streamed: Parser) -> None:
    command = streamed.command(
        "erase",
        "erase the personal data of a subscription that has ended",
        description="Ask the subscription API to erase bank details and names, which payments"
        " follows, and list\nwhere copies in clear remain, and until when. The token is of"
        " AUTH_CLIENT_ID, which needs the\nscope subscriptions:erase; of `make up AUTH=1`, of"
        " its own client staff.",
        examples=[
            "erase 280d2be1-0a4c-5fe9-9a74-da3b91a9c428",
            "erase ID --url https://ID.execute-api.eu-west-1.amazonaws.com --at aws",
        ],
    )
    command.add_argument("subscription_id", metavar="ID", help="of the subscription")
    command.add_argument("--url", metavar="URL", help="of the subscription API (that of `make up`)")
    command.set_defaults(run=run)


def run(environment: DatabaseEnvironment, arguments: argparse.Namespace, output: Output) -> int:
    """Erase one; raises Misconfigured, Unavailable and NotTaken."""
    settings = load(EraseCommandSettings)
    name = arguments.subscription_id
    url = arguments.url or addresses(settings)["subscription"]
    post(f"{url}/subscriptions/{name}/erasure", auth=_tokens(settings))
    committed = []
    for domain in DOMAINS:
        state = read_state(environment, domain, name)
        try:
            committed += list(events_of(state)) if state else []
        except NotUnderstood as error:
            output.complain(f"{error}: what it published is not in the list")
    first = min((each.occurred_at for each in committed), default=None)
    versions = logged_versions(environment, name, first)
    dead = (each for each in read_dead_letters(open_queues(environment)))
    copies = clear_copies(
        committed,
        versions,
        [each for each in dead if each.event.aggregate_id == name],
        datetime.now(UTC),
    )
    shown = table("may have it in clear", "until")
    for copy in copies:
        shown.add_row(copy.place, f"{copy.until:%Y-%m-%d %H:%M}")
    output.show(
        {"subscriptionId": name, "copies": [copy.as_document() for copy in copies]},
        f"{name} is erased; payments follows its event",
        shown,
    )
    return 0


class _StaffIfAsked(httpx.Auth):
    """Sends a token of the client staff of `make up`, once an API of this machine asks for one."""

    def __init__(self, settings: EraseCommandSettings) -> None:
        self._tokens = client_tokens("staff", settings.model_copy(update={"auth": True}))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        response = yield request
        is_asked = response.status_code == httpx.codes.UNAUTHORIZED
        if is_asked and self._tokens and is_loopback(request.url.host):
            yield from self._tokens.auth_flow(request)


def _tokens(settings: EraseCommandSettings) -> httpx.Auth:
    if settings.auth_token_url and settings.auth_client_id and settings.auth_secret:
        client = OAuthClient(
            settings.auth_token_url,
            settings.auth_client_id,
            settings.auth_secret,
            settings.auth_client_scope,
        )
        return ClientCredentials(client)
    return _StaffIfAsked(settings)
