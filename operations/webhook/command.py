"""`streamed webhook send`: sends the callback of a bank, to try it."""

import argparse

from infra.domains.payments import WEBHOOK_PATH
from infra.local_system.addresses import addresses
from infra.local_system.bank import CANCELLED_BY_PAYER, cancellation, local_secret
from operations.commandline import Parser
from operations.environment import Environment
from operations.output import Output
from operations.posting import post
from operations.settings import WebhookCommandSettings
from runtime.errors import Misconfigured
from runtime.settings import load


def add(streamed: Parser) -> None:
    webhook = streamed.command("webhook", "what a bank sends, for trying it")
    command = webhook.command(
        "send",
        "say, as the bank does, that a direct debit was cancelled",
        description="Send the bank's callback, signed as Standard Webhooks says. It signs with the"
        " first of\nWEBHOOK_SECRETS, or of the file that WEBHOOK_SECRETS_FILE names; where neither"
        " is set, with the\nsecret that `make up` made in STATE_DIR.",
        examples=[
            "webhook send 280d2be1-0a4c-5fe9-9a74-da3b91a9c428",
            "webhook send 280d2be1-0a4c-5fe9-9a74-da3b91a9c428 --reason B",
            f"webhook send ID --url https://ID.execute-api.eu-west-1.amazonaws.com{WEBHOOK_PATH}",
        ],
    )
    command.add_argument("payment_id", metavar="ID", help="of the payment, and its subscription")
    command.add_argument(
        "--reason",
        metavar="CODE",
        default=CANCELLED_BY_PAYER,
        help="reason code of Bacs' ADDACS; 0, 1, 2, B and D cancel, others have no effect"
        f" ({CANCELLED_BY_PAYER}: cancelled by the payer)",
    )
    command.add_argument(
        "--url", metavar="URL", help=f"where to (the payment API of `make up`, {WEBHOOK_PATH})"
    )
    command.set_defaults(run=run)


def run(_: Environment, arguments: argparse.Namespace, output: Output) -> int:
    """Send one; raises Misconfigured, Unavailable and NotTaken."""
    settings = load(WebhookCommandSettings)
    url = arguments.url or addresses(settings)["payment"] + WEBHOOK_PATH
    webhook = cancellation(_secret(settings), arguments.payment_id, arguments.reason)
    answer = post(url, webhook.body, webhook.headers)
    output.show(
        {"url": url, "status": answer.status_code, "webhookId": webhook.headers["webhook-id"]},
        f"{answer.status_code}: {url} has taken it",
    )
    return 0


def _secret(settings: WebhookCommandSettings) -> str:
    secrets = settings.signing_secrets
    secret = secrets[0] if secrets else local_secret(settings)
    if secret is None:
        raise Misconfigured(
            f"there is no secret to sign with in {settings.state_dir}: start `make up`, or set"
            " WEBHOOK_SECRETS"
        )
    return secret
