"""QGC WPL 110: the plain waypoint list that Mission Planner, MAVProxy, QGroundControl and ArduPilot's tools read.

One line an item, fields divided by tabs: number, current, frame, command, four parameters, latitude, longitude (or
parameters 5 and 6), height, autocontinue. It carries the mission alone: no fence, no rally points. The first line of
all is home, for PX4 too: these programs take it out before they send the rest.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from geo import write_text
from missions.errors import FormatError
from missions.files import read_text
from missions.item_file import HOME, file_frame, read_command, read_frame, read_place, with_jump
from missions.mission import DO_JUMP, FRAME_MISSION, Dialect, MissionItem

__all__ = ["read_waypoints", "write_waypoints"]

_HEAD = "QGC WPL 110"
_FIELDS = ("seq", "current", "frame", "command", "p1", "p2", "p3", "p4", "x", "y", "z", "autocontinue")


def write_waypoints(items: tuple[MissionItem, ...], path: Path, home: tuple[float, float, float] | None = None) -> None:
    """Write the items of a mission; they come back from `read_waypoints` as they went, above home in frame 6.

    Parameters
    ----------
    items
        What to write.
    path
        Usually ends in ``.waypoints``.
    home
        Latitude and longitude, degrees, and elevation, metres AMSL, of home, for items that do not begin with it:
        those of PX4. Without it the first of them is taken for home by whoever reads the list.

    Raises
    ------
    FormatError
        When a figure is none that `read_waypoints` would take, or an item is out of order; nothing is written then.
    FileWriteError
        When the file cannot be written.
    """
    lines, before = [_HEAD], 0
    if home is not None:
        lat, lon, amsl = home
        lines.append(_line(MissionItem(0, *HOME, x=round(lat * 1e7), y=round(lon * 1e7), z=amsl), f"{path}: home"))
        before = 1
    for n, item in enumerate(items):
        where = f"{path}: item {n}"
        if item.seq != n:
            raise FormatError(f"{where}: seq is {item.seq}: number the items in order")
        lines.append(_line(with_jump(replace(item, seq=n + before), before), where))
    write_text(path, "\n".join(lines) + "\n")


def read_waypoints(path: Path, dialect: Dialect = "ardupilot") -> tuple[MissionItem, ...]:
    """Read a waypoint list.

    Parameters
    ----------
    path
        The list.
    dialect
        Whose items are wanted. Those of ArduPilot begin with home, as the list does; for PX4 it is left out.

    Raises
    ------
    FormatError
        When it is none, or a line lacks a field or garbles one, or for PX4 when it does not begin with home or jumps
        back to it; the message names the line and the field.
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
    if dialect != "px4":
        return tuple(items)
    if not items or (items[0].frame, items[0].command) != HOME:
        raise FormatError(f"{path}: does not begin with home, a waypoint of frame 0: put it first")
    into_home = next((item.seq for item in items if item.command == DO_JUMP and item.p1 == 0), None)
    if into_home is not None:
        raise FormatError(
            f"{path}: item {into_home} jumps to home, which is no item for PX4: let it jump to a later one"
        )
    return tuple(with_jump(replace(item, seq=item.seq - 1), -1) for item in items[1:])


def _line(item: MissionItem, where: str) -> str:
    """A line of the list. Raises FormatError where it could not be read again."""
    x, y = (repr(v) if item.frame == FRAME_MISSION else repr(v / 1e7) for v in (item.x, item.y))
    numbers = [item.seq, int(item.seq == 0), file_frame(item, where), item.command]
    parameters = [repr(float(p)) for p in (item.p1, item.p2, item.p3, item.p4)]
    cells = [*map(str, numbers), *parameters, x, y, repr(float(item.z)), str(int(item.autocontinue))]
    _item(cells, where)
    return "\t".join(cells)


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
    frame = read_frame(int(values["frame"]), where)
    x, y = read_place(frame, values["x"], values["y"], where)
    return MissionItem(
        int(values["seq"]),
        frame,
        read_command(values["command"], where),
        values["p1"],
        values["p2"],
        values["p3"],
        values["p4"],
        x,
        y,
        values["z"],
        bool(values["autocontinue"]),
    )
