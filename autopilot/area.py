"""Where a vehicle may be sent: inside its fence, behind its borders, out of zones, between two heights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, Polygon
from shapely.geometry.base import BaseGeometry

from autopilot.errors import PlaceError
from autopilot.rejoin import Rejoining
from autopilot.ways import flown_way
from geo import CoordinateError, LocalFrame, check_coordinates, densify, geodesic_distance_m, locate
from missions import BorderSegment, Clearance, FenceCircle, FencePolygon, Zone

__all__ = ["FlightArea", "Place"]

_CLEAR_M = 5.0  # what is left at least to the fence round the place where it stays
_FARTHEST_M = 50_000.0
_NEAR_M = 200_000.0  # beyond it a plane of our own says nothing of a zone, which is then looked at in degrees
_STEP_M = 25.0
_ROUNDING_M = 0.1
_PAST_IT = "give a place that is reached in a straight line past it"

Floats = NDArray[np.float64]
FenceShape = FencePolygon | FenceCircle


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the air: degrees WGS 84, and metres above home."""

    lat_deg: float
    lon_deg: float
    above_home_m: float

    def __str__(self) -> str:
        return f"{self.lat_deg:.6f}, {self.lon_deg:.6f} at {self.above_home_m:g} m above home"


@dataclass(frozen=True, slots=True)
class _Told:
    """How a refusal names a way, and what to do where it is not the usual: another place in a straight line."""

    way: str
    instead: str | None = None


_WAY = _Told("the way there, or the place,")
_BACK = _Told("the way back onto its line", "fly there from elsewhere, or return home")


