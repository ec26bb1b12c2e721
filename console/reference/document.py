"""What the AsyncAPI document says, in the order in which a page shows it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """`name` is a path: metadata.eventId."""

    name: str
    type: str
    required: bool
    meaning: str


@dataclass(frozen=True)
class Step:
    """A rule that an event passes; `receivers` are the processes behind `target`."""

    rule: str
    bus: str
    target: str
    receivers: tuple[str, ...]
    dlq: str | None


@dataclass(frozen=True)
class Operation:
    """An actor, such as a process or a rule, sends messages to a channel or receives them."""

    actor: str
    actor_kind: str
    action: str
    channel: str
    messages: tuple[str, ...]
    because: str


@dataclass(frozen=True)
class Document:
    """Raises KeyError where the document is not this system's."""

    document: Json

    @property
    def domains(self) -> list[tuple[str, str]]:
        """Name and meaning of each domain: the tags of its buses."""
        owned = {tag["name"] for bus in self.channels("bus").values() for tag in bus["tags"]}
        tags = self.document["info"]["tags"]
        return [(tag["name"], tag["description"]) for tag in tags if tag["name"] in owned]

    def channels(self, kind: str) -> dict[str, Json]:
        return {
            name: channel
            for name, channel in self.document["channels"].items()
            if channel["x-kind"] == kind
        }

    def buses_of(self, domain: str) -> dict[str, Json]:
        return {name: bus for name, bus in self.channels("bus").items() if _tagged(bus, domain)}

    def events_of(self, domain: str, *, own: bool = True) -> list[str]:
        """What is on a domain's buses: the events that it publishes, or those of other domains."""
        on_buses = [name for bus in self.buses_of(domain).values() for name in bus["messages"]]
        return [name for name in on_buses if _tagged(self.message(name), domain) is own]

    def message(self, name: str) -> Json:
        message: Json = self.document["components"]["messages"][name]
        return message

    def publishers_of(self, event: str) -> list[tuple[str, str]]:
        """Each process that publishes it, and the bus."""
        buses = self.channels("bus")
        published = (each for each in self._by("process", "send") if event in each.messages)
        return [(each.actor, each.channel) for each in published if each.channel in buses]

    def receivers_of(self, channel: str) -> tuple[str, ...]:
        """Name the processes that receive from a queue; a bus has rules instead."""
        received = self._by("process", "receive")
        return tuple(each.actor for each in received if each.channel == channel)

    def senders_to(self, channel: str) -> list[Operation]:
        return [
            each for each in self._operations if (each.action, each.channel) == ("send", channel)
        ]

    def steps_of(self, event: str) -> list[Step]:
        """Rules on the event's own bus first, then those on the buses that it is sent on to."""
        own = {bus for _, bus in self.publishers_of(event)}
        matched = (each for each in self._by("rule", "receive") if event in each.messages)
        steps = (self._step(each.actor, each.channel) for each in matched)
        return sorted(steps, key=lambda step: step.bus not in own)

    def fields_of(self, schema: Json, prefix: str = "") -> Iterator[Field]:
        """Every field of an object, and of the objects in it."""
        whole = self._whole(schema)
        for name, described in whole.get("properties", {}).items():
            inner = self._whole(described)
            required = name in whole.get("required", [])
            meaning = described.get("description") or inner.get("description", "")
            yield Field(f"{prefix}{name}", self._type(inner), required, meaning)
            if inner.get("type") == "object":
                yield from self.fields_of(inner, f"{prefix}{name}.")

    def schema(self, name: str) -> Json:
        schema: Json = self.document["components"]["schemas"][name]
        return schema

    def details_of(self, event: str) -> list[str]:
        """Name the schemas of its detail: one for each version."""
        names = (f"{event}Detail", f"{event}V2Detail")
        return [name for name in names if name in self.document["components"]["schemas"]]

    def _step(self, rule: str, bus: str) -> Step:
        channels = self.document["channels"]
        sent = {
            channels[each.channel]["x-kind"] == "dead-letter queue": each.channel
            for each in self._by("rule", "send")
            if each.actor == rule
        }
        target = sent.get(False) or f"log group {channels[bus]['x-log-group']}"
        return Step(rule, bus, target, self.receivers_of(target), sent.get(True))

    def _by(self, actor_kind: str, action: str) -> Iterator[Operation]:
        """What all processes, or all rules, send or receive."""
        wanted = (actor_kind, action)
        return (each for each in self._operations if (each.actor_kind, each.action) == wanted)

    @cached_property
    def _operations(self) -> list[Operation]:
        return [
            Operation(
                actor=each["x-actor"]["name"],
                actor_kind=each["x-actor"]["kind"],
                action=each["action"],
                channel=_last(each["channel"]["$ref"]),
                messages=tuple(_last(message["$ref"]) for message in each["messages"]),
                because=each["summary"],
            )
            for each in self.document["operations"].values()
        ]

    def _whole(self, schema: Json) -> Json:
        """A schema with what it refers to put in its place; one that only wraps is unwrapped."""
        if "$ref" in schema:
            return self._whole(self.schema(_last(schema["$ref"])))
        if len(schema.get("allOf", [])) == 1:
            beside = {key: value for key, value in schema.items() if key != "allOf"}
            return {**self._whole(schema["allOf"][0]), **beside}
        return schema

    def _type(self, schema: Json) -> str:
        if "const" in schema:
            return f'"{schema["const"]}"'
        if "enum" in schema:
            return " or ".join(f'"{value}"' for value in schema["enum"])
        if "anyOf" in schema:
            return " or ".join(self._type(self._whole(each)) for each in schema["anyOf"])
        kind: str = schema.get("type", "anything")
        if schema.get("format") in _WORDS:
            kind = schema["format"]
        bounds = [
            f"{word} {schema[key]}"
            for key, word in (("minimum", "from"), ("maximum", "to"))
            if key in schema
        ]
        return " ".join([_WORDS.get(kind, kind), *bounds])


_WORDS = {"string": "text", "integer": "whole number", "array": "list", "date-time": "time"}


def _tagged(value: Json, tag: str) -> bool:
    return {"name": tag} in value["tags"]


def _last(reference: str) -> str:
    return reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
