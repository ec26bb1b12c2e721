"""Signs what goes to the APIs on AWS, whose doors want to know who asks (Signature Version 4)."""

from collections.abc import Iterator, Mapping

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from runtime.aws import Aws
from runtime.errors import Misconfigured

SERVICE = "execute-api"

_SECRET = {"authorization", "x-amz-security-token"}


class Signed(httpx.Auth):
    """With the credentials that `aws` has at the time of each request: they may change."""

    requires_request_body = True

    def __init__(self, aws: Aws, region: str) -> None:
        self._aws, self.region = aws, region

    @property
    def curl_options(self) -> list[str]:
        """What has curl sign alike, with the credentials in a shell's environment."""
        return [
            f"--aws-sigv4 aws:amz:{self.region}:{SERVICE}",
            '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
            '-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"',
        ]

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Raises Misconfigured without credentials."""
        credentials = self._aws.credentials()
        if credentials is None:
            raise Misconfigured("there are no AWS credentials to sign with: set AWS_PROFILE")
        # Only what no proxy changes on the way is signed: host, content type and body.
        headers = {
            name: request.headers[name] for name in ("content-type",) if name in request.headers
        }
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=headers)
        SigV4Auth(credentials, SERVICE, self.region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request for a page: whoever sees it must not be able to sign with them."""
    return {name: "…" if name.lower() in _SECRET else value for name, value in headers.items()}
