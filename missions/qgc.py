"""QGroundControl `.plan` files, version 1: mission, geofence and rally points of one sortie.

Format as QGroundControl documents it (developer guide, "Plan File Format"). A parameter that says nothing, NaN, is
null. A jump names its target by the doJumpId of it, which counts from 1 whether or not the items in memory begin with
home.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from missions.errors import FormatError, MissionError
from missions.fence_shapes import FenceCircle, FencePolygon, FenceShape, fence_shapes
from missions.files import read_json, write_json
from missions.fleet import AircraftForm
from missions.item_file import FRAME_TERRAIN, HOME, file_frame, read_command, read_frame, read_place
from missions.mission import (
    DO_JUMP,
    FRAME_GLOBAL,
    FRAME_MISSION,
    FRAME_RELATIVE,
    Dialect,
    Mission,
    MissionItem,
    fence_items,
    rally_item,
)
from missions.qgc_complex import simple_items

__all__ = ["read_qgc_plan", "write_qgc_plan"]

_FIRMWARE: dict[Dialect, int] = {"ardupilot": 3, "px4": 12}  # MAV_AUTOPILOT
_VEHICLES: Mapping[AircraftForm, int] = MappingProxyType(  # MAV_TYPE, those that QGroundControl has for classes
    {AircraftForm.MULTIROTOR: 2, AircraftForm.FIXED_WING: 1, AircraftForm.VTOL: 20}
)
_MIXED, _OVER_TERRAIN = 0, 3
_SAME_M = 0.01
_ALTITUDE_MODE = {FRAME_RELATIVE: 1, FRAME_GLOBAL: 2, FRAME_TERRAIN: 4}
"""QGroundControl's own, of a frame: relative, AMSL, above terrain as the autopilot follows it."""


def write_qgc_plan(
    mission: Mission,
    path: Path,
    home: tuple[float, float, float] | None = None,
    form: AircraftForm = AircraftForm.MULTIROTOR,
) -> None:
    """Write a mission with fence and rally points.

    Parameters
    ----------
    mission
        What to write.
    path
        Usually ends in ``.plan``.
    home
        Latitude and longitude, degrees, and elevation, metres AMSL, of home, for a mission that has no home item
        (PX4). Without it the first place of the mission is taken for it, at sea level.
    form
        What flies it: QGroundControl offers the commands, and takes the speed, of that kind of vehicle.

    Raises
    ------
    FormatError
        When the mission has no items, no home where ArduPilot wants one, no place to take for home, a rally point in
        another frame than above home, a frame without latitude and longitude, a jump to no item, or an infinite figure.
    FileWriteError
        When the file cannot be written.
    MissionError
        When the fence is not whole; the file is then not written.
    """
    if not mission.items:
        raise FormatError(f"{path}: mission {mission.name!r} has no items: give at least one")
    # The file has one home, and knows heights of rally points above it alone.
    if mission.dialect == "ardupilot" and (mission.items[0].frame, mission.items[0].command) != HOME:
        raise FormatError(
            f"{path}: item 0 of mission {mission.name!r} is no home, as ArduPilot wants it: put one first"
        )
    if any(point.frame != FRAME_RELATIVE for point in mission.rally):
        raise FormatError(f"{path}: a rally point of mission {mission.name!r} is not above home: give it in frame 6")
    shapes = fence_shapes(mission.fence)
    home_item = mission.items[0] if mission.dialect == "ardupilot" else None
    flown = mission.items[1:] if home_item else mission.items
    if home_item:
        home = home_item.x / 1e7, home_item.y / 1e7, home_item.z
    elif home is None:
        home = _first_place(mission, path)
    # Of a speed -1 and NaN say "as it is".
    speeds = [item.p2 for item in flown if item.command == 178 and item.p2 > 0] or [10.0]
    items = [
        _item(_jump_by_id(item, flown, f"{path}: item {item.seq}"), number, f"{path}: item {item.seq}")
        for number, item in enumerate(flown, 1)
    ]
    modes = {item["AltitudeMode"] for item in items if "AltitudeMode" in item}
    write_json(
        path,
        {
            "fileType": "Plan",
            "groundStation": "QGroundControl",
            "version": 1,
            "mission": {
                "version": 2,
                "firmwareType": _FIRMWARE[mission.dialect],
                "vehicleType": _VEHICLES[form],
                "globalPlanAltitudeMode": modes.pop() if len(modes) == 1 else _MIXED,
                "cruiseSpeed": max(speeds),
                "hoverSpeed": max(speeds),
                "plannedHomePosition": list(home),
                "items": items,
            },
            "geoFence": {
                "version": 2,
                "circles": [_circle(shape) for shape in shapes if isinstance(shape, FenceCircle)],
                "polygons": [_polygon(shape) for shape in shapes if isinstance(shape, FencePolygon)],
            },
            "rallyPoints": {"version": 2, "points": [[r.x / 1e7, r.y / 1e7, r.z] for r in mission.rally]},
        },
    )


