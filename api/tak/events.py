"""Records as Cursor-on-Target 2.0 events. Pure: what is not in the feature that a reader may see is in no event.

Sources: the event's attributes and `how` are those of MITRE's schema (Event-PUBLIC.xsd, version 2.0, MITRE case
11-3895), the numbers of `sensor` and `shape` those of its schemas for them (11-3909, 11-3904); types come from MITRE's
list of CoT types, which follows MIL-STD-2525; `__video`, `link` with a point, `t-x-d-d` and `__forcedelete` are as
ATAK-CIV (public repository, takcot schemas) writes them, `releasableTo` and `caveat` as TAK Server reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from api.errors import SettingsError
from api.markup import plain, serialised
from api.records.merges import MERGED
from api.tak.elements import UNKNOWN, Place, add_line, add_point, decimal, inside_of, new_event, outline, thinned
from api.times import microseconds_of

__all__ = ["OF_NO_EVENT", "CotRules", "deletes_of", "events_of", "ping_of", "uids_of"]

OF_NO_EVENT = ("dismissed", MERGED)
"""States of review of records that no event tells of: of a merged one, its survivor's does."""
_SHAPE = "u-d-f"

# A person decides who is hostile, not a camera: affiliation is pending until the review and unknown after it.
_CROSSINGS = {"vehicle": "G-E-V-C", "bicycle": "G-E-V", "person": "G"}
_CUES = {"motion": "b-d-m", "infrared": "b-d-m", "acoustic": "b-d-a"}
_SENSORS = {"radar": "a-f-G-E-S-R"}
_VEHICLES = {"plane": "a-f-A-M-F-Q", "vtol": "a-f-A-M-F-Q", "ground": "a-f-G-E-V"}
_HOWS = {"crossing": "m-i", "cue": "m-r", "vehicle": "m-g", "sortie": "m-p"}
# Parts of a record that are events of their own, since clients draw only what has the type of a drawing.
_PARTS = {"crossing": ("track",), "vehicle": ("footprint",), "sortie": ("footprint",)}
# Our name of what a camera looks at, and CoT's.
_VIEW = {
    "azimuth": "azimuth_deg",
    "fov": "fov_deg",
    "vfov": "vfov_deg",
    "elevation": "elevation_deg",
    "roll": "roll_deg",
    "range": "range_m",
    "model": "model",
}
# Which member of a record holds its view; the record itself where none is named.
_VIEWS = {"vehicle": "camera", "sortie": "camera", "cue": "parameters"}
# What CoT has no place for goes into a detail of our own, under the names that the feature has.
_OURS = (
    "time",
    "kind",
    "direction",
    "status",
    "state",
    "frame",
    "method",
    "confidence",
    "border",
    "purpose",
    "owner",
    "marking",
    "sensitivity",
    "retention_days",
    "expires",
    "altitude_amsl_m",
    "battery_left",
    "link",
    "mode",
    "sortie",
)


@dataclass(frozen=True, slots=True)
class CotRules:
    """How events are made.

    Parameters
    ----------
    stale_s
        How long after an event is made it counts as current; never beyond the end of its retention, or of the time for
        which the live state of a vehicle counts.
    opex
        `e-NAME` in an exercise, `s-NAME` in a simulation, `o-NAME` in an operation; None says nothing.
    base_url
        Where readers reach this service, without a slash at the end: the link of a clip begins with it. None: no links.
    archive
        Whether clients keep an event beyond their restart. Off: what is shared should not outlive its retention.

    Raises
    ------
    SettingsError
        When a value cannot be meant.
    """

    stale_s: float = 3600.0
    opex: str | None = None
    base_url: str | None = None
    archive: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.stale_s <= 366 * 86400:
            raise SettingsError(f"stale_s {self.stale_s} is not from 1 second to a year")
        if self.opex is not None and (self.opex[:1] not in {"o", "e", "s"} or self.opex[1:2] not in {"", "-"}):
            raise SettingsError(f"opex {self.opex!r} is none: give o-NAME, e-NAME or s-NAME")
        if self.base_url is not None and not self.base_url.startswith(("https://", "http://")):
            raise SettingsError(f"base_url {self.base_url!r} is no address: give https://HOST")


