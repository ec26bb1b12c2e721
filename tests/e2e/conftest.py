"""One system for the journeys; a test that breaks things runs one of its own."""

from collections.abc import Iterator

import pytest

from local.settings import LocalSettings
from tests.e2e.world import World, world


@pytest.fixture(scope="session")
def running(sample_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(LocalSettings.on_free_ports(tmp_path_factory.mktemp("system"))) as found:
        yield found
