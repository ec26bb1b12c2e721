"""Signs what asks for /outbox on AWS, which is behind IAM (Signature Version 4)."""

from collections.abc import Generator, Mapping

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from runtime.aws import Aws
from runtime.credentials import CREDENTIAL_ERRORS

SERVICE = "execute-api"

_SECRET = {"authorization", "x-amz-security-token"}


class Signed(httpx.Auth):
    """With the credentials that `aws` has at the time of each request: they may change."""

    requires_request_body = True

    def __init__(self, aws: Aws, region: str) -> None:
        self._aws, self._region = aws, region

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Raise httpx.RequestError without credentials, or while they cannot be refreshed.

        What is refused is sent once more, if there are other credentials by then.
        """
        response = yield self._signed(request)
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
        refusal = response.headers.get("x-amzn-errortype", "").partition(":")[0]
        if refusal in CREDENTIAL_ERRORS and self._aws.has_other_credentials():
            yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        try:
            credentials = self._aws.credentials()
        except BotoCoreError as error:
            raise httpx.RequestError(f"AWS credentials: {error}", request=request) from error
        if credentials is None:
            why = "there are no AWS credentials to sign with: set AWS_PROFILE"
            raise httpx.RequestError(why, request=request)
        # Only what no proxy changes on the way is signed: host, content type and body.
        kind = request.headers.get("content-type")
        headers = {} if kind is None else {"content-type": kind}
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=headers)
        SigV4Auth(credentials, SERVICE, self._region).add_auth(signed)
        request.headers.pop("x-amz-security-token", None)  # the next keys may have none
        request.headers.update(dict(signed.headers.items()))
        return request


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request for a page: who sees it must not be able to sign with them."""
    return {name: "…" if name.lower() in _SECRET else value for name, value in headers.items()}
