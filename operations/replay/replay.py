"""A replay of a bus's archive, as EventBridge runs it: start, follow, cancel, count."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.resources import Archive
from operations.environment import Environment
from operations.errors import NoSuchName, OperatorError
from operations.sources.bus_logs import SKEW, BusEvent, log_of, read_bus
from operations.sources.routes import log_rule_of, pattern_of
from runtime.aws import error_code, reaching

_NOT_RUNNING = {"IllegalStatusException", "ResourceNotFoundException", "ValidationException"}
"""What CancelReplay answers for a replay that does not run; MiniStack says the last."""


class TooManyReplays(OperatorError):
    def __init__(self) -> None:
        super().__init__("ten replays run already, which is all that AWS allows: wait for one")


class StartFailed(OperatorError):
    """No answer came, or a 5xx, and botocore asked again: a name is of one command alone."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"StartReplay failed, and left a replay {name}, which may run or not: `aws events"
            f" describe-replay --replay-name {name}` says it. Whatever it brings changes nothing"
        )


@dataclass(frozen=True)
class Request:
    """What to replay: the events of `bus` from `since` to `until`, to `rules` (none: to all).

    EventBridge takes whole seconds, so both ends are taken a little wider.
    """

    bus: str
    archive: Archive
    since: datetime
    until: datetime
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """`reached` is the time of the event that was replayed last, where EventBridge says so."""

    state: str
    reason: str
    reached: datetime | None

    @property
    def ended(self) -> bool:
        return self.state in {"COMPLETED", "CANCELLED", "FAILED"}


def request_of(
    environment: Environment,
    bus: str,
    span: tuple[datetime, datetime],
    rules: Sequence[str],
    *,
    now: datetime,
) -> Request:
    """Check a wish against the topology; raises OperatorError, for a wrong name NoSuchName.

    Of a bus's archives it is the first that reaches back so far.
    """
    since, until = span
    buses = [each.name for each in environment.topology.buses]
    if bus not in buses:
        raise NoSuchName("bus", bus, buses)
    known = [rule.name for rule in environment.topology.rules if rule.bus == bus]
    for rule in rules:
        if rule not in known:
            raise NoSuchName(f"rule on {bus}", rule, known)
    archives = [each for each in environment.topology.archives if each.bus == bus]
    reaching_back = (each for each in archives if not _is_before(since, each, now))
    archive = next(reaching_back, archives[0])
    _refuse_rules_without_events(environment, archive, rules)
    if _is_before(since, archive, now):
        raise OperatorError(
            f"{archive.name} keeps {archive.retention_days} days: {since:%Y-%m-%d %H:%M:%S}"
            " is before that"
        )
    if rules and environment.emulated:
        raise OperatorError(
            "an emulator ignores a replay's rules, and would send the events to every rule of"
            f" {bus}: leave --rule away"
        )
    return Request(bus, archive, since, min(until, now), tuple(dict.fromkeys(rules)))


def _is_before(since: datetime, archive: Archive, now: datetime) -> bool:
    """Whether a moment is before what an archive keeps."""
    return 0 < archive.retention_days < (now - since) / timedelta(days=1)


def _refuse_rules_without_events(
    environment: Environment, archive: Archive, rules: Sequence[str]
) -> None:
    for rule in environment.topology.rules:
        if rule.name in rules and rule.bus == archive.bus and not archive.keeps(rule.pattern):
            raise OperatorError(
                f"{archive.name} keeps nothing for {rule.name}: replay the bus of its source,"
                f" {', '.join(rule.pattern.sources)}"
            )


class Replay:
    """One replay. Every method raises Unavailable."""

    def __init__(self, environment: Environment, request: Request) -> None:
        domain = environment.topology.domain_of_bus(request.bus)
        self._events = environment.aws(domain).client("events")
        self._environment, self.request = environment, request
        self.name = f"streamed-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"

    def start(self) -> None:
        """Have EventBridge start; raises TooManyReplays, StartFailed, OperatorError (no archive).

        The bus's log gets it as well, whichever rules were chosen: what was on a bus is in it.
        """
        request, events = self.request, self._events
        since, until = math.floor(request.since.timestamp()), math.ceil(request.until.timestamp())
        with reaching("EventBridge"):
            archive, destination = self._arn_of_archive(), self._destination()
            try:
                events.start_replay(
                    ReplayName=self.name,
                    EventSourceArn=archive,
                    EventStartTime=datetime.fromtimestamp(since, UTC),
                    EventEndTime=datetime.fromtimestamp(until, UTC),
                    Destination=destination,
                )
            except events.exceptions.LimitExceededException:
                raise TooManyReplays from None
            except events.exceptions.ResourceAlreadyExistsException:
                raise StartFailed(self.name) from None

    def _destination(self) -> Any:
        """The bus, and if rules were chosen, only those and the one that writes its log."""
        bus, events = self.request.bus, self._events
        destination: Any = {"Arn": events.describe_event_bus(Name=bus)["Arn"]}
        if self.request.rules:
            chosen = {*self.request.rules, log_rule_of(bus, self._environment.topology)}
            destination["FilterArns"] = [
                events.describe_rule(Name=rule, EventBusName=bus)["Arn"] for rule in sorted(chosen)
            ]
        return destination

    def _arn_of_archive(self) -> str:
        name, bus = self.request.archive.name, self.request.bus
        try:
            return self._events.describe_archive(ArchiveName=name)["ArchiveArn"]
        except self._events.exceptions.ResourceNotFoundException:
            raise OperatorError(
                f"the archive {name} of {bus} does not exist there: provision it first; it keeps"
                " what is published after that"
            ) from None

    def progress(self) -> Progress:
        with reaching("EventBridge"):
            answer = self._events.describe_replay(ReplayName=self.name)
        return Progress(
            answer["State"], answer.get("StateReason", ""), answer.get("EventLastReplayedTime")
        )

    def cancel(self) -> None:
        """Stop it; one that has ended, or never began, stays as it is."""
        with reaching("EventBridge"):
            try:
                self._events.cancel_replay(ReplayName=self.name)
            except ClientError as error:
                if error_code(error) not in _NOT_RUNNING:
                    raise

    def came(self) -> Counter[str]:
        """Count the replayed events in the bus's log so far, by type; lines come with a delay."""
        since = self.request.since - SKEW
        return _count(self._environment, self.request, self.name, since=since, containing=self.name)


def would_come(environment: Environment, request: Request) -> Counter[str]:
    """Count, by type, what the bus's log has of a range and its archive keeps.

    Events that a replay brought are left out.
    """
    return _count(environment, request, None, since=request.since, until=request.until)


def _count(
    environment: Environment, request: Request, replay_name: str | None, **of: Any
) -> Counter[str]:
    """Count what a replay brought, or, without its name, what none did; `of` is read_bus's."""
    return Counter(
        line.event_type
        for line, _ in read_bus(*log_of(environment, request.bus), **of)
        if isinstance(line, BusEvent)
        and line.replay_name == replay_name
        and request.archive.keeps(pattern_of(line.event_type))
    )
