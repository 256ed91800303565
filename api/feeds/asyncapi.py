"""The description of the feeds (AsyncAPI 3.0), made from the table of kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api.feeds.kinds import KINDS, schema_of

__all__ = ["RECORDS", "document"]

_ORDER_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_TEXT = {"type": "string"}
_SECURITY = [{"$ref": "#/components/securitySchemes/key"}]
_LIVE: dict[str, dict[str, Any]] = {
    "vehicle": {
        "name": "vehicle",
        "summary": "A vehicle with its live state; `properties.live` says of when it is and until when it counts.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "properties": {
                "type": {"const": "Feature"},
                "id": {"type": "string"},
                "geometry": {"type": ["object", "null"]},
                "properties": {"type": "object", "required": ["live"]},
            },
            "required": ["type", "id", "geometry", "properties"],
            "additionalProperties": False,
        },
    },
    "gone": {
        "name": "gone",
        "summary": "The live state of a vehicle is not to be seen any more.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "properties": {"id": {"type": "string"}},
            "required": ["id"],
            "additionalProperties": False,
        },
    },
}
"""What the stream of vehicles sends; its events are of no log and have no number."""
_RECORD_MEMBERS: dict[str, Any] = {
    "n": {"type": "integer", "minimum": 1, "description": "The number in the log: your cursor. There are gaps."},
    "time": {"type": "string", "format": "date-time"},
}
_OF_RECORD: dict[str, Any] = {
    **_RECORD_MEMBERS,
    "record_type": _TEXT,
    "record_id": _ORDER_ID,
}


def _message_of(name: str, summary: str, members: dict[str, Any]) -> dict[str, Any]:
    """A message of which every member is always there."""
    payload = {"type": "object", "properties": members, "required": sorted(members), "additionalProperties": False}
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": payload}


RECORDS: dict[str, dict[str, Any]] = {
    "record": _message_of(
        "record",
        "A record that came or has changed, as you may read it at this moment.",
        _OF_RECORD
        | {
            "new": {"type": "boolean", "description": "It came with this event: nobody here knew of it before."},
            "feature": {"type": "object", "description": "GeoJSON Feature."},
        },
    ),
    "gone": _message_of("gone", "A record may not be read any more.", _OF_RECORD),
    "launch": _message_of(
        "launch",
        "A launch was given or has changed: read it, GET /launches/{launch_id}.",
        _RECORD_MEMBERS | {"id": _ORDER_ID},
    ),
}
"""What the stream of records sends."""
_ORDERS: dict[str, dict[str, Any]] = {
    "order": {
        "name": "order",
        "summary": "An order to a vehicle as it stands.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "description": "As GET /orders/{order_id} answers it: see the schema Order of the OpenAPI document.",
            "properties": {"id": _ORDER_ID, "kind": _TEXT, "state": _TEXT},
            "required": ["id", "kind", "state"],
        },
    },
}
"""What the stream of orders sends."""
_STATIONS: dict[str, dict[str, Any]] = {
    "station": {
        "name": "station",
        "summary": "A ground station as it stands, with its vehicles.",
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "description": "As GET /stations answers it: see the schema Station of the OpenAPI document.",
            "properties": {"source": _TEXT, "live": {"type": "boolean"}},
            "required": ["source", "live"],
        },
    },
    "gone": _message_of("gone", "A ground station is not known any more.", {"id": _TEXT}),
}
"""What the stream of ground stations sends."""


@dataclass(frozen=True, slots=True)
class _Feed:
    """One channel and its operation.

    Parameters
    ----------
    title, description, summary
        Of the channel, and of the operation, for people.
    messages
        Names of what it sends, as the channel calls them, and of the components that they are.
    address
        Its path; None where the receiver says where.
    """

    title: str
    description: str
    summary: str
    messages: Mapping[str, str]
    address: str | None = None

    def channel(self) -> dict[str, Any]:
        """As the document has it."""
        reached = {} if self.address is None else {"servers": [{"$ref": "#/servers/service"}]}
        messages = {name: {"$ref": f"#/components/messages/{component}"} for name, component in self.messages.items()}
        about = {"address": self.address, "title": self.title, "description": self.description}
        return about | reached | {"messages": messages}

    def operation(self, name: str) -> dict[str, Any]:
        """Of the channel of that name."""
        asked = self.address is not None  # by whoever reads, with a key; the others are called
        return {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": self.summary,
            **({"security": _SECURITY} if asked else {}),
            "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in self.messages],
            "bindings": {"http": {"method": "GET" if asked else "POST", "bindingVersion": "0.3.0"}},
        }


def _key(name: str) -> str:
    """A name of the components: those may hold no dot everywhere."""
    return name.replace(".", "_")


def _named(names: Iterable[str], prefix: str = "") -> dict[str, str]:
    """Messages of a stream by their components, and the last one of each."""
    return {name: prefix + name for name in names} | {"bye": "bye"}


_STREAMED = "GET with Accept: text/event-stream. "
_KINDS = tuple(_key(name) for name in KINDS)
_FEEDS: dict[str, _Feed] = {
    "stream": _Feed(
        "Server-Sent Events",
        _STREAMED + "`event` is the kind, `id` the number, `data` the event. Resume with Last-Event-ID or ?after=. The "
        "last event of a stream that the service ends is `bye`.",
        "Events as they happen, after those that were missed.",
        _named(_KINDS),
        "/events/stream",
    ),
    "vehicles": _Feed(
        "Live vehicles (Server-Sent Events)",
        _STREAMED + "Every vehicle whose live state may be read, then whatever changes. A slow reader gets the newest "
        "state of each and none in between; there is no cursor.",
        "Where vehicles are now.",
        _named(_LIVE),
        "/vehicles/stream",
    ),
    "records": _Feed(
        "Records (Server-Sent Events)",
        _STREAMED + "For those who read records and not the log: each that comes or changes, of the types that you may "
        "read, and no word of what was done to it. `id` is the cursor, also where it comes without an event. Resume "
        "with Last-Event-ID or ?after=.",
        "Records as they come and change.",
        _named(RECORDS, "record_"),
        "/records/stream",
    ),
    "orders": _Feed(
        "Orders to vehicles (Server-Sent Events)",
        _STREAMED + "The orders of the last two hours as they stand, then each that changes; a key that is bound to "
        "sources is told of those to their vehicles. There is no cursor.",
        "What vehicles are told to do, and what came of it.",
        _named(_ORDERS),
        "/orders/stream",
    ),
    "stations": _Feed(
        "Ground stations (Server-Sent Events)",
        _STREAMED + "Every ground station that you may know of, then each that changes; that it told the same again is "
        "not told. There is no cursor.",
        "Which ground stations stand by, with what.",
        _named(_STATIONS, "station_"),
        "/stations/stream",
    ),
    "webhook": _Feed(
        "Webhook",
        "POST to a target that POST /webhooks named. Standard Webhooks: verify webhook-signature (v1, HMAC-SHA256 over "
        "id, timestamp and body) with the secret of the target; webhook-id is the same for every attempt at one event.",
        "Each event of a target's audience, in order.",
        {name: f"{name}_call" for name in _KINDS},
    ),
}
_BYE = {
    "name": "bye",
    "summary": "The stream ends; slow and stopping: come back with your cursor.",
    "contentType": "application/json",
    "payload": {
        "type": "object",
        "properties": {"reason": {"enum": ["slow", "revoked", "stopping"]}},
        "required": ["reason"],
        "additionalProperties": False,
    },
}


def document(host: str, scheme: str) -> dict[str, Any]:
    """The AsyncAPI document of a service that is reached as `host` over `scheme` ("https" or "http")."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vedette feeds",
            "version": "1",
            "description": "One ordered log of events. A subscriber is a cursor in the log of its audience: events "
            "come at least once, in order. Those inside are told of all, a partner of what is released to it.",
        },
        "defaultContentType": "application/json",
        "servers": {"service": {"host": host, "protocol": scheme}},
        "channels": {name: feed.channel() for name, feed in _FEEDS.items()},
        "operations": {f"send{name.capitalize()}": feed.operation(name) for name, feed in _FEEDS.items()},
        "components": {
            "schemas": {_key(name): schema_of(name) for name in KINDS},
            "messages": _messages(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key that the service issued."}
            },
        },
    }


