"""A mission as KML that shows it on a globe and comes back without loss.

Every item is a placemark whose ExtendedData, typed by a Schema of the file, hold all its figures; items with a place
have a Point too. The way is a LineString, the fence its Polygons. What is shown follows from the data: a file in which
the two disagree was edited on one side, and is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lxml import etree

from geo import geodesic_destination
from missions.errors import FormatError
from missions.kml_file import KML, points_of, read_kml, sub, text_sub, write_kml
from missions.mission import Dialect, Mission, MissionItem

__all__ = ["read_mission_kml", "write_mission_kml"]

_FORMAT, _VERSION = "vedette-mission", "1"
_TYPES: dict[str, Callable[[str], Any]] = {
    "string": str,
    "int": int,
    "double": float,
    "bool": {"0": False, "1": True, "false": False, "true": True}.__getitem__,
}
_DOCUMENT = {
    "format": "string",
    "version": "string",
    "dialect": "string",
    "home_amsl_m": "double",
    "items": "int",
    "fence": "int",
    "rally": "int",
}
_ITEM = {
    "kind": "string",
    "seq": "int",
    "frame": "int",
    "command": "int",
    "p1": "double",
    "p2": "double",
    "p3": "double",
    "p4": "double",
    "x": "int",
    "y": "int",
    "z": "double",
    "autocontinue": "bool",
}
_SHAPE = {"kind": "string", "seq": "int"}
_SCHEMAS = {"mission": _DOCUMENT, "mission_item": _ITEM, "mission_shape": _SHAPE}
_KINDS = {"item": "items", "fence_vertex": "fence", "rally_point": "rally"}
"""Kind of a placemark: list of the mission."""
_TITLES = {"item": "items", "fence_vertex": "figures of the fence", "rally_point": "rally points"}

_ABSOLUTE, _ON_GROUND, _ABOVE_GROUND = "absolute", "clampToGround", "relativeToGround"
_FRAMES = {0: _ABSOLUTE, 5: _ABSOLUTE, 3: _ABSOLUTE, 6: _ABSOLUTE, 10: _ABOVE_GROUND, 11: _ABOVE_GROUND}
"""MAV_FRAME whose x and y are a place: how KML shows its height."""
_ABOVE_HOME = {3, 6}
_FLOWN = {16, 17, 18, 19, 21, 22, 31, 82, 84, 85, 94}
"""MAV_CMD that fly to their place, as the MAVLink common set has them."""
_POLYGONS, _CIRCLES, _RETURN_POINT = {5001: "keep in", 5002: "keep out"}, {5003: "keep in", 5004: "keep out"}, 5000
_CIRCLE_VERTICES = 36
_NAMES = {16: "waypoint", 20: "return", 22: "take-off", 177: "jump", 178: "speed", 205: "camera", 2500: "video on"}
_NAMES |= {2501: "video off", 5001: "keep in", 5002: "keep out", 5003: "keep in", 5004: "keep out", 5100: "rally point"}

_SAME_DEG, _SAME_M = 1.5e-7, 0.02
"""Places and heights nearer than this are the same: other programs round when they save."""

_LIMITS = {"frame": (0, 255), "command": (0, 65_535), "x": (-(2**31), 2**31 - 1), "y": (-(2**31), 2**31 - 1)}

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Shape:
    """A geometry as KML has it: its tag, altitude mode and vertices (longitude, latitude[, metres])."""

    tag: str
    mode: str
    points: tuple[tuple[float, ...], ...]


def write_mission_kml(mission: Mission, path: Path, home_amsl_m: float) -> None:
    """Write a mission with fence and rally points.

    Parameters
    ----------
    mission
        What to write.
    path
        Ends in ``.kml``, or ``.kmz`` for a packed one.
    home_amsl_m
        Elevation of home, metres AMSL: heights above home are shown above it.

    Raises
    ------
    FormatError
        When an item is out of order, is at no lawful place or has an infinite figure, when the fence is none, or when
        `home_amsl_m` is not the height of the home item.
    FileWriteError
        When the file cannot be written.
    """
    shapes = _shapes(mission, home_amsl_m, str(path))
    root = etree.Element(f"{{{KML}}}kml", nsmap={None: KML})
    document = sub(root, "Document")
    text_sub(document, "name", mission.name, f"mission {mission.name!r}")
    _styles(document)
    counts = {name: len(getattr(mission, name)) for name in _KINDS.values()}
    about = {"format": _FORMAT, "version": _VERSION, "dialect": mission.dialect, "home_amsl_m": float(home_amsl_m)}
    _data(document, "mission", about | counts)
    for name, fields in _SCHEMAS.items():
        schema = sub(document, "Schema", id=name, name=name)
        for field, kind in fields.items():
            sub(schema, "SimpleField", name=field, type=kind)
    for (kind, seq), shape in shapes.items():
        if kind not in _KINDS and shape:
            title = "way" if kind == "way" else f"fence: {_NAMES[mission.fence[seq].command]}"
            mark = _placemark(document, title, kind)
            _data(mark, "mission_shape", {"kind": kind, "seq": seq})
            _draw(mark, shape)
    for kind, name in _KINDS.items():
        folder = sub(document, "Folder")
        sub(folder, "name", _TITLES[kind])
        for item in getattr(mission, name):
            mark = _placemark(folder, f"{item.seq} {_NAMES.get(item.command, f'command {item.command}')}", kind)
            _data(mark, "mission_item", {"kind": kind} | {f: getattr(item, f) for f in _ITEM if f != "kind"})
            shape = shapes[kind, item.seq]
            if shape:
                _draw(mark, shape)
    write_kml(root, path)


def read_mission_kml(path: Path) -> Mission:
    """Read a mission that `write_mission_kml` wrote, also after another program has saved it again.

    Raises
    ------
    FormatError
        When it is no such file (the lines of a border or a track are no mission), when a figure is missing or garbled,
        or when what is shown and the data disagree; the message names the placemark.
    """
    path = Path(path)
    root = read_kml(path)
    ours = [d for d in root.iter("{*}Document") if _values(d).get("format") == _FORMAT]
    if len(ours) != 1:
        raise FormatError(f"{path}: {_what_else(root, len(ours))}")
    document, about = ours[0], _values(ours[0])
    if about.get("version") != _VERSION:
        raise FormatError(
            f"{path}: mission version {about.get('version')!r}, this program reads version {_VERSION}: "
            "read it with the program that wrote it"
        )
    head = _typed(about, _DOCUMENT, str(path))
    if head["dialect"] not in get_args(Dialect):
        raise FormatError(f"{path}: dialect is {head['dialect']!r}: give one of {', '.join(get_args(Dialect))}")
    items: dict[str, dict[int, MissionItem]] = {name: {} for name in _KINDS.values()}
    shown: dict[Key, _Shape | None] = {}
    for mark in document.iter("{*}Placemark"):
        where = f"{path}: placemark {(mark.findtext('{*}name') or '').strip()!r}"
        values = _values(mark)
        row = _typed(values, _ITEM if values.get("kind") in _KINDS else _SHAPE, where)
        key = (row.pop("kind"), row["seq"])
        if key in shown:
            raise FormatError(f"{where}: is there twice: remove one of them")
        shown[key] = _shape(mark, where)
        if key[0] in _KINDS:
            items[_KINDS[key[0]]][key[1]] = MissionItem(**row)
    lists = {name: _in_order(found, head[name], f"{path}: {name}") for name, found in items.items()}
    mission = Mission(document.findtext("{*}name") or "", head["dialect"], **lists)
    _compare(_shapes(mission, head["home_amsl_m"], str(path)), shown, path)
    return mission


def _what_else(root: etree._Element, count: int) -> str:
    """What a KML is that is not one mission of ours."""
    if count:
        return f"has {count} missions: keep one of them"
    lines = sum(1 for _ in root.iter("{*}LineString", "{*}LinearRing", "{*}Track"))
    if lines:
        return (
            f"has {lines} line{'s' if lines > 1 else ''} and no items: it is a border, an area or a track, not a "
            "mission: read it as a border, or give a file that write_mission_kml wrote"
        )
    return "has no mission in it: give a file that write_mission_kml wrote"


def _in_order(found: dict[int, MissionItem], count: int, where: str) -> tuple[MissionItem, ...]:
    lost = next((n for n in range(count) if n not in found), None)
    if lost is not None or len(found) != count:
        said = f"number {lost} is missing" if lost is not None else f"{len(found) - count} too many"
        raise FormatError(f"{where}: {said} of {count}: a placemark was removed or added: write the mission again")
    return tuple(found[n] for n in range(count))


# Shapes: what is shown of a mission.


def _shapes(mission: Mission, home_amsl_m: float, where: str) -> dict[Key, _Shape | None]:
    """The geometry of every placemark, None of those that have none. Raises FormatError for what cannot be shown."""
    if not math.isfinite(home_amsl_m):
        raise FormatError(f"{where}: home_amsl_m is {home_amsl_m}: give the elevation of home, metres AMSL")
    first = mission.items[0] if mission.items else None
    is_home = mission.dialect == "ardupilot" and first and (first.frame, first.command) == (0, 16)
    if first and is_home and not abs(first.z - home_amsl_m) <= _SAME_M:  # also refuses NaN
        raise FormatError(
            f"{where}: home is at {first.z:g} m AMSL in item 0 and at {home_amsl_m:g} m as given: give one height"
        )
    shapes: dict[Key, _Shape | None] = {}
    for kind, name in _KINDS.items():
        for n, item in enumerate(getattr(mission, name)):
            spot = f"{where}: {name}: item {n}"
            if item.seq != n:
                raise FormatError(f"{spot}: seq is {item.seq}, {n} comes next: number the items in order")
            _check(item, spot)
            shape = _point(item, home_amsl_m, spot)
            # The corners of a fence are shown by its polygon.
            shapes[kind, n] = None if kind == "fence_vertex" else shape
    ways = [shape for i in mission.items if i.command in _FLOWN and (shape := shapes["item", i.seq])]
    if len(ways) > 1:
        # Where one height is not known above the sea, the line makes no claim about any.
        level = all(shape.mode == _ABSOLUTE for shape in ways)
        points = tuple(shape.points[0] if level else shape.points[0][:2] for shape in ways)
        shapes["way", 0] = _Shape("LineString", _ABSOLUTE if level else _ON_GROUND, points)
    shapes |= {("fence", n): shape for n, shape in _areas(mission.fence, where)}
    return shapes


def _check(item: MissionItem, where: str) -> None:
    for name in ("p1", "p2", "p3", "p4", "z"):
        if math.isinf(getattr(item, name)):
            raise FormatError(f"{where}: {name} is infinite: give a number, or NaN to leave it as it is")
    for name, (low, high) in _LIMITS.items():
        if not low <= getattr(item, name) <= high:
            raise FormatError(f"{where}: {name} is {getattr(item, name)}: give a whole number from {low} to {high}")


def _point(item: MissionItem, home_amsl_m: float, where: str) -> _Shape | None:
    """Where an item is; latitude and longitude both 0 say "here" to an autopilot, and are no place."""
    mode = _FRAMES.get(item.frame)
    if mode is None or (item.x == 0 and item.y == 0):
        return None
    if abs(item.x) > 900_000_000 or abs(item.y) > 1_800_000_000:
        raise FormatError(f"{where}: is at {item.x / 1e7:g}, {item.y / 1e7:g}: give degrees within ±90 and ±180")
    if math.isnan(item.z):
        return _Shape("Point", _ON_GROUND, ((item.y / 1e7, item.x / 1e7),))
    height = float(item.z + home_amsl_m if item.frame in _ABOVE_HOME else item.z)
    return _Shape("Point", mode, ((item.y / 1e7, item.x / 1e7, height),))


def _areas(fence: tuple[MissionItem, ...], where: str) -> Iterator[tuple[int, _Shape]]:
    """The areas of a fence, each with the number of its first item. Raises FormatError where the fence is none.

    An invalid fence was once silently inactive (ArduPilot#7138): what cannot be drawn is not handed on.
    """
    n = 0
    while n < len(fence):
        item, spot = fence[n], f"{where}: fence: item {n}"
        size = 1
        if item.frame not in _FRAMES:
            raise FormatError(f"{spot}: frame {item.frame} has no latitude and longitude: give a global one")
        if item.command in _POLYGONS:
            size = int(item.p1) if item.p1 >= 3 and float(item.p1).is_integer() else 0
            run = fence[n : n + size]
            alike = {(v.command, v.frame, v.p1) for v in run} == {(item.command, item.frame, item.p1)}
            if not size or len(run) < size or not alike:
                raise FormatError(f"{spot}: begins a polygon of {item.p1:g} vertices that do not follow: correct p1")
            ring = [(v.y / 1e7, v.x / 1e7) for v in run]
        elif item.command in _CIRCLES:
            if not item.p1 > 0:
                raise FormatError(f"{spot}: is a circle of radius {item.p1:g} m: give a radius above 0")
            turns = (360.0 * k / _CIRCLE_VERTICES for k in range(_CIRCLE_VERTICES))
            around = (geodesic_destination(item.x / 1e7, item.y / 1e7, turn, item.p1) for turn in turns)
            ring = [(lon, lat) for lat, lon in around]
        elif item.command != _RETURN_POINT:
            raise FormatError(f"{spot}: command {item.command} belongs to no fence: remove it")
        if item.command != _RETURN_POINT:
            yield n, _Shape("Polygon", _ON_GROUND, (*ring, ring[0]))
        n += size


def _compare(wanted: dict[Key, _Shape | None], shown: dict[Key, _Shape | None], path: Path) -> None:
    """Refuse what is shown where it does not follow from the data."""
    for key in wanted.keys() | shown.keys():
        want, have = wanted.get(key), shown.get(key)
        if want is have is None and key in wanted:
            continue
        if want is None or have is None or not _same(want, have):
            raise FormatError(
                f"{path}: {' '.join(map(str, key))}: shows {_said(have)}, its data say {_said(want)}: one of the two "
                "was edited: write the mission again, or undo the edit"
            )


def _same(one: _Shape, other: _Shape) -> bool:
    if (one.tag, one.mode, len(one.points)) != (other.tag, other.mode, len(other.points)):
        return False
    limits = (_SAME_DEG, _SAME_M) if one.mode != _ON_GROUND else (_SAME_DEG, math.inf)
    for a, b in zip(one.points, other.points, strict=True):
        # Of what lies on the ground other programs write a height of 0.
        if one.mode != _ON_GROUND and len(a) != len(b):
            return False
        if not all(abs(u - v) <= limits[k == 2] for k, (u, v) in enumerate(zip(a, b, strict=False))):
            return False
    return True


def _said(shape: _Shape | None) -> str:
    if shape is None:
        return "nothing"
    first = ",".join(f"{v:.7f}".rstrip("0").rstrip(".") for v in shape.points[0])
    return f"a {shape.mode} {shape.tag} of {len(shape.points)} from {first}"


# Between shapes or values and the tree.


def _draw(mark: etree._Element, shape: _Shape) -> None:
    element = sub(mark, shape.tag)
    if shape.tag != "Point":
        sub(element, "tessellate", "1" if shape.mode == _ON_GROUND else "0")
    sub(element, "altitudeMode", shape.mode)
    if shape.tag == "Polygon":
        element = sub(sub(element, "outerBoundaryIs"), "LinearRing")
    sub(element, "coordinates", " ".join(",".join(map(repr, point)) for point in shape.points))


def _shape(mark: etree._Element, where: str) -> _Shape | None:
    found = list(mark.iter("{*}Point", "{*}LineString", "{*}Polygon", "{*}Track", "{*}Model"))
    if not found:
        return None
    tag = etree.QName(found[0]).localname
    rings = list(found[0].iter("{*}LinearRing")) if tag == "Polygon" else [found[0]]
    if len(found) > 1 or len(rings) != 1:
        raise FormatError(f"{where}: has several geometries: one was added: remove it")
    mode = (found[0].findtext("{*}altitudeMode") or _ON_GROUND).strip()
    return _Shape(tag, mode, tuple(points_of(rings[0], where, 3)))


def _data(parent: etree._Element, schema: str, values: dict[str, Any]) -> None:
    data = sub(sub(parent, "ExtendedData"), "SchemaData", schemaUrl=f"#{schema}")
    for name, kind in _SCHEMAS[schema].items():
        value = values[name]
        text = _double(float(value)) if kind == "double" else str(int(value)) if kind in {"int", "bool"} else value
        sub(data, "SimpleData", text, name=name)


def _double(value: float) -> str:
    # As XML Schema writes it.
    return "NaN" if math.isnan(value) else repr(value)


def _values(feature: etree._Element) -> dict[str, str]:
    """SimpleData of a feature itself, not of the features in it."""
    return {
        str(data.get("name")): (data.text or "").strip()
        for data in feature.iterfind("{*}ExtendedData/{*}SchemaData/{*}SimpleData")
    }


def _typed(values: dict[str, str], fields: dict[str, str], where: str) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, kind in fields.items():
        if name not in values:
            raise FormatError(f"{where}: has no {name} in its data: it was added or cut: remove it or write all again")
        try:
            typed[name] = _TYPES[kind](values[name])
        except (ValueError, KeyError):
            raise FormatError(f"{where}: {name} is {values[name]!r}: give a value of type {kind}") from None
    return typed


def _placemark(parent: etree._Element, name: str, style: str) -> etree._Element:
    mark = sub(parent, "Placemark")
    sub(mark, "name", name)
    sub(mark, "styleUrl", f"#{style}")
    return mark


def _styles(document: etree._Element) -> None:
    for name, colour in (("way", "ff0e7fff"), ("fence", "ff2ca02c")):  # aabbggrr
        style = sub(document, "Style", id=name)
        line = sub(style, "LineStyle")
        sub(line, "color", colour)
        sub(line, "width", "2")
        if name == "fence":
            sub(sub(style, "PolyStyle"), "fill", "0")
    for name, scale in (("item", "0.4"), ("rally_point", "1")):
        sub(sub(sub(document, "Style", id=name), "IconStyle"), "scale", scale)
