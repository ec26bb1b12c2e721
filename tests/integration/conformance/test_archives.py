"""What an archive keeps, what fills it, and what a replay brings of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.conformance.account import Account, unique

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Archived:
    """A bus with an archive, and a queue that gets all that is on the bus."""

    account: Account
    bus: str
    archive: str
    url: str

    def rules(self) -> list[Any]:
        """The bus's rules that no test has made."""
        found = self.account.events.list_rules(EventBusName=self.bus)["Rules"]
        return [each for each in found if not each["Name"].startswith("rule-")]

    def replay(self, since: datetime, until: datetime, *rules: str) -> str:
        """Start one; its name."""
        events, name = self.account.events, unique("replay")
        filters = {"FilterArns": list(rules)} if rules else {}
        events.start_replay(
            ReplayName=name,
            EventSourceArn=events.describe_archive(ArchiveName=self.archive)["ArchiveArn"],
            EventStartTime=since,
            EventEndTime=until,
            Destination={"Arn": self.account.bus_arn(self.bus), **filters},
        )
        return name

    def state_of(self, replay: str) -> str:
        def ended() -> str:
            state: str = self.account.events.describe_replay(ReplayName=replay)["State"]
            return state if state in {"COMPLETED", "FAILED", "CANCELLED"} else ""

        state: str = self.account.until(ended)
        return state


@pytest.fixture
def archived(account: Account) -> Archived:
    return an_archive(account)


def an_archive(account: Account, **more: str) -> Archived:
    bus, archive = account.bus(), unique("archive")
    account.events.create_archive(
        ArchiveName=archive, EventSourceArn=account.bus_arn(bus), RetentionDays=1, **more
    )
    url, arn = account.queue()
    account.rule(bus, arn)
    return Archived(account, bus, archive, url)


def test_an_archive_is_filled_by_a_managed_rule(archived: Archived) -> None:
    """It is on the bus among ours, and says who manages it."""
    rules = archived.rules()
    assert rules, "no rule fills the archive"
    assert all(each.get("ManagedBy") for each in rules), "nothing says that it is managed"


def test_a_managed_rule_cannot_be_deleted_by_accident(archived: Archived) -> None:
    """Only with Force."""
    rules = archived.rules()
    assert rules, "no rule fills the archive"
    (name,) = (each["Name"] for each in rules)
    with pytest.raises(ClientError, match="ManagedRule"):
        archived.account.events.remove_targets(
            Rule=name, EventBusName=archived.bus, Ids=[name], Force=False
        )


def test_a_replay_brings_what_the_archive_has_of_its_range(archived: Archived) -> None:
    """Once more on the bus, with the replay's name; and no more of it is in the archive then."""
    now = datetime.now(UTC)
    archived.account.put(archived.bus, 1)
    assert len(archived.account.events_at(archived.url, 1)) == 1
    for _ in range(2):
        name = archived.replay(now - HOUR, now + HOUR)
        assert archived.state_of(name) == "COMPLETED"
        came = archived.account.events_at(archived.url, 1)
        assert [each["replay-name"] for each in came if "replay-name" in each] == [name]


def test_a_replay_brings_nothing_from_outside_its_range(archived: Archived) -> None:
    """It completes as any other: the command looks at what came."""
    now = datetime.now(UTC)
    archived.account.put(archived.bus, 1)
    assert len(archived.account.events_at(archived.url, 1)) == 1
    name = archived.replay(now - 3 * HOUR, now - 2 * HOUR)
    assert archived.state_of(name) == "COMPLETED"
    described = archived.account.events.describe_replay(ReplayName=name)
    assert "EventLastReplayedTime" not in described


def test_a_replay_of_an_empty_archive_completes(archived: Archived) -> None:
    """And says of no event that it was replayed."""
    now = datetime.now(UTC)
    name = archived.replay(now - HOUR, now)
    assert archived.state_of(name) == "COMPLETED"
    described = archived.account.events.describe_replay(ReplayName=name)
    assert "EventLastReplayedTime" not in described


def test_a_replay_says_which_event_was_the_last(archived: Archived) -> None:
    """The time of the event, not of the replay."""
    now = datetime.now(UTC)
    archived.account.put(archived.bus, 1)
    assert len(archived.account.events_at(archived.url, 1)) == 1
    name = archived.replay(now - HOUR, now + HOUR)
    assert archived.state_of(name) == "COMPLETED"
    described = archived.account.events.describe_replay(ReplayName=name)
    assert "EventLastReplayedTime" in described, "it does not say which event was the last"
    assert abs(described["EventLastReplayedTime"] - now) < timedelta(minutes=1)


def test_a_replay_goes_only_to_the_rules_that_it_names(archived: Archived) -> None:
    """The other rules of the bus get nothing of it."""
    account, now = archived.account, datetime.now(UTC)
    url, arn = account.queue()
    rule = account.rule(archived.bus, arn)
    account.put(archived.bus, 1)
    assert len(account.events_at(url, 1)) == len(account.events_at(archived.url, 1)) == 1
    archived.state_of(archived.replay(now - HOUR, now + HOUR, rule))
    assert any("replay-name" in each for each in account.events_at(url, 1)), "nothing came"
    others = account.events_until(archived.url, archived.bus)
    assert not any("replay-name" in each for each in others), "a rule that it does not name got it"


def test_an_archive_keeps_what_its_pattern_takes(account: Account) -> None:
    """As payments' has only what payments published."""
    archived = an_archive(account, EventPattern='{"source": ["app.kept"]}')
    now = datetime.now(UTC)
    account.put(archived.bus, 1)
    account.put(archived.bus, 2, Source="app.kept")
    assert len(account.events_at(archived.url, 2)) == 2
    archived.state_of(archived.replay(now - HOUR, now + HOUR))
    came = account.events_until(archived.url, archived.bus)
    assert [each["detail"]["number"] for each in came] == [2]