def uids_of(record_id: str, record_type: str) -> tuple[str, ...]:
    """The uids that events of a record may have: its own, then those of its parts."""
    return (f"vedette-{record_id}", *(f"vedette-{record_id}-{part}" for part in _PARTS.get(record_type, ())))


def events_of(
    feature: Mapping[str, Any],
    record_type: str,
    *,
    now_us: int,
    rules: CotRules,
    media: str = "none",
) -> tuple[bytes, ...]:
    """The events of one record; none where its place is not known or not shared, since CoT cannot say so.

    Parameters
    ----------
    feature
        GeoJSON Feature as its reader may see it.
    record_type
        "crossing", "cue", "vehicle", ...
    now_us
        When the events are made, UTC microseconds since the Unix epoch.
    rules
        How.
    media
        Which clip the reader may fetch: "none", "blurred", "redacted" or "original".

    Returns
    -------
    tuple of bytes
        XML without a declaration, the record's own event first, then those of its parts.
    """
    properties = feature["properties"]
    stale_us = now_us + round(rules.stale_s * 1e6)
    for end in (properties.get("expires"), (properties.get("live") or {}).get("until")):
        if isinstance(end, str):
            stale_us = min(stale_us, microseconds_of(end))
    if feature["geometry"] is None or stale_us <= now_us:
        return ()
    maker = _Maker(feature, record_type, now_us, stale_us, rules, media)
    return tuple(serialised(event) for event in maker.events())


def deletes_of(
    record_id: str, record_type: str, *, now_us: int, rules: CotRules, but: Collection[str] = ()
) -> tuple[bytes, ...]:
    """Events that ask clients to remove what `events_of` has made of a record, whether or not they have it.

    What has a uid of `but` stays.
    """
    stale_us = now_us + round(rules.stale_s * 1e6)
    made = []
    for uid in uids_of(record_id, record_type):
        if uid in but:
            continue
        event = new_event(f"{uid}-delete", "t-x-d-d", "m-g", (now_us, now_us, stale_us), rules.opex)
        add_point(event, Place(0.0, 0.0))
        detail = etree.SubElement(event, "detail")
        etree.SubElement(detail, "link", uid=uid, relation="none", type="none")
        etree.SubElement(detail, "__forcedelete")
        made.append(serialised(event))
    return tuple(made)


def ping_of(*, now_us: int) -> bytes:
    """The event that a TAK server answers."""
    event = new_event("vedette-ping", "t-x-c-t", "m-g", (now_us, now_us, now_us + 20_000_000))
    add_point(event, Place(0.0, 0.0))
    return serialised(event)


