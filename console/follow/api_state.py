"""What one API says of one subscription, without bank details, and what that implies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from console.apis import Api, unanswered
from contracts.timestamps import parse_timestamp
from operations.output import as_document
from operations.sources.dead_letters import object_in
from operations.sources.ledger import AggregateState, type_of
from runtime.masking import masked


@dataclass(frozen=True)
class ApiState:
    """`status` is HTTP's, 0 without an answer; `body` only with 200, masked."""

    domain: str
    url: str
    status: int
    body: Mapping[str, Any] | None
    problem: str | None

    def aggregate_state(self) -> AggregateState | None:
        """The row as a journey needs it; None without one that can be read.

        The event is the one that its version means: an API does not return it.
        """
        if self.body is None:
            return None
        try:
            version = int(self.body["version"])
            return AggregateState(
                domain=self.domain,
                aggregate_id=str(self.body["subscriptionId"]),
                version=version,
                event=type_of(self.domain, version) or "",
                status=str(self.body["status"]),
                created=parse_timestamp(str(self.body["created"])),
                updated=parse_timestamp(str(self.body["updated"])),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def document(self) -> dict[str, Any]:
        return as_document(self, "status", "body", "problem", "url")


def state_of(api: Api, aggregate_id: str) -> ApiState:
    """Ask an API for a subscription's row; an outage is part of the state."""
    url = api.resource(aggregate_id)
    try:
        answer = api.client.get(url)
    except httpx.HTTPError as error:
        return ApiState(api.domain, url, 0, None, unanswered(api, error))
    body = object_in(answer.content)
    if answer.is_success:
        return ApiState(api.domain, url, answer.status_code, masked(body), None)
    problem = str(body.get("detail") or answer.reason_phrase)
    return ApiState(api.domain, url, answer.status_code, None, problem)