def read_qgc_plan(path: Path) -> Mission:
    """Read a `.plan` file; the mission is named after the file. Of its fence polygons come first.

    Of surveys, corridor scans and landing patterns it has the items that QGroundControl sends for them. Fence and rally
    points may be absent.

    Raises
    ------
    FormatError
        When it is not such a file, or has what a mission of items, polygons, circles and rally points cannot say: a
        structure scan, a breach return point, a part of another version.
    """
    path = Path(path)
    value = read_json(path)
    if not isinstance(value, dict) or value.get("fileType") != "Plan":
        raise FormatError(f"{path}: is not a QGroundControl plan: its fileType is not 'Plan'")
    if value.get("version") != 1:
        raise FormatError(f"{path}: plan version {value.get('version')!r}, this program reads version 1")
    try:
        return _mission(value, path)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, OverflowError) as error:
        raise FormatError(f"{path}: a field is missing or is not what it should be: {error!r}") from None


def _mission(value: dict[str, Any], path: Path) -> Mission:
    mission = _part(value, "mission", path)
    dialect = next((name for name, number in _FIRMWARE.items() if mission["firmwareType"] == number), None)
    if dialect is None:
        raise FormatError(
            f"{path}: firmwareType is {mission['firmwareType']!r}, neither 3 (ArduPilot) nor 12 (PX4), which differ in "
            "what the first item is: choose one in QGroundControl and save it again"
        )
    items: list[MissionItem] = []
    if dialect == "ardupilot":
        lat, lon, amsl = mission["plannedHomePosition"]
        x, y = _place(lat, lon, f"{path}: plannedHomePosition")
        items.append(MissionItem(0, *HOME, x=x, y=y, z=_finite(amsl)))
    numbers: dict[int, int] = {}
    for item, number, where in _simple_items(mission["items"], path):
        if number is not None:
            numbers.setdefault(number, len(items))
        p = [math.nan if v is None else _finite(v) for v in item["params"]]
        frame = read_frame(_finite(item["frame"]), where)
        p1, p2, p3, p4, *place, z = p
        if len({math.isnan(v) for v in place}) > 1:
            raise FormatError(
                f"{where}: of its place one figure is null: give latitude and longitude, or null for both"
            )
        five, six = (0.0 if math.isnan(v) else v for v in place)
        x, y = read_place(frame, five, six, where)
        if frame != FRAME_MISSION:
            _check_height(item, z, where)
        command = read_command(_finite(item["command"]), where)
        going_on = _flag(item["autoContinue"], "autoContinue")
        items.append(MissionItem(len(items), frame, command, p1, p2, p3, p4, x, y, z, going_on))
    guarded = _fence(_part(value, "geoFence", path), path)
    points = _part(value, "rallyPoints", path).get("points", [])
    return Mission(
        path.stem,
        dialect,
        tuple(_jump_by_number(item, numbers, f"{path}: item {n}") for n, item in enumerate(items)),
        guarded,
        tuple(_rally(n, point, f"{path}: rally point {n + 1}") for n, point in enumerate(points)),
    )


def _simple_items(items: Sequence[Any], path: Path) -> Iterator[tuple[dict[str, Any], int | None, str]]:
    """Every simple item, the doJumpId that a jump may lead to it by, and where it stands.

    QGroundControl takes no jump into a pattern: it numbers those anew.
    """
    for number, item in enumerate(items, 1):
        where = f"{path}: item {number}"
        own = simple_items(item, where)
        if own == [item]:
            yield item, int(item.get("doJumpId", number)), where
            continue
        for k, one in enumerate(own, 1):
            yield one, None, f"{where}, its item {k}"


def _check_height(item: dict[str, Any], z: float, where: str) -> None:
    """Refuse a height that is said twice, differently. Worked out over terrain the parameter is AMSL, the other not."""
    shown = item.get("Altitude")
    if shown is not None and item.get("AltitudeMode") != _OVER_TERRAIN and abs(_finite(shown) - z) > _SAME_M:
        raise FormatError(
            f"{where}: its Altitude is {shown!r} and parameter 7 {z:g}: QGroundControl flies the first, others the "
            "second: make them one"
        )


