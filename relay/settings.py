"""The relay's environment, by command."""

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from relay.poll_interval import PollInterval
from runtime.custom_event_bus import CUSTOM_BUS_ARN
from runtime.settings import AwsSettings, ConsumerSettings, MongoSettings, Settings, WorkerSettings


class BusSettings(Settings):
    """The bus to publish on, of EventBridge's two kinds: Classic has a name, Custom an ARN."""

    event_bus_kind: Literal["classic", "custom"] = "classic"
    event_bus: str = Field(min_length=1)

    @field_validator("event_bus")
    @classmethod
    def _is_of_its_kind(cls, bus: str, info: ValidationInfo) -> str:
        is_custom = info.data.get("event_bus_kind") == "custom"
        if is_custom and not re.fullmatch(CUSTOM_BUS_ARN, bus):
            raise ValueError(
                "with EVENT_BUS_KIND=custom, give the bus's ARN:"
                " arn:aws:events:REGION:ACCOUNT:event-busv2/NAME/ID"
            )
        return bus


class SweepSettings(AwsSettings):
    """When a row that is still in the outbox is offered again. Seconds."""

    sweep_min_age_seconds: float = Field(default=30, ge=0)
    sweep_interval_seconds: float = Field(default=30, gt=0)


class DaemonSettings(SweepSettings, WorkerSettings):
    """Of a process that relays until it is stopped."""


class DynamoDBSettings(SweepSettings, BusSettings):
    """From a DynamoDB outbox to a bus."""

    outbox_table: str = Field(min_length=1)
    dead_letter_queue: str = Field(min_length=1)


class DynamoDBRelaySettings(DynamoDBSettings, DaemonSettings):
    """For the daemon: the waits after a read of the stream that returned nothing. Seconds.

    The second holds once nothing has come for relay.poll_interval.QUIET_AFTER.
    """

    poll_seconds: float = Field(default=0.05, gt=0)
    quiet_poll_seconds: float = Field(default=0.5, gt=0)

    @property
    def poll_interval(self) -> PollInterval:
        return PollInterval(self.poll_seconds, max(self.poll_seconds, self.quiet_poll_seconds))


class ChangeStreamSettings(SweepSettings, MongoSettings):
    """From a MongoDB outbox to a FIFO queue."""

    outbox_collection: str = Field(min_length=1)
    fifo_queue: str = Field(min_length=1, pattern=r"\.fifo$")
    dead_letter_queue: str = Field(min_length=1)


class ChangeStreamRelaySettings(ChangeStreamSettings, DaemonSettings):
    """For the daemon."""


class ForwardSettings(ConsumerSettings, BusSettings):
    """From a FIFO queue to a bus."""

    fifo_queue: str = Field(min_length=1, pattern=r"\.fifo$")
