"""The whole document, from the topology, the processes, the models and the samples."""

from infra.topology import LIFECYCLES, TOPOLOGY, Topology
from tools.asyncapi.channels import channels
from tools.asyncapi.messages import messages
from tools.asyncapi.operations import Operations
from tools.asyncapi.schemas import Json, schemas
from tools.flows import Flows

DESCRIPTION = """\
Every bus, every queue and every event between three services: who sends what where, and by which \
rule. It is written by `make schemas` from the code, never by hand.

Delivery is at least once and in any order: deduplicate on `metadata.eventId`, order by \
`metadata.sequence`. A field may be added to an event at any time; what else changes is a new \
version, with a schema and a sample beside the old ones.
"""


def document(topology: Topology = TOPOLOGY) -> Json:
    flows = Flows(topology)
    operations = Operations(flows)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:streamed-events",
        "info": {
            "title": "streamed-events",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
            "tags": [
                *(
                    {"name": each.name, "description": LIFECYCLES[each.name].about}
                    for each in topology.domains
                ),
                {"name": "dead letters", "description": "What could not go on, and why."},
            ],
        },
        "defaultContentType": "application/json",
        "servers": {
            "eventbridge": _server("events", "eventbridge", "EventBridge, where the buses are."),
            "sqs": _server("sqs", "sqs", "SQS, where the queues are."),
        },
        "channels": channels(flows, operations.into),
        "operations": operations.as_json(),
        "components": {
            "messages": messages(flows, operations.queued),
            "schemas": schemas(),
            "correlationIds": {
                "ofAnEvent": {
                    "description": "The same on all that one request led to.",
                    "location": "$message.payload#/detail/metadata/correlationId",
                },
                "ofARecord": {
                    "description": "The same, before the event is published.",
                    "location": "$message.payload#/correlationId",
                },
            },
        },
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
