"""Writes contracts/openapi, the OpenAPI document of each API: `python -m tools.openapi`.

The routes of the API gateways are made from them. `--check` only says which would differ.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local_system.environment import avoid_aws
from infra.routes import OPENAPI
from infra.topology import WORKLOADS
from tools import generated
from tools.reference.routes import apps


def rendered() -> Mapping[Path, str]:
    """Each file and its text, the same each time it is made."""
    names = (each.path for each in WORKLOADS if each.path)
    return {
        OPENAPI / f"{name}.json": json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
        for name, app in zip(names, apps(), strict=True)
    }


if __name__ == "__main__":
    avoid_aws(os.environ)  # the APIs are made for their routes, and call nothing
    raise SystemExit(generated.main(sys.argv[1:], rendered(), "make schemas"))