def _part(value: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    """An object of the file, empty where it may be absent and is. Each has a version of its own, 2."""
    part: dict[str, Any] = value["mission"] if name == "mission" else value.get(name) or {}
    if not isinstance(part, dict):
        raise FormatError(f"{path}: {name} is no object")
    if part and part.get("version") != 2:
        raise FormatError(
            f"{path}: {name} is of version {part.get('version')!r}, this program reads version 2: open it in "
            "QGroundControl and save it again"
        )
    return part


def _fence(fence: dict[str, Any], path: Path) -> tuple[MissionItem, ...]:
    if fence.get("breachReturn") is not None:
        raise FormatError(f"{path}: its fence has a breach return point: take it out, rally points are returned to")
    shapes: list[FenceShape] = [_polygon_of(polygon, path) for polygon in fence.get("polygons", [])]
    shapes += [_circle_of(circle, path) for circle in fence.get("circles", [])]
    if any(isinstance(shape, FencePolygon) and not shape.vertices for shape in shapes):
        raise FormatError(f"{path}: its fence has a polygon without vertices: draw it or take it out")
    guarded = fence_items(shapes)
    try:
        fence_shapes(guarded)
    except MissionError as error:
        raise FormatError(f"{path}: {error}") from None
    return guarded


def _jump_by_id(item: MissionItem, flown: tuple[MissionItem, ...], where: str) -> MissionItem:
    """A jump with the doJumpId of its target; any other item as it is."""
    if item.command != DO_JUMP:
        return item
    number = next((n for n, target in enumerate(flown, 1) if target.seq == item.p1), None)
    if number is None:
        raise FormatError(f"{where}: jumps to item {item.p1:g}, which is none that is flown: correct parameter 1")
    return replace(item, p1=float(number))


def _jump_by_number(item: MissionItem, numbers: dict[int, int], where: str) -> MissionItem:
    """A jump with the number of its target in memory, by the doJumpId that the file has; any other item as it is."""
    if item.command != DO_JUMP:
        return item
    if item.p1 not in numbers:
        raise FormatError(f"{where}: jumps to doJumpId {item.p1:g}, which no item has: correct it")
    return replace(item, p1=float(numbers[int(item.p1)]))


def _polygon(shape: FencePolygon) -> dict[str, Any]:
    return {"version": 1, "inclusion": shape.inclusion, "polygon": [list(vertex) for vertex in shape.vertices]}


def _polygon_of(value: dict[str, Any], path: Path) -> FenceShape:
    places = (_place(lat, lon, f"{path}: a vertex of its fence") for lat, lon in value["polygon"])
    return FencePolygon(tuple((x / 1e7, y / 1e7) for x, y in places), _flag(value["inclusion"], "inclusion"))


def _circle(shape: FenceCircle) -> dict[str, Any]:
    circle = {"center": [shape.lat_deg, shape.lon_deg], "radius": shape.radius_m}
    return {"version": 1, "inclusion": shape.inclusion, "circle": circle}


def _circle_of(value: dict[str, Any], path: Path) -> FenceShape:
    lat, lon = value["circle"]["center"]
    x, y = _place(lat, lon, f"{path}: the centre of a circle of its fence")
    radius_m = _finite(value["circle"]["radius"])
    return FenceCircle(x / 1e7, y / 1e7, radius_m, _flag(value["inclusion"], "inclusion"))


def _rally(number: int, point: Any, where: str) -> MissionItem:
    lat_deg, lon_deg, up_m = point
    x, y = _place(lat_deg, lon_deg, where)
    return rally_item(number, x / 1e7, y / 1e7, _finite(up_m))


def _place(lat_deg: Any, lon_deg: Any, where: str) -> tuple[int, int]:
    return read_place(FRAME_GLOBAL, _finite(lat_deg), _finite(lon_deg), where)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)


def _flag(value: Any, name: str) -> bool:
    """True or false and nothing else: the word "false" would turn a zone into the room to stay in."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, not true or false")
    return value


def _first_place(mission: Mission, path: Path) -> tuple[float, float, float]:
    """Latitude, longitude and height 0 of the first item with a place. A command without one has zeros there."""
    first = next((item for item in mission.items if item.frame != FRAME_MISSION), None)
    if first is None:
        raise FormatError(f"{path}: mission {mission.name!r} has no place, and no home is given: give home")
    return first.x / 1e7, first.y / 1e7, 0.0


def _item(item: MissionItem, number: int, where: str) -> dict[str, Any]:
    frame = file_frame(item, where)
    scale = 1.0 if frame == FRAME_MISSION else 1e7
    params = [item.p1, item.p2, item.p3, item.p4, item.x / scale, item.y / scale, item.z]
    out: dict[str, Any] = {
        "type": "SimpleItem",
        "command": read_command(item.command, where),
        "doJumpId": number,
        "frame": frame,
        "autoContinue": item.autocontinue,
        "params": [None if math.isnan(v) else v for v in params],
    }
    mode = _ALTITUDE_MODE.get(read_frame(frame, where))
    if mode is not None:
        out |= {"AMSLAltAboveTerrain": None, "Altitude": item.z, "AltitudeMode": mode}
    return out
