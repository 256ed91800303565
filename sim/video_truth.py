"""What truly happened in a recording: boxes in each frame, crossings of the border line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import CameraModel, densify, locate, write_text
from sim.errors import WorldError
from sim.render import Box
from sim.world import KINDS, Actor, World

__all__ = ["SIDES", "TrueCrossing", "TrueFrame", "find_crossings", "write_mot", "write_truth"]

Floats = NDArray[np.float64]

SIDES = ("left", "right")
_STEP_S = 0.1
_AROUND_US = 2_000_000
_EDGE_PX = 0.5


@dataclass(frozen=True, slots=True)
class TrueFrame:
    """Boxes of a frame exposed at a UTC time in microseconds."""

    time_us: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """An actor's ground point passed the border line.

    Parameters
    ----------
    id, kind
        The actor's.
    time_us
        When, UTC microseconds since the Unix epoch.
    lat_deg, lon_deg
        Where, degrees WGS 84.
    direction
        "inbound" into the own side, or "outbound".
    """

    id: int
    kind: str
    time_us: int
    lat_deg: float
    lon_deg: float
    direction: str


def find_crossings(
    world: World, line_lonlat: Sequence[tuple[float, float]], own_side: str, start_us: int, end_us: int
) -> list[TrueCrossing]:
    """Every passing of the line by an actor in a span of time, in order of time.

    Parameters
    ----------
    world
        The actors.
    line_lonlat
        Vertices of the border, (longitude, latitude), degrees.
    own_side
        "left" or "right" of the line's direction.
    start_us, end_us
        Span, UTC microseconds.

    Raises
    ------
    WorldError
        When the side is neither "left" nor "right".
    """
    if own_side not in SIDES:
        raise WorldError(f"own side {own_side!r} is unknown: give left or right")
    line = line_in_world(world, line_lonlat)
    own = 1.0 if own_side == "left" else -1.0
    start_s, end_s = world.seconds(start_us), world.seconds(end_us)
    found = []
    for actor in world.actors:
        for time_s, sign in _passings(actor, line, start_s, end_s):
            lat, lon, _ = world.frame.to_geodetic(*actor.path.at(time_s))
            direction = "inbound" if sign == own else "outbound"
            time_us = world.epoch_us + round(time_s * 1e6)
            found.append(TrueCrossing(actor.id, actor.kind, time_us, float(lat), float(lon), direction))
    return sorted(found, key=lambda crossing: (crossing.time_us, crossing.id))


def line_in_world(world: World, line_lonlat: Sequence[tuple[float, float]]) -> Floats:
    """The border in the world's frame, (east, north) metres, shape (n, 2), bent as edges straight in degrees are."""
    lon, lat = np.asarray(line_lonlat, dtype=float).T
    east, north, _ = world.frame.to_enu(*densify(lat, lon), world.ground_amsl_m)
    return np.stack([east, north], axis=1)


def _passings(actor: Actor, line: Floats, start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Times and new signs of the offset at each change of side, by bisection to a microsecond."""
    grid = np.arange(start_s, end_s + _STEP_S, _STEP_S)
    inner = actor.path.time_s[(actor.path.time_s > start_s) & (actor.path.time_s < end_s)]
    times = np.unique(np.clip(np.concatenate([grid, inner]), start_s, end_s))
    place = locate(line, actor.path.at(times))
    side = np.sign(place.offset_m)
    found = []
    for i in np.flatnonzero((side[1:] != side[:-1]) & ~place.beyond[1:]).tolist():
        low, high = float(times[i]), float(times[i + 1])
        while high - low > 5e-7:
            middle = (low + high) / 2
            if np.sign(locate(line, actor.path.at(middle)).offset_m[0]) == side[i]:
                low = middle
            else:
                high = middle
        found.append((high, float(side[i + 1])))
    return found


def in_view(crossing: TrueCrossing, frames: Sequence[TrueFrame], camera: CameraModel) -> bool:
    """Whether the actor's box lay wholly inside the image at the crossing and for two seconds before and after."""
    near = [frame for frame in frames if abs(frame.time_us - crossing.time_us) <= _AROUND_US]
    covered = (
        bool(near)
        and frames[0].time_us <= crossing.time_us - _AROUND_US
        and crossing.time_us + _AROUND_US <= frames[-1].time_us
    )
    return covered and all(any(box.id == crossing.id and _inside(box, camera) for box in frame.boxes) for frame in near)


def _inside(box: Box, camera: CameraModel) -> bool:
    low, high = min(box.x1, box.y1), min(camera.width_px - box.x2, camera.height_px - box.y2)
    return min(low, high) >= _EDGE_PX


def write_truth(
    path: Path, video: str, frames: Sequence[TrueFrame], crossings: Sequence[TrueCrossing], camera: CameraModel
) -> None:
    """Write the truth of a recording as JSON; `video` is the name of its file. Raises FileWriteError."""
    document: dict[str, Any] = {
        "video": video,
        "frames": [{"time_us": frame.time_us, "boxes": [_box_json(box) for box in frame.boxes]} for frame in frames],
        "crossings": [
            {
                "id": crossing.id,
                "kind": crossing.kind,
                "time_us": crossing.time_us,
                "lat": round(crossing.lat_deg, 9),
                "lon": round(crossing.lon_deg, 9),
                "direction": crossing.direction,
                "in_view": in_view(crossing, frames, camera),
            }
            for crossing in crossings
        ],
    }
    write_text(path, json.dumps(document, separators=(",", ":")))


def _box_json(box: Box) -> dict[str, Any]:
    edges = {name: round(getattr(box, name), 2) for name in ("x1", "y1", "x2", "y2")}
    return {"id": box.id, "kind": box.kind, **edges, "visible": box.visible}


def write_mot(path: Path, frames: Sequence[TrueFrame]) -> None:
    """Write boxes as MOT text: frame from 1, id, left, top, width, height, 1, number of the kind from 1, visibility.

    Raises FileWriteError.
    """
    kinds = list(KINDS)
    lines = [
        f"{number},{box.id},{box.x1:.2f},{box.y1:.2f},{box.x2 - box.x1:.2f},{box.y2 - box.y1:.2f},1,"
        f"{kinds.index(box.kind) + 1},{box.visible:.3f}\n"
        for number, frame in enumerate(frames, start=1)
        for box in frame.boxes
    ]
    write_text(path, "".join(lines))
