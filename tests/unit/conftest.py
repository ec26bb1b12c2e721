"""What unit tests share."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.lambda_relay import LambdaRelay
from tests.recorded import Recorded


@pytest.fixture
def quiet() -> Iterator[None]:
    """What is logged on purpose does not fill the report."""
    with capture_logs():
        yield


@pytest.fixture
def relay_() -> LambdaRelay:
    return LambdaRelay()


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()
