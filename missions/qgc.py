"""QGroundControl `.plan` files, version 1: mission, geofence and rally points of one sortie.

Format as QGroundControl documents it (developer guide, "Plan File Format"). In the file a height above home is frame 3;
in memory and on the wire it is frame 6, the same with integer coordinates. A parameter that says nothing, NaN, is null.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from missions.errors import FormatError, MissionError
from missions.fence_shapes import FenceCircle, FencePolygon, FenceShape, fence_shapes
from missions.files import read_json, write_json
from missions.mission import (
    FRAME_GLOBAL,
    FRAME_MISSION,
    FRAME_RELATIVE,
    NAV_WAYPOINT,
    Dialect,
    Mission,
    MissionItem,
    fence_items,
    rally_item,
)

__all__ = ["read_qgc_plan", "write_qgc_plan"]

_FIRMWARE: dict[Dialect, int] = {"ardupilot": 3, "px4": 12}  # MAV_AUTOPILOT
_QUADROTOR = 2  # MAV_TYPE
_FILE_RELATIVE = 3
_HOME = (FRAME_GLOBAL, NAV_WAYPOINT)
_ALTITUDE_MODE = {FRAME_RELATIVE: 1, FRAME_GLOBAL: 2}  # QGroundControl's own: relative, AMSL


def write_qgc_plan(mission: Mission, path: Path, home_amsl_m: float = 0.0) -> None:
    """Write a mission with fence and rally points.

    Parameters
    ----------
    mission
        What to write.
    path
        Usually ends in ``.plan``.
    home_amsl_m
        Elevation of home, metres AMSL, for a mission that has no home item (PX4).

    Raises
    ------
    FormatError
        When the mission has no items, no home where ArduPilot wants one, a rally point in another frame than above
        home, or an infinite figure.
    FileWriteError
        When the file cannot be written.
    MissionError
        When the fence is not whole; the file is then not written.
    """
    if not mission.items:
        raise FormatError(f"{path}: mission {mission.name!r} has no items: give at least one")
    # The file has one home, and knows heights of rally points above it alone.
    if mission.dialect == "ardupilot" and (mission.items[0].frame, mission.items[0].command) != _HOME:
        raise FormatError(
            f"{path}: item 0 of mission {mission.name!r} is no home, as ArduPilot wants it: put one first"
        )
    if any(point.frame != FRAME_RELATIVE for point in mission.rally):
        raise FormatError(f"{path}: a rally point of mission {mission.name!r} is not above home: give it in frame 6")
    shapes = fence_shapes(mission.fence)
    home_item = mission.items[0] if mission.dialect == "ardupilot" else None
    flown = mission.items[1:] if home_item else mission.items
    # Home, or above it: a mission that begins in the air has no take-off there.
    anchor = home_item or next(iter(mission.rally), flown[0])
    # Of a speed -1 and NaN say "as it is".
    speeds = [item.p2 for item in flown if item.command == 178 and item.p2 > 0] or [10.0]
    write_json(
        path,
        {
            "fileType": "Plan",
            "groundStation": "QGroundControl",
            "version": 1,
            "mission": {
                "version": 2,
                "firmwareType": _FIRMWARE[mission.dialect],
                "vehicleType": _QUADROTOR,
                "globalPlanAltitudeMode": 1,
                "cruiseSpeed": max(speeds),
                "hoverSpeed": max(speeds),
                "plannedHomePosition": [anchor.x / 1e7, anchor.y / 1e7, home_item.z if home_item else home_amsl_m],
                "items": [_item(item, number) for number, item in enumerate(flown, 1)],
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
    """Read a `.plan` file of simple items; the mission is named after the file. Of its fence polygons come first.

    Raises
    ------
    FormatError
        When it is not such a file, or has what a mission of simple items, polygons, circles and rally points cannot
        say: a survey, a breach return point.
    """
    path = Path(path)
    value = read_json(path)
    if not isinstance(value, dict) or value.get("fileType") != "Plan":
        raise FormatError(f"{path}: is not a QGroundControl plan: its fileType is not 'Plan'")
    if value.get("version") != 1:
        raise FormatError(f"{path}: plan version {value.get('version')!r}, this program reads version 1")
    try:
        return _mission(value, path)
    except (KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
        raise FormatError(f"{path}: a field is missing or is not what it should be: {error!r}") from None


def _mission(value: dict[str, Any], path: Path) -> Mission:
    mission = value["mission"]
    dialect: Dialect = "px4" if mission["firmwareType"] == _FIRMWARE["px4"] else "ardupilot"
    items: list[MissionItem] = []
    if dialect == "ardupilot":
        lat, lon, amsl = mission["plannedHomePosition"]
        items.append(MissionItem(0, FRAME_GLOBAL, NAV_WAYPOINT, x=_e7(lat), y=_e7(lon), z=float(amsl)))
    for number, item in enumerate(mission["items"], 1):
        if item.get("type") != "SimpleItem":
            raise FormatError(
                f"{path}: item {number} is a {item.get('complexItemType', item.get('type'))}: export it as simple items"
            )
        p = [math.nan if v is None else float(v) for v in item["params"]]
        frame = FRAME_RELATIVE if item["frame"] == _FILE_RELATIVE else int(item["frame"])
        # Of an item of the frame "mission" the two are parameters, not a place.
        scale = 1.0 if frame == FRAME_MISSION else 1e7
        x, y = (0 if math.isnan(v) else round(v * scale) for v in p[4:6])
        p1, p2, p3, p4, _, _, z = p
        going_on = bool(item["autoContinue"])
        items.append(MissionItem(len(items), frame, int(item["command"]), p1, p2, p3, p4, x, y, z, going_on))
    fence = value["geoFence"]
    if fence.get("breachReturn") is not None:
        raise FormatError(f"{path}: its fence has a breach return point: take it out, rally points are returned to")
    shapes = [*(_polygon_of(p) for p in fence["polygons"]), *(_circle_of(c) for c in fence["circles"])]
    if any(isinstance(shape, FencePolygon) and not shape.vertices for shape in shapes):
        raise FormatError(f"{path}: its fence has a polygon without vertices: draw it or take it out")
    guarded = fence_items(shapes)
    try:
        fence_shapes(guarded)
    except MissionError as error:
        raise FormatError(f"{path}: {error}") from None
    return Mission(
        path.stem,
        dialect,
        tuple(items),
        guarded,
        tuple(rally_item(n, *map(float, point)) for n, point in enumerate(value["rallyPoints"]["points"])),
    )


def _polygon(shape: FencePolygon) -> dict[str, Any]:
    return {"version": 1, "inclusion": shape.inclusion, "polygon": [list(vertex) for vertex in shape.vertices]}


def _polygon_of(value: dict[str, Any]) -> FenceShape:
    return FencePolygon(tuple((float(lat), float(lon)) for lat, lon in value["polygon"]), _flag(value["inclusion"]))


def _circle(shape: FenceCircle) -> dict[str, Any]:
    circle = {"center": [shape.lat_deg, shape.lon_deg], "radius": shape.radius_m}
    return {"version": 1, "inclusion": shape.inclusion, "circle": circle}


def _circle_of(value: dict[str, Any]) -> FenceShape:
    lat, lon = value["circle"]["center"]
    return FenceCircle(float(lat), float(lon), float(value["circle"]["radius"]), _flag(value["inclusion"]))


def _flag(value: Any) -> bool:
    """True or false and nothing else: the word "false" would turn a zone into the room to stay in."""
    if not isinstance(value, bool):
        raise TypeError(f"inclusion is {value!r}, not true or false")
    return value


def _item(item: MissionItem, number: int) -> dict[str, Any]:
    scale = 1.0 if item.frame == FRAME_MISSION else 1e7
    params = [item.p1, item.p2, item.p3, item.p4, item.x / scale, item.y / scale, item.z]
    out: dict[str, Any] = {
        "type": "SimpleItem",
        "command": item.command,
        "doJumpId": number,
        "frame": _FILE_RELATIVE if item.frame == FRAME_RELATIVE else item.frame,
        "autoContinue": item.autocontinue,
        "params": [None if math.isnan(v) else v for v in params],
    }
    if item.frame in _ALTITUDE_MODE:
        out |= {"AMSLAltAboveTerrain": None, "Altitude": item.z, "AltitudeMode": _ALTITUDE_MODE[item.frame]}
    return out


def _e7(degrees: float) -> int:
    return round(float(degrees) * 1e7)
