"""Alerts in the Common Alerting Protocol 1.2 (OASIS Standard, 1 July 2010). Pure.

An alert says what the feature says that its reader may see, and no more: a member that is not shared becomes "Unknown"
or is left out. A message is one entry of the reader's own event log: its identifier and time come from there, so that
a cancellation can name what it cancels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lxml import etree

from api.cap.settings import CapSettings
from api.markup import XML_HEAD, plain, serialised
from api.times import datetime_of, microseconds_of

__all__ = ["NAMESPACE", "Message", "Reader", "alert_of", "circle_of"]

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
_DEGREE_M = 111_320.0
_EVENTS = {"crossing": "Border crossing", "cue": "Sensor cue"}
_SEVERITIES = {"vehicle": "Moderate", "person": "Minor", "bicycle": "Minor"}
# What no element of CAP is for; the name is the feature's.
_PARAMETERS = (
    "kind",
    "direction",
    "status",
    "method",
    "confidence",
    "purpose",
    "owner",
    "marking",
    "sensitivity",
    "retention_days",
)
_CODES = "urn:vedette:record"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom an alert is.

    Parameters
    ----------
    name
        Of the partner; None for those inside.
    """

    name: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message about a record, in one reader's log.

    Parameters
    ----------
    record_id, record_type
        What it is about.
    n
        Number of the event in the reader's log.
    time_us
        When that event was, UTC microseconds since the Unix epoch.
    cancels
        Whether it takes back what was said.
    before
        (n, time_us) of the messages that it updates or cancels.
    """

    record_id: str
    record_type: str
    n: int
    time_us: int
    cancels: bool = False
    before: tuple[tuple[int, int], ...] = ()


def alert_of(
    message: Message, feature: Mapping[str, Any] | None, reader: Reader, settings: CapSettings, *, draft: bool = False
) -> bytes:
    """An alert as an XML document.

    Parameters
    ----------
    message
        Which message it is.
    feature
        The record as the reader may see it; None with a message that cancels.
    reader
        For whom.
    settings
        How.
    draft
        Whether nobody has confirmed it yet: a draft is not to be acted on.
    """
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    kind: Literal["Alert", "Update", "Cancel"]
    kind = "Cancel" if message.cancels else "Update" if message.before else "Alert"
    _add(alert, "identifier", _identifier(message.record_id, message.n))
    _add(alert, "sender", settings.sender)
    _add(alert, "sent", _moment(message.time_us))
    _add(alert, "status", "Draft" if draft else settings.status)
    _add(alert, "msgType", kind)
    if reader.name is None:
        _add(alert, "scope", "Restricted")
        _add(alert, "restriction", "For those inside the organisation")
    else:
        _add(alert, "scope", "Private")
        _add(alert, "addresses", _addresses([reader.name]))
    _add(alert, "code", f"{_CODES}:{message.record_type}")
    if message.cancels:
        _add(alert, "note", "Taken back: act on it no longer")
    if message.before:
        said = (f"{settings.sender},{_identifier(message.record_id, n)},{_moment(us)}" for n, us in message.before)
        _add(alert, "references", " ".join(said))
    if feature is not None and not message.cancels:
        _inform(alert, message, feature, settings)
    return XML_HEAD + serialised(alert)


def circle_of(lat: float, lon: float, error_m: float, grid_deg: float) -> tuple[float, float, float]:
    """Latitude, longitude and radius in kilometres of a circle around a point of the grid that holds the place.

    The radius is that of the cell and the error, rounded up to 100 m: it does not tell where in the cell the place is.
    """
    digits = max(0, math.ceil(-math.log10(grid_deg)))
    to = (round(round(value / grid_deg) * grid_deg, digits) for value in (lat, lon))
    radius_m = math.hypot(grid_deg / 2 * _DEGREE_M, grid_deg / 2 * _DEGREE_M) + error_m
    rounded_lat, rounded_lon = to
    return min(90.0, max(-90.0, rounded_lat)), min(180.0, max(-180.0, rounded_lon)), math.ceil(radius_m / 100) / 10


def _inform(alert: etree._Element, message: Message, feature: Mapping[str, Any], settings: CapSettings) -> None:
    properties = {**(feature["properties"].get("custody") or {}), **feature["properties"]}
    when = properties.get("time", properties.get("phenomenonTime"))
    when_us = microseconds_of(when) if isinstance(when, str) else None
    info = _add(alert, "info")
    _add(info, "language", settings.language)
    _add(info, "category", "Security")
    event = _EVENTS.get(message.record_type, message.record_type)
    _add(info, "event", event)
    _add(info, "responseType", "Assess")
    fresh = when_us is not None and message.time_us - when_us <= settings.fresh_s * 1e6
    _add(info, "urgency", "Unknown" if when_us is None else "Immediate" if fresh else "Past")
    _add(info, "severity", _SEVERITIES.get(str(properties.get("kind")), "Unknown"))
    _add(info, "certainty", _certainty(properties))
    if when_us is not None:
        _add(info, "onset", _moment(when_us))
    if isinstance(properties.get("expires"), str):
        _add(info, "expires", _moment(microseconds_of(properties["expires"])))
    if isinstance(properties.get("owner"), str):
        _add(info, "senderName", properties["owner"])
    words = [properties[name] for name in ("kind", "direction") if isinstance(properties.get(name), str)]
    _add(info, "headline", ": ".join([event, " ".join(words)] if words else [event])[:160])
    for name in _PARAMETERS:
        if properties.get(name) is not None:
            parameter = _add(info, "parameter")
            _add(parameter, "valueName", name)
            _add(parameter, "value", str(properties[name]))
    _locate(info, feature, settings)


def _locate(info: etree._Element, feature: Mapping[str, Any], settings: CapSettings) -> None:
    properties, geometry = feature["properties"], feature["geometry"]
    border = properties.get("border")
    located = geometry is not None and geometry["type"] == "Point"
    if not located and not isinstance(border, str):
        return
    area = _add(info, "area")
    _add(area, "areaDesc", border if isinstance(border, str) else "A place in the circle")
    if located:
        ellipse = properties.get("ellipse")
        error_m = ellipse["semi_major_m"] if ellipse is not None else 3 * (properties.get("uncertainty_m") or 0.0)
        lon, lat = geometry["coordinates"][:2]
        lat, lon, radius_km = circle_of(lat, lon, error_m, settings.grid_deg)
        _add(area, "circle", f"{_degrees(lat)},{_degrees(lon)} {radius_km:.1f}")


def _degrees(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".")


def _certainty(properties: Mapping[str, Any]) -> str:
    """`Observed` where the record says confirmed, else by the confidence; `Unknown` where neither is shared."""
    confidence = properties.get("confidence")
    if properties.get("status") == "confirmed":
        return "Observed"
    if confidence is None:
        return "Likely" if properties.get("status") == "probable" else "Unknown"
    return "Likely" if confidence > 0.5 else "Possible" if confidence > 0 else "Unlikely"


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if text is not None:
        child.text = plain(text)
    return child


def _identifier(record_id: str, n: int) -> str:
    return f"vedette.{record_id}.{n}"


def _addresses(names: Sequence[str]) -> str:
    """Separated by spaces; what holds one stands in quotes (3.2.1)."""
    quoted = (name.replace('"', "'") for name in names)
    return " ".join(f'"{name}"' if " " in name else name for name in quoted)


def _moment(time_us: int) -> str:
    """To the second, and the zone in digits: CAP forbids Z (3.3.2), and writes UTC as -00:00."""
    return datetime_of(time_us).strftime("%Y-%m-%dT%H:%M:%S").zfill(19) + "-00:00"