class _Maker:
    """Makes the events of one feature."""

    def __init__(  # noqa: PLR0917 - of one caller
        self, feature: Mapping[str, Any], record_type: str, now_us: int, stale_us: int, rules: CotRules, media: str
    ) -> None:
        self.id: str = feature["id"]
        self.geometry: Mapping[str, Any] = feature["geometry"]
        # A cue carries its custody in a member of its own.
        self.properties: Mapping[str, Any] = {**(feature["properties"].get("custody") or {}), **feature["properties"]}
        self.media = media
        self.type = record_type
        self.rules = rules
        start = self.properties.get("time", self.properties.get("phenomenonTime"))
        start_us = microseconds_of(start) if isinstance(start, str) else now_us
        self.times = (now_us, start_us, stale_us)

    def events(self) -> Iterable[etree._Element]:
        """The record's own event, then its parts'."""
        yield self._own()
        for part in _PARTS.get(self.type, ()):
            line = self._part(part)
            if line is not None:
                yield self._drawing(part, *line)

    def _own(self) -> etree._Element:
        drawn = self.geometry["type"] != "Point"
        place = inside_of(self.geometry) if drawn else self._place()
        event = self._begin("", _SHAPE if drawn else self._cot_type(), place)
        detail = event[-1]
        if drawn:
            add_line(detail, *outline(self.geometry))
        self._describe(detail)
        return event

    def _begin(self, part: str, cot_type: str, place: Place) -> etree._Element:
        uid = f"vedette-{self.id}" + (part and f"-{part}")
        event = new_event(uid, cot_type, self._how(), self.times, self.rules.opex)
        for name, value in _handling(self.properties).items():
            event.set(name, plain(value))
        add_point(event, place)
        etree.SubElement(event, "detail")
        return event

    def _place(self) -> Place:
        lon, lat, *rest = self.geometry["coordinates"]
        ellipse = self.properties.get("ellipse")
        sigma_m = self.properties.get("uncertainty_m")
        # The circle that holds the 95 % region: the schema would take one sigma where `ce` is an error, but readers
        # draw it as the area in question, and it must not look smaller than it is.
        ce_m = None if sigma_m is None else sigma_m * _SIGMAS_95
        if ellipse is not None:
            ce_m = ellipse["semi_major_m"]
        return Place(lat, lon, rest[0] if rest else None, ce_m)

    def _cot_type(self) -> str:
        kind = self.properties.get("kind")
        if self.type == "crossing":
            state = (self.properties.get("review") or {}).get("state", "confirmed")
            return f"a-{'u' if state == 'confirmed' else 'p'}-{_CROSSINGS.get(str(kind), 'G')}"
        if self.type == "cue":
            return _CUES.get(str(kind), "b-d")
        if self.type == "sensor":
            return _SENSORS.get(str(kind), "a-f-G-E-S-E")
        if self.type == "vehicle":
            return _VEHICLES.get(str(self.properties.get("frame")), "a-f-A-M-H-Q")
        return "b-m-p-s-m"

    def _how(self) -> str:
        if self.type == "cue" and self.properties.get("kind") == "person":
            return "h-e"
        return _HOWS.get(self.type, "m-c")

    def _describe(self, detail: etree._Element) -> None:
        properties = self.properties
        words = [properties[name] for name in ("kind", "direction") if isinstance(properties.get(name), str)]
        name = properties.get("name") or " ".join([*(words or [self.type]), self.id[:8]])
        etree.SubElement(detail, "contact", callsign=plain(str(name)))
        said = [f"{member}: {properties[member]}" for member in _OURS if _scalar(properties.get(member))]
        etree.SubElement(detail, "remarks").text = plain("; ".join(said))
        ours = etree.SubElement(detail, "__vedette", type=self.type, id=self.id)
        for member in _OURS:
            if _scalar(properties.get(member)):
                ours.set(member, plain(str(properties[member])))
        if isinstance(properties.get("marking"), str):
            etree.SubElement(detail, "marking").text = plain(properties["marking"])
        self._describe_view(detail)
        self._describe_motion(detail)
        self._describe_area(detail)
        self._link_video(detail)
        if self.rules.archive:
            etree.SubElement(detail, "archive")

    def _describe_view(self, detail: etree._Element) -> None:
        member = _VIEWS.get(self.type)
        view = self.properties if member is None else self.properties.get(member) or {}
        found = {name: view[ours] for name, ours in _VIEW.items() if view.get(ours) is not None}
        if "azimuth" in found:  # without it, nothing can be drawn
            sensor = etree.SubElement(detail, "sensor", type="r-e", version="0.6")
            for name, value in found.items():
                sensor.set(name, plain(value) if isinstance(value, str) else decimal(_bounded(name, value)))

    def _describe_motion(self, detail: etree._Element) -> None:
        course, speed = self.properties.get("course_deg"), self.properties.get("speed_m_s")
        if course is not None and speed is not None:
            etree.SubElement(detail, "track", course=decimal(course), speed=decimal(speed))

    def _describe_area(self, detail: etree._Element) -> None:
        ellipse, footprint = self.properties.get("ellipse"), self.properties.get("footprint")
        if ellipse is None and footprint is None:
            return
        shape = etree.SubElement(detail, "shape")
        if ellipse is not None:
            etree.SubElement(
                shape,
                "ellipse",
                # Whole axes, as the schema has them and ATAK draws a marker's ellipse; ours are half of one.
                major=decimal(2 * ellipse["semi_major_m"]),
                minor=decimal(2 * ellipse["semi_minor_m"]),
                angle=decimal(ellipse["orientation_deg"]),
            )
        if footprint is not None:
            line = etree.SubElement(shape, "polyline", closed="true")
            for lon, lat in outline(footprint)[0]:
                # Without a height of its own, a vertex has its aircraft's by the schema.
                etree.SubElement(line, "vertex", lat=f"{lat:.7f}", lon=f"{lon:.7f}", hae=UNKNOWN)

    def _link_video(self, detail: etree._Element) -> None:
        clip = self.media != "none" and bool(self.properties.get("evidence"))
        live = self.properties.get("video")
        url = None
        if isinstance(live, str) and live.startswith(("https://", "http://", "rtsp://", "rtsps://", "srt://")):
            url = live
        elif self.rules.base_url is not None and clip:  # who may see a copy gets it under the same name
            url = f"{self.rules.base_url}/crossings/{self.id}/evidence/clip"
        if url is not None:
            uid = f"vedette-{self.id}-video"
            etree.SubElement(detail, "__video", uid=uid, url=plain(url))
            etree.SubElement(detail, "link", uid=uid, relation="r-u", url=plain(url), remarks="video", type="b-i-v")

    def _part(self, part: str) -> tuple[list[tuple[float, float]], bool] | None:
        value = self.properties.get(part)
        if part == "track":
            points = [(point["lon"], point["lat"]) for point in value or ()]
            return (thinned(points), False) if len(points) > 1 else None
        return None if value is None else outline(value)

    def _drawing(self, part: str, line: list[tuple[float, float]], closed: bool) -> etree._Element:
        lon, lat = line[0]
        event = self._begin(part, _SHAPE, Place(lat, lon))
        add_line(event[-1], line, closed)
        etree.SubElement(event[-1], "contact", callsign=f"{part} {self.id[:8]}")
        etree.SubElement(event[-1], "link", uid=f"vedette-{self.id}", relation="p-p", type=self._parent_type())
        return event

    def _parent_type(self) -> str:
        return self._cot_type() if self.geometry["type"] == "Point" else _SHAPE


