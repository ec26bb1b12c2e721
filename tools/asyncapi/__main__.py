"""Writes contracts/asyncapi.json, from the topology, the processes, the models and the samples.

`python -m tools.asyncapi`; `--check` only says if the file is not what would be written.
"""

import sys
from pathlib import Path

from infra.topology import LIFECYCLES, TOPOLOGY
from tools import generated
from tools.asyncapi.channels import channels
from tools.asyncapi.messages import messages
from tools.asyncapi.operations import operations
from tools.asyncapi.schemas import schemas
from tools.event_schemas import Json

FILE = Path(__file__).parent.parent.parent / "contracts" / "asyncapi.json"

DESCRIPTION = """\
Every bus, every queue and every event between three services: who sends what where, and by which \
rule. It is written by `make schemas` from the code, never by hand.

Delivery is at least once and in any order: deduplicate on `metadata.eventId`, order by \
`metadata.sequence`. A field may be added to an event at any time; what else changes is a new \
version, with a schema and a sample beside the old ones.
"""

CORRELATION_IDS = {
    "ofAnEvent": {
        "description": "The same on all that one request led to.",
        "location": "$message.payload#/detail/metadata/correlationId",
    },
    "ofARecord": {
        "description": "The same, before the event is published.",
        "location": "$message.payload#/correlationId",
    },
}


def rendered() -> dict[Path, str]:
    """The file and its text, the same each time it is made."""
    return {FILE: generated.json_text(document())}


def document() -> Json:
    done = tuple(operations())
    return {
        "asyncapi": "3.0.0",
        "id": "urn:streamed-events",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {
            "eventbridge": _server("events", "eventbridge", "EventBridge, where the buses are."),
            "sqs": _server("sqs", "sqs", "SQS, where the queues are."),
        },
        "channels": channels(done),
        "operations": {each.key: each.as_json() for each in done},
        "components": {
            "messages": messages({name for each in done for name in each.messages}),
            "schemas": schemas(),
            "correlationIds": CORRELATION_IDS,
        },
    }


def _info() -> Json:
    return {
        "title": "streamed-events",
        "version": "1.0.0",
        "description": DESCRIPTION,
        "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        "tags": [
            *(
                {"name": each.name, "description": LIFECYCLES[each.name].about}
                for each in TOPOLOGY.domains
            ),
            {"name": "dead letters", "description": "What could not go on, and why."},
        ],
    }


def _server(service: str, protocol: str, description: str) -> Json:
    return {
        "host": f"{service}.{{region}}.amazonaws.com",
        "protocol": protocol,
        "description": f"{description} On a laptop it is an emulator.",
        "variables": {
            "region": {"default": "eu-west-1", "description": "The region of the stage."}
        },
    }


if __name__ == "__main__":
    raise SystemExit(generated.main(sys.argv[1:], rendered(), "make schemas"))