@dataclass(frozen=True, slots=True)
class FlightArea:
    """What limits where one vehicle may be sent, now.

    Parameters
    ----------
    fence
        Shapes that the vehicle was proved to hold. It has to stay inside each of those to stay in, as ArduPilot and PX4
        want it; PX4 before 2025 was content with one of them.
    borders
        Lines that it keeps its distance to, each its own stand-off and the margin of the clearance.
    zones
        Areas to keep out of at every height: of an airspace those that `Airspace.blocking` gives.
    lowest_m, highest_m
        Heights above home between which it stays, metres.
    clearance
        What it keeps beyond a stand-off, and off the edges of its fence.
    """

    fence: tuple[FenceShape, ...]
    borders: tuple[BorderSegment, ...]
    zones: tuple[Zone, ...]
    lowest_m: float
    highest_m: float
    clearance: Clearance

    @property
    def closed(self) -> bool:
        """Whether a fence holds the vehicle in."""
        return any(shape.inclusion for shape in self.fence)

    def check(
        self,
        here: Place,
        place: Place,
        *,
        velocity_m_s: tuple[float, float] = (0.0, 0.0),
        radius_m: float = 0.0,
        planned: bool = False,
        circles: bool | None = None,
    ) -> None:
        """Whether the vehicle may fly straight from here to a place and stay there.

        Parameters
        ----------
        here, place
            Where it is, and where it is to go.
        velocity_m_s
            Its velocity east and north, metres a second, from which wings turn.
        radius_m
            Radius on which wings turn, and circle at the place, metres; 0 for what stops in the air.
        planned
            Whether it leaves its way, or joins it again: where it is now it may be beside that by what it flies off it.
            Nothing is left to the fence then, and on the way it may be as near to a border as it is, but never nearer,
            nor within the stand-off.
        circles
            Whether wings circle at the place, and do not only come by; None for where no way is `planned`.

        Raises
        ------
        PlaceError
            With the reason and what to do; also where nothing limits the vehicle, or a limit cannot be understood.
        """
        if not self.closed and not self.borders:
            raise PlaceError(
                "no fence that was proved holds the vehicle in, and no border is given: upload a mission with a fence, "
                "or give the borders that it must not cross"
            )
        self._check_height(place)
        frame, there = _frame(here, place)
        way = flown_way(np.asarray(velocity_m_s), there, radius_m)
        circles = radius_m > 0 and (not planned if circles is None else circles)
        stay = shapely.Point(there).buffer(radius_m) if circles else shapely.Point(there)
        room_m = self.clearance.room_m
        flown, stayed = way if planned else way.buffer(room_m), stay.buffer(max(room_m, _CLEAR_M))
        swept = way if planned and not circles else shapely.union_all([flown, stayed])
        self._check_fence(swept, frame, place)
        self._check_zones(swept, frame, here, place)
        self._check_borders(way, stay, frame, place, planned=planned)

    def check_diversion(
        self, here: Place, place: Place, velocity_m_s: tuple[float, float], delay_s: float, *, radius_m: float = 0.0
    ) -> None:
        """Whether the vehicle may leave its line for a place: from where it is, and from where an order may find it.

        The way is looked at as one of the plan: it comes no nearer to a border than the vehicle is, or may be. Wings
        circle at the place, with all the room that they take.

        Parameters
        ----------
        here, place
            Where it is, and where it is to go.
        velocity_m_s
            Its velocity east and north, metres a second.
        delay_s
            How long an order may take to reach it, seconds.
        radius_m
            Radius on which wings turn and circle, metres; 0 for what stops in the air.

        Raises
        ------
        PlaceError
            As `check`.
        """
        frame, _ = _frame(here, place)
        ahead = delay_s * np.asarray(velocity_m_s)
        for start in (np.zeros(2), ahead):
            lat, lon, _ = frame.to_geodetic(float(start[0]), float(start[1]), 0.0)
            start_at = Place(float(lat), float(lon), here.above_home_m)
            self.check(start_at, place, velocity_m_s=velocity_m_s, radius_m=radius_m, planned=True, circles=True)

    def check_rejoining(self, here: Place, place: Place, flown: Rejoining) -> None:
        """Whether wings may come back to their mission as they may fly it.

        Up to the place as `check` has it for a way that is `planned`. From there on they are held as their plan holds
        them, less half the room: what they turn by is in the ways, and half is what they fly off one for 95 % of the
        time.

        Parameters
        ----------
        here, place
            Where the vehicle is, and the place of the item.
        flown
            The ways, metres east and north of `here`.

        Raises
        ------
        PlaceError
            With the reason.
        """
        frame, _ = _frame(here, place)
        half_m = self.clearance.room_m / 2
        swept = shapely.union_all([flown.approach, flown.join.buffer(half_m)])
        self._check_fence(swept, frame, place, _BACK)
        self._check_zones(swept, frame, here, place, _BACK)
        for border in self.borders:
            line = LineString(border.local_line(frame))
            keep_m = border.stand_off_m + self.clearance.margin_m
            start_m = float(line.distance(shapely.Point(0.0, 0.0)))
            for way, floor_m in (
                (flown.approach, min(keep_m, max(border.stand_off_m, start_m))),
                (flown.join, keep_m - half_m),
            ):
                if not way.distance(line) >= floor_m - _ROUNDING_M:
                    raise PlaceError(
                        f"{place}: {_BACK.way} comes within {way.distance(line):.1f} m of border {border.name!r}, the "
                        f"stand-off is {border.stand_off_m:g} m, and {self.clearance.margin_m:.1f} m what the vehicle "
                        f"may be off its way: {_BACK.instead}"
                    )
        if self.borders:
            points = np.concatenate([_along(flown.approach), _along(flown.join)])
            self._check_sides(points, [border.local_line(frame) for border in self.borders], place, _BACK)

    def _check_height(self, place: Place) -> None:
        if not (math.isfinite(place.above_home_m) and self.lowest_m <= place.above_home_m <= self.highest_m):
            raise PlaceError(
                f"{place}: the vehicle may fly between {self.lowest_m:g} and {self.highest_m:g} m above home: "
                "give a height between them"
            )

    def _check_fence(self, swept: BaseGeometry, frame: LocalFrame, place: Place, told: _Told = _WAY) -> None:
        for number, shape in enumerate(self.fence, 1):
            area = _outline(shape, frame, number)
            if shape.inclusion and not area.contains(swept):
                raise PlaceError(
                    f"{place}: {told.way} is outside the vehicle's fence (shape {number}) or too near to its edge: "
                    f"{told.instead or 'give a place inside it that is reached in a straight line'}"
                )
            if not shape.inclusion and area.intersects(swept):
                raise PlaceError(
                    f"{place}: {told.way} is in a part that the vehicle's fence shuts out (shape {number}): "
                    f"{told.instead or _PAST_IT}"
                )

    def _check_zones(
        self, swept: BaseGeometry, frame: LocalFrame, here: Place, place: Place, told: _Told = _WAY
    ) -> None:
        for zone in self.zones:
            lon, lat = zone.outline().T
            near = float(geodesic_distance_m(place.lat_deg, place.lon_deg, *densify(lat, lon, _FARTHEST_M)).min())
            entered = bool(zone.contains([here.lat_deg, place.lat_deg], [here.lon_deg, place.lon_deg]).any())
            if near < _NEAR_M:
                rings = [_ring(np.array(ring)[:, 1], np.array(ring)[:, 0], frame) for ring in zone.rings]
                entered = entered or Polygon(rings[0], rings[1:]).intersects(swept)
            if entered:
                raise PlaceError(f"{place}: {told.way} is in zone {zone.name!r}: {told.instead or _PAST_IT}")

    def _check_borders(
        self, way: MultiLineString, stay: BaseGeometry, frame: LocalFrame, place: Place, *, planned: bool
    ) -> None:
        if not self.borders:
            return
        lines = [border.local_line(frame) for border in self.borders]
        for border, line in zip(self.borders, lines, strict=True):
            shape = LineString(line)
            keep_m = floor_m = border.stand_off_m + self.clearance.margin_m
            if planned:
                floor_m = min(keep_m, max(border.stand_off_m, shape.distance(shapely.Point(0.0, 0.0))))
            why = (
                f"the stand-off is {border.stand_off_m:g} m, and {self.clearance.margin_m:.1f} m what the vehicle may "
                "be off its way"
            )
            if not stay.distance(shape) >= keep_m - _ROUNDING_M:
                raise PlaceError(
                    f"{place}: lies {stay.distance(shape):.1f} m from border {border.name!r}, {why}: give one farther "
                    "from it"
                )
            if not way.distance(shape) >= floor_m - _ROUNDING_M:
                raise PlaceError(
                    f"{place}: the way there comes within {way.distance(shape):.1f} m of border {border.name!r}, "
                    f"{why}: give one that is reached past it"
                )
        edge = stay.exterior if isinstance(stay, Polygon) else stay
        self._check_sides(np.concatenate([_along(way), _along(edge)]), lines, place)

    def _check_sides(self, points: Floats, lines: list[Floats], place: Place, told: _Told = _WAY) -> None:
        """The nearest border decides; past the ends of the lines only a fence tells what is behind them."""
        found = [locate(line, points) for line in lines]
        away = np.abs(np.stack([at.offset_m for at in found]))
        nearest = away.argmin(axis=0)
        for index, border in enumerate(self.borders):
            own = nearest == index
            at = found[index]
            if np.any(own & ~at.beyond & (border.own_side.sign * at.offset_m <= 0)):
                raise PlaceError(
                    f"{place}: {told.way} is beyond border {border.name!r}: "
                    f"{told.instead or 'give one on its own side'}"
                )
            if not self.closed and np.any(own & at.beyond):
                raise PlaceError(
                    f"{place}: {told.way} lies past the end of border {border.name!r}, where nobody knows its side: "
                    "upload a mission with a fence, or give more of the border"
                )


