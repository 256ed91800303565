"""Operational intents of ASTM F3548-21: the airspace that each flight of a schedule needs, when it needs it.

A flight is cut into pieces of a few kilometres and minutes, each with a volume of its own, so that no airspace is held
for longer than it is flown in. Every moment of the flight lies in a volume with the margins of `Margins`: across the
way, in height and in time.

The standard takes heights above the WGS 84 ellipsoid; plans have them above mean sea level. What lies between them, 20
to 50 m in most of Europe, is the height of the geoid. No grid of it comes with Vedette: it is asked for, with its
uncertainty, and never assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, Point, Polygon
from uas_standards.astm.f3548.v21 import constants
from uas_standards.astm.f3548.v21.api import (
    Altitude,
    LatLngPoint,
    OperationalIntentDetails,
    Time,
    Volume3D,
    Volume4D,
)
from uas_standards.astm.f3548.v21.api import Polygon as Outline

from geo import DatumError, shorter_turn
from missions.errors import PlanError
from missions.figures import store_figures
from missions.patrol import PatrolPlan
from missions.plane import Plane
from missions.sortie import LegKind, Sortie
from missions.wind import Wind

__all__ = ["CONFORMANCE", "FlightIntent", "Geoid", "Margins", "operational_intents"]

Floats = NDArray[np.float64]

CONFORMANCE = {
    "least_conformance_percent": constants.OiMinConformancePercent,
    "longest_excursion_s": constants.OiMaxDurationPerExcursionSeconds,
    "most_excursions_per_flight_hour": constants.OiMaxExcursionsPerFlightHour,
    "longest_recoverable_nonconformance_s": constants.MaxRecoverableTimeInNonconformingStateSeconds,
    "evaluation_flight_hours": constants.AggConfMonEvaluationFlightHours,
    "evaluation_days": constants.AggConfMonEvaluationPeriodDays,
}
"""What the standard asks of the flights of an operator: how much of them lies in their volumes."""

_QUAD_SEGS = 4
_ROUND = 1 / math.cos(math.pi / (4 * _QUAD_SEGS))
"""A circle drawn as a polygon is widened by this: the polygon then holds the circle."""
_STRAIGHTENED_M = 2.0
"""How far the outline may leave the bends of the way: what it costs in width it saves in vertices."""
_SLACK_M = 0.5
"""For rounding, for a plane that is none, and for what Earth's curvature bends a short leg."""
_STEP_M = 200.0
_BENT_M = 500.0
"""Longer legs differ noticeably by whether they are straight on the globe or on a chart."""
_LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Geoid:
    """Mean sea level above the WGS 84 ellipsoid where a plan is flown.

    Parameters
    ----------
    height_m
        Height of the geoid above the ellipsoid (undulation), metres: HAE = AMSL + height. Negative in North America,
        India and the Caribbean, about +50 in the Alps.
    uncertainty_m
        What it may differ by: the error of the model, and how much it changes over the area of the plan, metres. It is
        added to the volumes above and below.

    Raises
    ------
    DatumError
        When a figure is none that a geoid has: it lies between -107 and +86 m everywhere (EGM2008).
    """

    height_m: float
    uncertainty_m: float

    def __post_init__(self) -> None:
        for name, low, high in (("height_m", -110, 90), ("uncertainty_m", 0, 50)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise DatumError(f"geoid: {name} is {value!r}: give metres from {low} to {high}, of EGM2008 or EGM96")
            object.__setattr__(self, name, float(value))


@dataclass(frozen=True, slots=True)
class Margins:
    """What a volume holds besides the planned way.

    Parameters
    ----------
    across_m
        On all sides of the way, metres: errors of navigation and of steering, and the turns of wings.
    up_m
        Above and below, metres; the uncertainty of the geoid comes on top.
    early_s, late_s
        How much earlier and later than planned an aircraft may be, seconds.
    drift
        What comes on top of these two for every second flown: wind that was not foreseen adds up.
    longest_m, longest_s
        Longest piece of the way that one volume holds, metres and seconds.

    Raises
    ------
    PlanError
        When a figure is out of range; the message names it.
    """

    across_m: float = 25.0
    up_m: float = 15.0
    early_s: float = 30.0
    late_s: float = 60.0
    drift: float = 0.02
    longest_m: float = 3000.0
    longest_s: float = 240.0

    def __post_init__(self) -> None:
        limits = {
            "across_m": (1, 5000),
            "up_m": (1, 500),
            "early_s": (1, 3600),
            "late_s": (1, 3600),
            "drift": (0, 0.5),
            "longest_m": (100, 20_000),
            "longest_s": (10, 3600),
        }
        store_figures(self, limits, "margin", PlanError)


@dataclass(frozen=True, slots=True)
class FlightIntent:
    """The operational intent of one flight.

    Parameters
    ----------
    sortie
        Name of the sortie.
    sysid, round
        The aircraft, and its number among the rounds of that aircraft, as `Flight` has them.
    details
        Its volumes in the order of flight, none off nominal, and its priority: what a USS is given.
    """

    sortie: str
    sysid: int
    round: int
    details: OperationalIntentDetails


def operational_intents(
    plan: PatrolPlan,
    start: datetime,
    geoid: Geoid,
    margins: Margins | None = None,
    *,
    priority: int = 0,
    filed: datetime | None = None,
) -> tuple[FlightIntent, ...]:
    """The operational intents of all flights of a plan.

    Parameters
    ----------
    plan
        The plan; one intent is made for each of `plan.flights`, in their order.
    start
        When its shift begins, with a time zone.
    geoid
        Where mean sea level is.
    margins
        What a volume holds besides the way.
    priority
        As the regulator numbers them; 0 is the lowest.
    filed
        When the intents are handed in, with a time zone. Flights before it, or beyond the planning horizon of the
        standard, 30 days, are refused; without it nobody looks.

    Raises
    ------
    PlanError
        When a time has no zone or is out of the horizon, a volume would reach over the border, or an intent has more
        than 10,000 vertices.
    """
    margins = margins or Margins()
    zulu = _zulu(start, "start")
    frame = Plane(plan.border).frame
    border = MultiLineString([border.local_line(frame).tolist() for border in plan.borders])
    shapely.prepare(border)
    cut = [list(_volumes(plan, sortie, geoid, margins, border)) for sortie in plan.sorties]
    intents = []
    for flight in plan.flights:
        sortie = plan.sorties[flight.sortie]
        volumes = [
            Volume4D(
                volume=volume,
                time_start=_time(zulu, flight.start_s + since - margins.early_s - margins.drift * since, end=False),
                time_end=_time(zulu, flight.start_s + until + margins.late_s + margins.drift * until, end=True),
            )
            for since, until, volume in cut[flight.sortie]
        ]
        details = OperationalIntentDetails(volumes=volumes, off_nominal_volumes=[], priority=int(priority))
        intents.append(FlightIntent(sortie.name, flight.sysid, flight.round, details))
    if filed is not None:
        _within_horizon(intents, _zulu(filed, "filed"))
    return tuple(intents)


def _within_horizon(intents: list[FlightIntent], filed: datetime) -> None:
    latest = filed + timedelta(days=constants.OiMaxPlanHorizonDays)
    for intent in intents:
        begin = intent.details.volumes[0].time_start.value.datetime
        if not filed <= begin <= latest:
            raise PlanError(
                f"{intent.sortie}: its first volume begins at {begin.isoformat()}, filed at {filed.isoformat()}: "
                f"give a start after that and within {constants.OiMaxPlanHorizonDays} days of it"
            )


def _volumes(
    plan: PatrolPlan, sortie: Sortie, geoid: Geoid, margins: Margins, border: MultiLineString
) -> Iterator[tuple[float, float, Volume3D]]:
    """Pieces of a sortie: their begin and end, seconds after take-off, and their volume."""
    way = _Way.of(sortie, plan.options.wind)
    whole = Plane(plan.border)
    reach_m = margins.up_m + geoid.uncertainty_m
    count = 0
    for since, until, ring in way.pieces(margins):
        lat, lon = ring
        count += len(lat)
        if border.intersects(Polygon(whole.xy(lat, lon))):
            raise PlanError(
                f"{sortie.name}: its volume at {lat.mean():.5f}, {lon.mean():.5f} would reach over the border: plan "
                f"with a larger stand_off_m of the border than {plan.border.stand_off_m:g}, or give a margin below "
                f"--set across_m={margins.across_m:g}"
            )
        low, high = way.heights(since, until)
        yield (
            since,
            until,
            Volume3D(
                outline_polygon=Outline(
                    vertices=[LatLngPoint(lat=a, lng=o) for a, o in zip(lat.tolist(), lon.tolist(), strict=True)]
                ),
                altitude_lower=Altitude(value=math.floor((low + geoid.height_m - reach_m) * 10) / 10),
                altitude_upper=Altitude(value=math.ceil((high + geoid.height_m + reach_m) * 10) / 10),
            ),
        )
    if count > constants.OiMaxVertices:
        raise PlanError(
            f"{sortie.name}: its volumes have {count} vertices, an operational intent may have "
            f"{constants.OiMaxVertices}: give margins of more than --set longest_m={margins.longest_m:g} and --set "
            f"longest_s={margins.longest_s:g}, or plan shorter sorties"
        )


@dataclass(frozen=True)
class _Way:
    """A sortie in time.

    Parameters
    ----------
    sortie
        Which.
    at_s
        When it passes its waypoints, seconds after take-off, shape (n,).
    lat_deg, lon_deg
        Where they are, degrees, shape (n,); longitudes run on across the antimeridian.
    bow_m
        How far each leg, straight on the globe, is from one straight in latitude and longitude, shape (n - 1,).
    stray_m, turn_m
        How far off it the aircraft may come in a bend, and the radius of its turns.
    """

    sortie: Sortie
    at_s: Floats
    lat_deg: Floats
    lon_deg: Floats
    bow_m: Floats
    stray_m: float
    turn_m: float

    @classmethod
    def of(cls, sortie: Sortie, wind: Wind) -> _Way:
        points, craft = sortie.way, sortie.vehicle.aircraft
        lat, lon = np.array([p.lat_deg for p in points]), np.array([p.lon_deg for p in points])
        lon = np.unwrap(lon, period=360.0)
        at = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in sortie.legs])])
        bow = [
            _bow_m(lat[k : k + 2], lon[k : k + 2]) if leg.distance_m > _BENT_M else 0.0
            for k, leg in enumerate(sortie.legs)
        ]
        return cls(sortie, at, lat, lon, np.array(bow), craft.stray_in(wind), craft.turn_radius_in(wind))

    def pieces(self, margins: Margins) -> Iterator[tuple[float, float, tuple[Floats, Floats]]]:
        """Begin, end, and outline (latitudes, longitudes) of the pieces of the way."""
        legs = self.sortie.legs
        # A piece is full by its length or by its time, whichever fills it first.
        full = [max(leg.distance_m / margins.longest_m, leg.duration_s / margins.longest_s) for leg in legs]
        filled = np.concatenate([[0.0], np.cumsum(full)])
        cuts = np.interp(np.linspace(0.0, filled[-1], math.ceil(filled[-1]) + 1), filled, self.at_s)
        # The nearest first: a piece that has to be halved puts its second half back.
        waiting = [(float(a), float(b)) for a, b in pairwise(cuts)][::-1]
        while waiting:
            since, until = waiting.pop()
            plane, outline = self._outline(since, until, margins)
            if outline.interiors and until - since > _LEAST_S:
                # It flies round something: one outline would hold what lies within as well.
                middle = (since + until) / 2
                waiting += [(middle, until), (since, middle)]
                continue
            lat, lon = plane.lat_lon(shapely.get_coordinates(outline.exterior)[:-1])
            lat, lon = np.round(lat, 7), np.round(shorter_turn(lon), 7)
            # Two vertices of an arc that are nearer than the rounding are one: an outline may have none twice.
            own = (lat != np.roll(lat, 1)) | (lon != np.roll(lon, 1))
            yield since, until, (lat[own], lon[own])

    def heights(self, since: float, until: float) -> tuple[float, float]:
        """Lowest and highest height AMSL, metres, of all legs that a piece touches.

        Of the whole legs, because autopilots differ in when they climb along one.
        """
        ends = [w.amsl_m for leg in self.sortie.legs[self._touched(since, until)] for w in (leg.start, leg.end)]
        return min(ends), max(ends)

    def _touched(self, since: float, until: float) -> slice:
        first = int(np.searchsorted(self.at_s, since, side="right")) - 1
        last = int(np.searchsorted(self.at_s, until, side="left"))
        return slice(max(0, min(first, len(self.at_s) - 2)), max(1, last))

    def _outline(self, since: float, until: float, margins: Margins) -> tuple[Plane, Polygon]:
        """What a piece covers, in a plane of its own."""
        touched = self._touched(since, until)
        inner = self.at_s[(self.at_s > since) & (self.at_s < until)]
        at = np.concatenate([[since], inner, [until]])
        length = max((leg.distance_m for leg in self.sortie.legs[touched]), default=0.0)
        more = max(1, math.ceil(length / _STEP_M))
        at = np.interp(np.arange((len(at) - 1) * more + 1) / more, np.arange(len(at)), at)
        lat, lon = np.interp(at, self.at_s, self.lat_deg), np.interp(at, self.at_s, self.lon_deg)
        plane = Plane.at(float(lat.mean()), float(lon.mean()))
        xy = plane.xy(lat, lon)
        shape = Point(xy[0]) if float(np.ptp(xy, axis=0).max()) < _SLACK_M / 10 else LineString(xy)
        wide_m = margins.across_m + float(self.bow_m[touched].max()) + _STRAIGHTENED_M + _SLACK_M
        craft = self.sortie.vehicle.aircraft
        wide_m += self.stray_m
        vertical = craft.has_wings and not craft.needs_runway
        if vertical and any(leg.kind in {LegKind.TAKEOFF, LegKind.LANDING} for leg in self.sortie.legs[touched]):
            # Wings gain and lose height in circles that touch the base.
            wide_m += 2 * self.turn_m
        outline = shape.simplify(_STRAIGHTENED_M).buffer(wide_m * _ROUND, quad_segs=_QUAD_SEGS)
        assert isinstance(outline, Polygon)
        return plane, outline


def _bow_m(lat_deg: Floats, lon_deg: Floats) -> float:
    """Largest distance between the two ways, metres, of moments equally far along them."""
    share = np.linspace(0.0, 1.0, 9)
    lat, lon = (v[0] + share * (v[1] - v[0]) for v in (lat_deg, lon_deg))
    # In the plane of its middle a geodesic is straight.
    xy = Plane.at(float(lat[4]), float(lon[4])).xy(lat, lon)
    straight = xy[0] + share[:, None] * (xy[-1] - xy[0])
    return 1.1 * float(np.hypot(*(xy - straight).T).max())


def _zulu(moment: datetime, what: str) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise PlanError(f"{what} is {moment.isoformat()}, a time without a zone: give one, such as +00:00 for UTC")
    return moment.astimezone(UTC)


def _time(start: datetime, seconds: float, *, end: bool) -> Time:
    """A moment in whole seconds, rounded away from the flight."""
    moment = start + timedelta(seconds=seconds)
    whole = moment.replace(microsecond=0)
    if end and whole < moment:
        whole += timedelta(seconds=1)
    return Time.parse({"value": f"{whole:%Y-%m-%dT%H:%M:%S}Z"}, Time)
