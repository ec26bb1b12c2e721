"""Tables of the reference: an event's fields and its rules, and what a domain owns."""

from typing import Any

from contracts.envelope import PAYLOAD_VERSION
from contracts.names import EventType
from infra.resources import Rule, kind_and_name
from infra.topology import TOPOLOGY
from tools.event_schemas import schema_of
from tools.flows import through
from tools.reference.markdown import code, table


def fields(event_type: EventType, version: int = PAYLOAD_VERSION) -> str:
    """What the detail holds, with its metadata."""
    schema = schema_of(event_type, version)
    rows = []
    for name, described in schema["properties"].items():
        if name == "metadata":
            inner = schema["$defs"]["Metadata"]["properties"]
            rows += [_field(schema, f"metadata.{key}", each) for key, each in inner.items()]
        else:
            rows.append(_field(schema, name, described))
    return table(("field", "type", "meaning"), rows)


def _field(schema: Any, name: str, described: Any) -> tuple[str, str, str]:
    meaning = described.get("description") or "What happened: the detail-type."
    return f"`{name}`", _type(schema, described), meaning


def _type(schema: Any, described: Any) -> str:
    if "$ref" in described:
        return _type(schema, schema["$defs"][described["$ref"].removeprefix("#/$defs/")])
    if "const" in described:
        return f"`{described['const']}`"
    if "enum" in described:
        return " or ".join(f"`{value}`" for value in described["enum"])
    if "anyOf" in described:
        return " or ".join(_type(schema, each) for each in described["anyOf"])
    return str(described.get("format") or described["type"])


def rules(event_type: EventType) -> str:
    """Every rule that lets an event pass, in the order of the topology."""
    rows = [
        (code(rule.name), code(rule.bus), _target(rule), code(rule.dlq) if rule.dlq else "")
        for rule in TOPOLOGY.rules
        if event_type in through(rule)
    ]
    return table(("rule", "on", "to", "what it cannot deliver"), rows)


def queues(domain: str) -> str:
    (owner,) = (each for each in TOPOLOGY.domains if each.name == domain)
    rows = [
        (
            f"`{queue.name}`",
            f"{queue.visibility_timeout} s",
            f"{queue.retention // 86400} days",
            f"`{queue.redrive.dlq}` after {queue.redrive.max_receive_count} receives"
            if queue.redrive
            else "",
        )
        for queue in owner.queues
    ]
    return table(("queue", "unseen while handled", "kept for", "redrive"), rows)


def _target(rule: Rule) -> str:
    kind, name = kind_and_name(rule.target)
    return f"{kind} {code(name)}"