def _frame(here: Place, place: Place) -> tuple[LocalFrame, tuple[float, float]]:
    """A plane about where the vehicle is, and the place in it, metres."""
    try:
        check_coordinates(place.lat_deg, place.lon_deg, "a place to fly to")
        check_coordinates(here.lat_deg, here.lon_deg, "the vehicle's position")
    except CoordinateError as error:
        raise PlaceError(str(error)) from None
    far_m = float(geodesic_distance_m(here.lat_deg, here.lon_deg, place.lat_deg, place.lon_deg))
    if far_m > _FARTHEST_M:
        raise PlaceError(
            f"{place}: is {far_m / 1000:.0f} km from the vehicle, {_FARTHEST_M / 1000:.0f} km at most: check the place"
        )
    frame = LocalFrame(here.lat_deg, here.lon_deg)
    east, north, _ = frame.to_enu(place.lat_deg, place.lon_deg)
    return frame, (float(east), float(north))


def _ring(lat_deg: Floats, lon_deg: Floats, frame: LocalFrame) -> Floats:
    """A closed ring that is straight in degrees, in a plane, metres, shape (n, 2)."""
    east, north, _ = frame.to_enu(*densify(lat_deg, lon_deg))
    return np.stack([east, north], axis=-1)


def _outline(shape: FenceShape, frame: LocalFrame, number: int) -> BaseGeometry:
    """What a shape of a fence holds, or shuts out, in a plane."""
    if isinstance(shape, FencePolygon):
        return _polygon(shape, frame, number)
    east, north, _ = frame.to_enu(shape.lat_deg, shape.lon_deg)
    # A polygon of 64 corners lies inside its circle by 0.03 %; it has to hold one to keep out of.
    reach_m = shape.radius_m if shape.inclusion else shape.radius_m / math.cos(math.pi / 64)
    return shapely.Point(float(east), float(north)).buffer(reach_m, quad_segs=16)


def _polygon(shape: FencePolygon, frame: LocalFrame, number: int) -> Polygon:
    lat, lon = np.array([*shape.vertices, shape.vertices[0]]).T
    away_m = float(geodesic_distance_m(frame.lat_deg, frame.lon_deg, lat, lon).max())
    polygon = Polygon(_ring(lat, lon, frame)) if away_m < _NEAR_M else Polygon()
    if not (shapely.is_valid(polygon) and polygon.area > 0):
        raise PlaceError(
            f"the vehicle's fence (shape {number}) is no outline that can be understood here: upload another"
        )
    return polygon


def _along(way: BaseGeometry) -> Floats:
    """Points along lines, their ends among them, metres, shape (n, 2)."""
    parts = [part if part.length == 0.0 else shapely.segmentize(part, _STEP_M) for part in shapely.get_parts(way)]
    return np.concatenate([shapely.get_coordinates(part) for part in parts])