def _messages() -> dict[str, Any]:
    """Whatever is sent anywhere, by the name of its component."""
    return {
        **{_key(name): _message(name) for name in KINDS},
        **{f"{_key(name)}_call": _call(name) for name in KINDS},
        **_LIVE,
        **{f"record_{name}": message for name, message in RECORDS.items()},
        **_ORDERS,
        **{f"station_{name}": message for name, message in _STATIONS.items()},
        "bye": _BYE,
    }


def _message(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    told = "those inside and the partner" if kind.partner else "those inside"
    return {
        "name": name,
        "title": name,
        "summary": kind.summary,
        "description": f"Told: {told}.",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{_key(name)}"},
    }


def _call(name: str) -> dict[str, Any]:
    return _message(name) | {
        "headers": {
            "type": "object",
            "properties": {
                "webhook-id": {"type": "string"},
                "webhook-timestamp": {"type": "string", "pattern": "^[0-9]+$"},
                "webhook-signature": {"type": "string", "pattern": "^v1,"},
            },
            "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        },
        "payload": {
            "type": "object",
            "properties": {
                "type": {"const": name},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": {"$ref": f"#/components/schemas/{_key(name)}"},
            },
            "required": ["type", "timestamp", "data"],
            "additionalProperties": False,
        },
    }
