"""A URI that looks like one and is none, as the driver sees it."""

import pytest

from runtime.errors import Misconfigured
from runtime.mongodb import connect


@pytest.mark.parametrize(
    "uri",
    ["mongodb://host:port", "mongodb://us@er:hunter2@host", "mongodb://host/?replicaSet"],
)
def test_a_uri_that_the_driver_refuses_is_a_setting_to_mend(uri: str) -> None:
    """The setting's name, and no password."""
    with pytest.raises(Misconfigured, match=r"^MONGODB_URI: ") as raised:
        connect(uri)
    assert "hunter2" not in str(raised.value)
