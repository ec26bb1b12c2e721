"""The three OpenAPI documents, fuzzed: no 5xx, and every answer is one that is documented."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.system import NAMES, Name

pytestmark = pytest.mark.timeout(300)  # some 10 s, and many times that on a busy machine

EXAMPLES = 30
"""Generated requests for each route, on top of those that cover each rule of its schema."""

# With AUTH=off the declared security is not enforced: tests/security has what tokens do.
# A schema cannot say which cursors and ETags we gave out, that a key was used before, with another
# body or for what is erased, that a subscription is active, that one id must equal another, or what
# is reserved: those refusals, and no others, may meet a request that fits it.
CONFIG = """
[generation]
with-security-parameters = false

[[operations]]
include-method = "GET"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "400", "404"]

[[operations]]
include-method = ["PUT", "DELETE"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "412", "422"]

[[operations]]
include-method = ["POST", "PATCH"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "409", "410", "422"]
"""


@pytest.mark.parametrize("name", NAMES)
def test_no_request_gets_what_is_not_documented(
    apis: Mapping[Name, httpx.Client], lifecycle: str, tmp_path: Path, name: Name
) -> None:
    """Valid or not: a documented status, media type and schema; what is wrong is refused."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(config)),
        *("run", str(apis[name].base_url.join("/openapi.json"))),
        *(
            "--checks",
            "all",
            "--exclude-checks",
            "ignored_auth",
            "--mode",
            "all",
            "--phases",
            "examples,coverage,fuzzing",
        ),
        *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert apis[name].get("/readyz").status_code == 200
    if name == "stock":  # for the other tests nothing is limited
        assert apis[name].delete("/inventory/razor-123").status_code == 204
