"""Litchi Mission Hub's CSV, both ways: one line a waypoint.

Columns and their ranges as litchiutilities.com describes them ("Litchi CSV Format Description"). Heights are over the
take-off place (altitudemode 0). What holds for a whole mission is not in the file: the pilot sets it after the import,
see `LITCHI_SETTINGS`. It carries neither a fence nor what to do when the link is lost.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from geo import write_text
from missions.app_limits import AppLimits
from missions.app_route import AppRoute, app_route
from missions.errors import FormatError, MissionError
from missions.files import read_text
from missions.patrol import PatrolPlan
from missions.sortie import Sortie

__all__ = [
    "LITCHI_SETTINGS",
    "LitchiAction",
    "LitchiWaypoint",
    "compile_litchi",
    "read_litchi",
    "save_litchi",
    "write_litchi",
]

LITCHI_SETTINGS = "Heading Mode: Custom, Path Mode: Straight Lines, Finish Action: RTH"
"""What the pilot sets after the import. A curved path would cut corners towards the border, and do no action."""

_LIMITS = AppLimits(
    "Litchi",
    # What DJI's flight controllers store (Mobile SDK reference). Litchi itself flies up to 10,000 by virtual stick.
    most=99,
    apart_m=2000.0,
    # dji-sdk/Mobile-SDK-Android#93.
    length_m=40_000.0,
    lowest_m=-200.0,
    highest_m=500.0,
    turns=False,
)
_ACTIONS = 15
_NONE, _STAY, _START, _STOP, _TILT = -1, 0, 2, 3, 5
_INTERPOLATE = 2
_HEAD = (
    "latitude",
    "longitude",
    "altitude(m)",
    "heading(deg)",
    "curvesize(m)",
    "rotationdir",
    "gimbalmode",
    "gimbalpitchangle",
    *(f"action{what}{number}" for number in range(1, _ACTIONS + 1) for what in ("type", "param")),
    "altitudemode",
    "speed(m/s)",
    "poi_latitude",
    "poi_longitude",
    "poi_altitude(m)",
    "poi_altitudemode",
    "photo_timeinterval",
    "photo_distinterval",
)
# What is written in columns that this program has no use for, and, where it changes the flight, must be read there.
_FIXED: Mapping[str, float] = MappingProxyType(
    {
        "altitudemode": 0,
        "poi_latitude": 0,
        "poi_longitude": 0,
        "poi_altitude(m)": 0,
        "poi_altitudemode": 0,
        "photo_timeinterval": -1,
        "photo_distinterval": -1,
    }
)
_MUST_BE = ("altitudemode", "poi_latitude", "poi_longitude")
_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "latitude": (-90, 90),
        "longitude": (-180, 180),
        "altitude(m)": (-200, 500),
        "heading(deg)": (0, 360),
        "curvesize(m)": (0, 1000),
        "gimbalpitchangle": (-90, 30),
        # 0 is the cruising speed of the mission, which the file does not know.
        "speed(m/s)": (0.1, 15),
    }
)
_LATER = frozenset({"photo_timeinterval", "photo_distinterval"})
"""Columns that earlier exports do not have, and nothing here is taken from."""
_CHOICES: Mapping[str, int] = MappingProxyType({"rotationdir": 1, "gimbalmode": 2})


@dataclass(frozen=True, slots=True)
class LitchiAction:
    """What is done at a waypoint: 0 stay (milliseconds), 1 photo, 2 and 3 start and stop recording, 4 turn, 5 tilt."""

    kind: int
    parameter: float = 0.0


@dataclass(frozen=True, slots=True)
class LitchiWaypoint:
    """One line.

    Parameters
    ----------
    lat_deg, lon_deg
        Degrees WGS 84.
    above_start_m
        Height over the take-off place, metres.
    heading_deg
        Where the nose points, degrees from true north, 0 to 360, turning evenly to that of the next.
    speed_m_s
        From here to the next, metres a second.
    gimbal_mode
        0 left to the pilot, 1 at a point of interest, 2 turning evenly to the pitch of the next.
    pitch_deg
        Pitch of the camera, degrees: -90 is straight down.
    counter_clockwise
        Which way round the nose turns to the next.
    curve_m
        Size of the curve where the mission is flown in curves, metres.
    actions
        At most 15.
    """

    lat_deg: float
    lon_deg: float
    above_start_m: float
    heading_deg: float
    speed_m_s: float
    gimbal_mode: int = _INTERPOLATE
    pitch_deg: float = 0.0
    counter_clockwise: bool = False
    curve_m: float = 0.0
    actions: tuple[LitchiAction, ...] = ()


def compile_litchi(
    plan: PatrolPlan, sortie: Sortie, most: int = _LIMITS.most
) -> tuple[tuple[LitchiWaypoint, ...], AppRoute]:
    """Compile one sortie of a plan.

    The pitch is the same all the way, so there is none to interpolate wrongly; recording starts and stops with every
    watched piece.

    Parameters
    ----------
    plan, sortie
        What to compile.
    most
        Most waypoints. A longer way is thinned, see `app_route`.

    Returns
    -------
    tuple of tuple of LitchiWaypoint and AppRoute
        The waypoints, and the way that they are of with what a pilot must know of it.

    Raises
    ------
    MissionError
        When `most` is none between 2 and 10,000, and as `app_route` does.
    """
    if not 2 <= most <= 10_000:
        raise MissionError(f"most is {most}: give the waypoints that your Litchi takes, 2 to 10000")
    route = app_route(plan, sortie, replace(_LIMITS, most=most))
    actions: dict[int, tuple[LitchiAction, ...]] = {i: (LitchiAction(_STOP),) for i in route.ends}
    tilt = LitchiAction(_TILT, round(route.pitch_deg))
    actions |= {i: (tilt, LitchiAction(_START)) for i in route.begins}
    following = [*(point.heading_deg for point in route.points[1:]), route.points[-1].heading_deg]
    waypoints = tuple(
        LitchiWaypoint(
            point.lat_deg,
            point.lon_deg,
            point.above_start_m,
            point.heading_deg,
            point.speed_m_s,
            pitch_deg=route.pitch_deg,
            counter_clockwise=(after - point.heading_deg) % 360.0 > 180.0,
            actions=actions.get(number, ()),
        )
        for number, (point, after) in enumerate(zip(route.points, following, strict=True))
    )
    return waypoints, route


def write_litchi(plan: PatrolPlan, sortie: Sortie, path: Path, most: int = _LIMITS.most) -> AppRoute:
    """Write one sortie of a plan for Litchi; gives its way, with what a pilot must know of it.

    Parameters
    ----------
    plan, sortie, most
        As in `compile_litchi`.
    path
        Usually ends in ``.csv``.

    Raises
    ------
    MissionError
        As `compile_litchi` does; nothing is written then.
    FileWriteError
        When the file cannot be written.
    """
    waypoints, route = compile_litchi(plan, sortie, most)
    save_litchi(waypoints, path)
    return route


def save_litchi(waypoints: tuple[LitchiWaypoint, ...], path: Path) -> None:
    """Write waypoints; every figure comes back from `read_litchi` as it went.

    Raises
    ------
    FormatError
        When a waypoint has more than 15 actions.
    FileWriteError
        When the file cannot be written.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, _HEAD, lineterminator="\n")
    writer.writeheader()
    for number, point in enumerate(waypoints):
        if len(point.actions) > _ACTIONS:
            raise FormatError(f"{path}: waypoint {number} has {len(point.actions)} actions, Litchi takes {_ACTIONS}")
        writer.writerow(_row(point))
    write_text(Path(path), out.getvalue())


