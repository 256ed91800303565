"""The geofence: polygons and circles to stay in or out of, a circle about home and a ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import hypot, sqrt

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.flight_frame import FlightFrame
from sim.flight_home import PAD
from sim.flight_items import Item
from sim.flight_tasks import Vector

__all__ = ["Fence", "shapes"]

ALTITUDE, CIRCLE, POLYGON = 1, 2, 4
# A vehicle is not looked at again before it could have flown the distance to the nearest edge at this speed.
_FASTEST_MPS = 30.0
_SHORTEST_S = 0.1
_LONGEST_S = 1.0

_VERTICES = (mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION, mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION)

_Polygon = list[tuple[float, float]]


def shapes(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items of each polygon and circle."""
    index = 0
    while index < len(items):
        count = int(items[index].params[0]) if items[index].command in _VERTICES else 1
        yield items[index : index + count]
        index += count


class Fence:
    """The fence as stored, in the `FlightFrame`; an edge is inside.

    Of several inclusions a vehicle has to be in all: in ArduPilot as it comes, and in PX4 of 2025 and later
    (geofence.cpp, ``isInsidePolygonOrCircle``; flown on main of May 2026). To older PX4 one was enough.

    Parameters
    ----------
    items, frame
        The fence, and the plane that it is looked at in.
    """

    def __init__(self, items: Sequence[Item], frame: FlightFrame) -> None:
        self._inclusions: list[_Polygon] = []
        self._exclusions: list[_Polygon] = []
        self._circles: list[tuple[float, float, float, bool]] = []
        for shape in shapes(items):
            item = shape[0]
            place = frame.to_local(item.x / 1e7, item.y / 1e7)
            if item.command in (mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION, mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION):
                inside = item.command == mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION
                self._circles.append((*place, item.params[0], inside))
            elif item.command != mav.MAV_CMD_NAV_FENCE_RETURN_POINT:
                polygon = [frame.to_local(v.x / 1e7, v.y / 1e7) for v in shape]
                inside = item.command == mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION
                (self._inclusions if inside else self._exclusions).append(polygon)

    def holds(self, e: float, n: float) -> bool:
        """Whether a place is on the right side of every edge, whatever else of a fence is switched on."""
        return self._clearance(e, n) >= 0.0

    def is_there(self, params: Mapping[str, float]) -> bool:
        """Whether anything of what FENCE_TYPE names is there: heights and the circle about home always are."""
        kinds = int(params["FENCE_TYPE"])
        stored = bool(self._inclusions or self._exclusions or self._circles)
        return bool(kinds & (ALTITUDE | CIRCLE)) or (bool(kinds & POLYGON) and stored)

    def breach(
        self, e: float, n: float, u: float, params: Mapping[str, float], home: Vector = PAD
    ) -> tuple[str | None, float]:
        """Which fence is breached at a point, or None, and for how many seconds the answer holds.

        The circle is about home, and the ceiling above that.
        """
        kinds = int(params["FENCE_TYPE"])
        away_m, u = hypot(e - home[0], n - home[1]), u - home[2]
        if kinds & ALTITUDE and u > params["FENCE_ALT_MAX"]:
            return "Max Alt", _SHORTEST_S
        if kinds & CIRCLE and away_m > params["FENCE_RADIUS"]:
            return "Circle", _SHORTEST_S
        nearest = 1e9
        if kinds & ALTITUDE:
            nearest = params["FENCE_ALT_MAX"] - u
        if kinds & CIRCLE:
            nearest = min(nearest, params["FENCE_RADIUS"] - away_m)
        if kinds & POLYGON:
            clear_m = self._clearance(e, n)
            if clear_m < 0.0:
                return "Polygon", _SHORTEST_S
            nearest = min(nearest, clear_m)
        # Its parameters may be changed at any time.
        return None, min(max(_SHORTEST_S, nearest / _FASTEST_MPS), _LONGEST_S)

    def _clearance(self, e: float, n: float) -> float:
        """Metres to the nearest edge that matters; negative outside."""
        found: list[float] = []
        for polygons, wanted in ((self._inclusions, True), (self._exclusions, False)):
            for polygon in polygons:
                inside, distance = _where(polygon, e, n)
                found.append(distance if inside is wanted else -1.0)
        for ce, cn, radius, wanted in self._circles:
            distance = radius - hypot(e - ce, n - cn)
            found.append(distance if wanted else -distance)
        return min(found, default=1e9)


def _where(polygon: _Polygon, e: float, n: float) -> tuple[bool, float]:
    """Whether a point is inside (even-odd rule) and its distance to the nearest edge."""
    inside = False
    nearest = 1e18
    ae, an = polygon[-1]
    for be, bn in polygon:
        if (an > n) != (bn > n) and e < (be - ae) * (n - an) / (bn - an) + ae:
            inside = not inside
        de, dn = be - ae, bn - an
        pe, pn = e - ae, n - an
        square = de * de + dn * dn
        t = (pe * de + pn * dn) / square if square > 0.0 else 0.0
        t = 0.0 if t < 0.0 else min(t, 1.0)
        pe -= t * de
        pn -= t * dn
        distance = pe * pe + pn * pn
        nearest = min(nearest, distance)
        ae, an = be, bn
    return inside, sqrt(nearest)
