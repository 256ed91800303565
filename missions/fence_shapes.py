"""What a fence is made of: polygons and circles to stay in or to keep out of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from missions.errors import MissionError

if TYPE_CHECKING:
    from missions.mission import MissionItem

__all__ = ["CIRCLE", "POLYGON", "FenceCircle", "FencePolygon", "FenceShape", "fence_shapes"]

POLYGON = {True: 5001, False: 5002}
"""MAV_CMD_NAV_FENCE_POLYGON_VERTEX_*, by whether to stay inside."""

CIRCLE = {True: 5003, False: 5004}
"""MAV_CMD_NAV_FENCE_CIRCLE_*, by whether to stay inside."""

_INCLUSION = {command: inside for table in (POLYGON, CIRCLE) for inside, command in table.items()}


@dataclass(frozen=True, slots=True)
class FencePolygon:
    """A polygon: vertices (latitude, longitude), degrees, the first not repeated, and whether to stay inside."""

    vertices: tuple[tuple[float, float], ...]
    inclusion: bool = True


@dataclass(frozen=True, slots=True)
class FenceCircle:
    """A circle: its centre, degrees, its radius, metres, and whether to stay inside."""

    lat_deg: float
    lon_deg: float
    radius_m: float
    inclusion: bool = True


FenceShape = FencePolygon | FenceCircle


def fence_shapes(items: Sequence[MissionItem]) -> tuple[FenceShape, ...]:
    """The polygons and circles of fence items, in their order.

    Raises
    ------
    MissionError
        When an item is of another kind, a polygon has fewer than three vertices or not as many as each of them says, or
        a circle has no radius: an autopilot would refuse it, or leave it inactive.
    """
    shapes: list[FenceShape] = []
    at = 0
    while at < len(items):
        item = items[at]
        where = f"fence item {at}"
        if item.command not in _INCLUSION:
            raise MissionError(f"{where}: command {item.command} is no polygon or circle: leave it out")
        inside = _INCLUSION[item.command]
        if item.command in CIRCLE.values():
            if not item.p1 > 0:
                raise MissionError(f"{where}: a circle of radius {item.p1:g} m: give one above 0")
            shapes.append(FenceCircle(item.x / 1e7, item.y / 1e7, item.p1, inside))
            at += 1
            continue
        count = int(item.p1) if math.isfinite(item.p1) else 0
        own = items[at : at + count]
        if count < 3 or len(own) < count or any(v.command != item.command or v.p1 != count for v in own):
            raise MissionError(
                f"{where}: a polygon that says it has {item.p1:g} vertices has not, or fewer than 3: draw it again"
            )
        shapes.append(FencePolygon(tuple((v.x / 1e7, v.y / 1e7) for v in own), inside))
        at += count
    return tuple(shapes)
