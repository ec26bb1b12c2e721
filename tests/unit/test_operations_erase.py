"""What may keep bank details in clear after an erasure, and until when."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from infra.faults import LONGEST_BACKUP_DAYS
from operations.__main__ import AWAY, CANNOT, main
from operations.erase.copies import PERSONAL, clear_copies
from operations.sources.ledger import Committed, EventKey
from tests.builders import START
from tests.dead_letters import a_dead_letter

DAY = timedelta(days=1)
BACKUPS = {
    "backups of the collection payments": START + LONGEST_BACKUP_DAYS * DAY,
    "backups of the table subscriptions": START + LONGEST_BACKUP_DAYS * DAY,
}


def found(
    *names: str, at: datetime = START, versions: Mapping[str, int] = {}
) -> dict[str, datetime]:
    committed = [Committed(EventKey(name, "one", 1), at) for name in names]
    return {each.place: each.until for each in clear_copies(committed, versions, [], START)}


def test_every_archive_and_log_that_had_an_event_in_clear_keeps_it() -> None:
    """SubscriptionCreated goes over three buses; payments' archive keeps its own events alone."""
    assert found("SubscriptionCreated") == {
        "archive stock-bus-archive": START + 20 * DAY,
        "archive subscriptions-bus-archive": START + 20 * DAY,
        "log group payments-event-logs": START + 30 * DAY,
        "log group stock-event-logs": START + 30 * DAY,
        "log group subscriptions-event-logs": START + 30 * DAY,
        **BACKUPS,
    }
    assert found("PaymentCreated") == {
        "archive payments-bus-archive": START + 365 * DAY,
        "log group payments-event-logs": START + 30 * DAY,
        **BACKUPS,
    }


def test_a_version_without_personal_fields_leaves_no_copy() -> None:
    """But backups of what the rows said before; a version that is not known may be in clear."""
    assert found(*PERSONAL, versions=dict.fromkeys(PERSONAL, 2)) == BACKUPS
    assert found("PaymentCreated", versions={"SubscriptionCreated": 2}) == found("PaymentCreated")


def test_what_has_passed_is_not_listed_and_ids_alone_are_no_copy() -> None:
    """After a month only payments' archive has what it published."""
    assert found(*PERSONAL, at=START - 40 * DAY).keys() - BACKUPS.keys() == {
        "archive payments-bus-archive"
    }
    assert found("SubscriptionErased", "StockAllocated", "StockRejected") == BACKUPS


def test_a_dead_letter_keeps_it_for_two_weeks() -> None:
    """From when the last of them was sent."""
    queue = "create-payment-subscription-dlq"
    dead = [a_dead_letter("one", 1, queue=queue), a_dead_letter("one", 2, queue=queue)]
    copies = {each.place: each.until for each in clear_copies([], {}, dead, START)}
    assert dead[1].sent_at is not None
    assert copies[f"dead-letter queue {queue}"] == dead[1].sent_at + 14 * DAY


@pytest.mark.parametrize("url", ["http://[", "nonsense", "ftp://127.0.0.1", "http://127.0.0.1:1"])
def test_an_address_that_cannot_be_reached_is_one_sentence(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the address that was given; nothing was erased."""
    assert main(["erase", "one", "--url", url]) in {CANNOT, AWAY}
    said = capsys.readouterr().err
    assert url in said
    assert "Traceback" not in said
