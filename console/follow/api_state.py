"""What one API says of one subscription, without bank details, and what that implies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from console.apis import Api, unanswered
from contracts.timestamps import parse_timestamp
from infra.topology import LIFECYCLES
from operations.output import as_document
from operations.sources.dead_letters import object_in
from operations.sources.ledger import AggregateState
from runtime.masking import masked

_EVENTS = {
    (life.domain, each.status): each.event
    for life in LIFECYCLES.values()
    for each in life.transitions
}
"""What happened last to an aggregate, by its domain and its status."""


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

        The event is the one that its status means: an API does not return it.
        """
        if self.body is None:
            return None
        try:
            version, status = int(self.body["version"]), str(self.body["status"])
            return AggregateState(
                domain=self.domain,
                aggregate_id=str(self.body["subscriptionId"]),
                version=version,
                event=_EVENTS.get((self.domain, status), ""),
                status=status,
                created=parse_timestamp(str(self.body["created"])),
                updated=parse_timestamp(str(self.body["updated"])),
                erased=status == "erased" or self.body.get("erasedAt") is not None,
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