_SIGMAS_95 = 2.4477
"""Radius of the circle that holds 95 % of a round normal distribution in the plane, in sigmas: sqrt(-2 ln 0.05)."""
_WIDEST = 359.9


def _handling(properties: Mapping[str, Any]) -> dict[str, str]:
    """Who may have it, in TAK's attributes: `MARKING REL NAME` is releasable to NAME, no marking to nobody."""
    marking, sensitivity = properties.get("marking"), properties.get("sensitivity")
    caveats = [] if sensitivity is None else [f"TLP:{str(sensitivity).upper()}"]
    if not isinstance(marking, str):
        return {"access": "Undefined", "caveat": ", ".join([*caveats, "NOT RELEASABLE"])}
    access, rel, whom = f" {marking} ".partition(" REL ")
    found = {"access": access.strip() or "Undefined"}
    if rel:
        found["releasableTo"] = whom.strip().removeprefix("TO ")
    return found | ({"caveat": ", ".join(caveats)} if caveats else {})


def _bounded(name: str, degrees: float) -> float:
    """An angle of a view as the schema takes it: a field of view ends short of the whole circle, a roll at 180."""
    if name in {"fov", "vfov"}:
        return min(degrees, _WIDEST)
    return 180.0 if name == "roll" and degrees == -180.0 else degrees


def _scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
