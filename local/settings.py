"""What a person can change about the system on their laptop: ports, where state lives, restarts."""

from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from local.ports import free_ports

DEFAULT_STATE = Path(__file__).parent.parent / ".local"


class LocalSettings(BaseSettings):
    """Read from the environment: AWS_PORT=4567 MONGODB_PORT=27018 make up."""

    model_config = SettingsConfigDict(frozen=True)

    aws_port: int = 4566
    mongodb_port: int = 27017
    subscription_api_port: int = 8001
    stock_api_port: int = 8002
    payment_api_port: int = 8003
    subscription_consumer_port: int = 9101
    stock_consumer_port: int = 9102
    payment_consumer_port: int = 9103
    subscriptions_relay_port: int = 9104
    stock_relay_port: int = 9105
    payments_change_stream_port: int = 9106
    payments_forward_port: int = 9107
    tap_port: int = 9108

    state_dir: Path = DEFAULT_STATE
    restart: bool = Field(
        default=False,
        description="Start a process of ours that died again instead of stopping everything",
    )
    log_level: str = "INFO"

    @classmethod
    def on_free_ports(cls, state_dir: Path, *, restart: bool = False) -> Self:
        """Settings for a test: every port free right now, the state in a place of its own."""
        names = [name for name in cls.model_fields if name.endswith("_port")]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        return cls.model_validate({"state_dir": state_dir, "restart": restart, **ports})