def _row(point: LitchiWaypoint) -> dict[str, float]:
    row = {
        "latitude": point.lat_deg,
        "longitude": point.lon_deg,
        "altitude(m)": point.above_start_m,
        "heading(deg)": point.heading_deg,
        "curvesize(m)": point.curve_m,
        "rotationdir": int(point.counter_clockwise),
        "gimbalmode": point.gimbal_mode,
        "gimbalpitchangle": point.pitch_deg,
        "speed(m/s)": point.speed_m_s,
        **_FIXED,
    }
    for number in range(_ACTIONS):
        action = point.actions[number] if number < len(point.actions) else LitchiAction(_NONE)
        row |= {f"actiontype{number + 1}": action.kind, f"actionparam{number + 1}": action.parameter}
    return row


def read_litchi(path: Path) -> tuple[LitchiWaypoint, ...]:
    """Read a mission in metres, with heights over the take-off place and no points of interest.

    Raises
    ------
    FormatError
        When it is none, lacks a column, has a figure that is none or out of its range, or says what a
        `LitchiWaypoint` cannot; the message names line and column.
    """
    path = Path(path)
    rows = csv.reader(io.StringIO(read_text(path), newline=""))
    try:
        head = [cell.strip() for cell in next(rows, [])]
        if "latitude" not in head:
            raise FormatError(f"{path}: does not begin with Litchi's columns, latitude and so on: is it its CSV?")
        missing = [name for name in _HEAD if name not in head and name not in _LATER]
        if missing:
            raise FormatError(f"{path}: has no column {missing[0]!r}: export it from Litchi's hub in metres")
        points = []
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}: line {rows.line_num}"
            if len(cells) != len(head):
                raise FormatError(f"{where}: has {len(cells)} cells, the first line {len(head)}: mend the line")
            points.append(_point(dict(zip(head, cells, strict=True)), where))
    except csv.Error as error:
        raise FormatError(f"{path}: line {rows.line_num}: is not CSV: {error}") from None
    if not points:
        raise FormatError(f"{path}: has no waypoint: export the mission again")
    return tuple(points)


def _point(cells: dict[str, str], where: str) -> LitchiWaypoint:
    values = {name: _number(cells[name], name, where) for name in _HEAD if name in cells}
    for name in _MUST_BE:
        if values[name] != _FIXED[name]:
            raise FormatError(
                f"{where}: {name} is {cells[name]}: this program reads heights over the take-off place and no points "
                "of interest: set the mission so and export it again"
            )
    for name, most in _CHOICES.items():
        _whole(values[name], name, where, 0, most)
    actions = []
    for number in range(1, _ACTIONS + 1):
        kind = _whole(values[f"actiontype{number}"], f"actiontype{number}", where, _NONE, _TILT)
        if kind != _NONE:
            actions.append(LitchiAction(kind, values[f"actionparam{number}"]))
    return LitchiWaypoint(
        values["latitude"],
        values["longitude"],
        values["altitude(m)"],
        values["heading(deg)"],
        values["speed(m/s)"],
        int(values["gimbalmode"]),
        values["gimbalpitchangle"],
        bool(values["rotationdir"]),
        values["curvesize(m)"],
        tuple(actions),
    )


def _number(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise FormatError(f"{where}: {name} is {text[:60]!r}: give a number") from None
    low, high = _RANGES.get(name, (-1e9, 1e9))
    if not (math.isfinite(value) and low <= value <= high):
        raise FormatError(f"{where}: {name} is {text}: give a number between {low:g} and {high:g}")
    return value


def _whole(value: float, name: str, where: str, low: int, high: int) -> int:
    if value != int(value) or not low <= value <= high:
        raise FormatError(f"{where}: {name} is {value:g}: give a whole number from {low} to {high}")
    return int(value)
