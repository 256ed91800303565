"""QGC WPL 110: the plain waypoint list that Mission Planner, MAVProxy, QGroundControl and ArduPilot's tools read.

One line an item, fields divided by tabs: number, current, frame, command, four parameters, latitude, longitude (or
parameters 5 and 6), height, autocontinue. It carries the mission alone: no fence, no rally points.
"""

from __future__ import annotations

import math
from pathlib import Path

from geo import write_text
from missions.errors import FormatError
from missions.files import read_text
from missions.mission import FRAME_MISSION, MissionItem

__all__ = ["read_waypoints", "write_waypoints"]

_HEAD = "QGC WPL 110"
_FIELDS = ("seq", "current", "frame", "command", "p1", "p2", "p3", "p4", "x", "y", "z", "autocontinue")


def write_waypoints(items: tuple[MissionItem, ...], path: Path) -> None:
    """Write the items of a mission; every figure comes back from `read_waypoints` as it went.

    Raises
    ------
    FormatError
        When a figure is none that `read_waypoints` would take, or an item is out of order; nothing is written then.
    FileWriteError
        When the file cannot be written.
    """
    lines = [_HEAD]
    for n, item in enumerate(items):
        x, y = (repr(v) if item.frame == FRAME_MISSION else repr(v / 1e7) for v in (item.x, item.y))
        numbers = [item.seq, int(item.seq == 0), item.frame, item.command]
        parameters = [repr(float(p)) for p in (item.p1, item.p2, item.p3, item.p4)]
        cells = [*map(str, numbers), *parameters, x, y, repr(float(item.z)), str(int(item.autocontinue))]
        if _item(cells, f"{path}: item {n}").seq != n:
            raise FormatError(f"{path}: item {n}: seq is {item.seq}: number the items in order")
        lines.append("\t".join(cells))
    write_text(path, "\n".join(lines) + "\n")


def read_waypoints(path: Path) -> tuple[MissionItem, ...]:
    """Read a waypoint list.

    Raises
    ------
    FormatError
        When it is none, or a line lacks a field or garbles one; the message names the line and the field.
    """
    lines = read_text(path).splitlines()
    if not lines or lines[0].strip() != _HEAD:
        raise FormatError(f"{path}: does not begin with {_HEAD!r}: is it a waypoint list?")
    items: list[MissionItem] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cells = line.split()
        where = f"{path}: line {number}"
        if len(cells) != len(_FIELDS):
            raise FormatError(f"{where}: has {len(cells)} fields, an item has {len(_FIELDS)}: {', '.join(_FIELDS)}")
        item = _item(cells, where)
        if item.seq != len(items):
            raise FormatError(f"{where}: seq is {item.seq}, {len(items)} comes next: items are in order, none left out")
        items.append(item)
    return tuple(items)


def _item(cells: list[str], where: str) -> MissionItem:
    values: dict[str, float] = {}
    for name, cell in zip(_FIELDS, cells, strict=True):
        try:
            values[name] = float(cell)
        except ValueError:
            raise FormatError(f"{where}: {name} is {cell!r}: give a number") from None
        # A parameter that is not a number says "leave as it is"; without a place the last one is a parameter too.
        whole = name in {"seq", "current", "frame", "command", "autocontinue"}
        free = name in {"p1", "p2", "p3", "p4"} or (name == "z" and values["frame"] == FRAME_MISSION)
        if math.isinf(values[name]) or (math.isnan(values[name]) and not free):
            raise FormatError(f"{where}: {name} is {cell}: give a finite number")
        if whole and values[name] != int(values[name]):
            raise FormatError(f"{where}: {name} is {cell}: give a whole number")
    x, y = values["x"], values["y"]
    # Of an item of the frame "mission" the two are parameters, not a place.
    if int(values["frame"]) != FRAME_MISSION:
        for name, limit in (("x", 90.0), ("y", 180.0)):
            if abs(values[name]) > limit:
                raise FormatError(f"{where}: {name} is {values[name]:g}: give degrees within ±{limit:g}")
        x, y = x * 1e7, y * 1e7
    return MissionItem(
        int(values["seq"]),
        int(values["frame"]),
        int(values["command"]),
        values["p1"],
        values["p2"],
        values["p3"],
        values["p4"],
        round(x),
        round(y),
        values["z"],
        bool(values["autocontinue"]),
    )
