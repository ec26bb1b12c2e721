"""The local OAuth 2.0 issuer: `python -m local.issuer`, and `… rotate` to sign with a new key."""

import sys

from local.issuer.app import create_app
from local.issuer.keys import KeyFile
from local.issuer.settings import IssuerSettings, IssuerState
from local.issuer.tokens import LocalIssuer
from runtime.errors import Misconfigured
from runtime.http.app import serve
from runtime.process.command import run_command
from runtime.process.startup import startup
from runtime.settings import load


def main() -> int:
    match sys.argv[1:]:
        case []:
            return run()
        case ["rotate"]:
            return rotate()
    raise Misconfigured("say nothing to serve, or `rotate`")


def run() -> int:
    """Serve until SIGTERM. Raises Misconfigured."""
    with startup("issuer", IssuerSettings) as (settings, _):
        url = settings.issuer_url.rstrip("/")
        issuer = LocalIssuer(url, settings.issuer_folder, settings.issuer_token_seconds)
        try:
            issuer.prepare()
        except OSError as error:
            raise Misconfigured(f"ISSUER_FOLDER: {error}") from error
        serve(create_app(issuer), settings)
    return 0


def rotate() -> int:
    """Have a new key sign, in an issuer that runs as well. Raises Misconfigured."""
    folder = load(IssuerState).issuer_folder
    if not folder.is_dir():
        raise Misconfigured(f"ISSUER_FOLDER: {folder} is no issuer's: start the system with AUTH=1")
    print(f"signs from now on: {KeyFile(folder).rotate().kid}")
    return 0


if __name__ == "__main__":
    run_command(main)
