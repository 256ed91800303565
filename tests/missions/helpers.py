"""Borders and fleets for the tests of missions."""

import math
from dataclasses import replace

import numpy as np
import shapely
from hypothesis import strategies as st

from geo import geodesic_destination, true_per_equivalent
from missions import Base, BorderSegment, Fleet, Side, Zone, default_fleet

LAT, LON = 46.0, 8.0
M_LAT = 111_132.0
M_LON = 111_320.0 * math.cos(math.radians(LAT))


def border_from_metres(points, side="left", **fields):
    """A border through points (east, north) in metres of LAT, LON."""
    line = tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in points)
    return BorderSegment("test line", "AAA", "BBB", line, side, **fields)


def straight(length_m=10_000.0, side="left", **fields):
    return border_from_metres([(0, 0), (length_m, 0)], side, **fields)


def beside(border, distance_m):
    """A base opposite the middle of the chord, on the own side."""
    (x0, y0), (x1, y1) = border.coordinates[0], border.coordinates[-1]
    azimuth = math.degrees(math.atan2((x1 - x0) * math.cos(math.radians(y0)), y1 - y0))
    turn = -90 if border.own_side is Side.LEFT else 90
    return Base("base", *geodesic_destination((y0 + y1) / 2, (x0 + x1) / 2, azimuth + turn, distance_m))


@st.composite
def wiggly_borders(draw):
    """Lines that wander sideways with bends of any sharpness, from 2 to 25 km, on either side."""
    count = draw(st.integers(3, 40))
    step = draw(st.floats(80, 600))
    wander = draw(st.floats(0, 500))
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    east = np.cumsum(rng.uniform(0.4, 1.0, count) * step)
    north = rng.uniform(-1, 1, count) * wander
    # Straight run-outs, so that which side the base is on does not hang on the last bend.
    points = [(-1500.0, 0.0), *zip(east, north, strict=True), (float(east[-1]) + 1500.0, 0.0)]
    azimuth = draw(st.floats(0, 2 * math.pi))
    c, s = math.cos(azimuth), math.sin(azimuth)
    turned = [(x * c - y * s, x * s + y * c) for x, y in points]
    return border_from_metres(
        turned,
        draw(st.sampled_from(["left", "right"])),
        stand_off_m=draw(st.floats(40, 95)),
        band_own_m=draw(st.floats(5, 20)),
        band_far_m=draw(st.floats(5, 20)),
    )


def fleet_for(border, count=2, distance_m=1500.0) -> Fleet:
    return default_fleet(beside(border, distance_m), count)


def lifted(fleet, amsl_m=1000.0):
    """A fleet whose wings are as fast and turn as wide at a height, where slopes are, as others at sea level."""
    thin = float(true_per_equivalent(amsl_m))

    def craft(usual):
        speeds = {name: getattr(usual, name) / thin for name in ("min_m_s", "cruise_m_s", "max_m_s")}
        return replace(usual, **speeds, turn_radius_m=usual.turn_radius_m / thin**2)

    return replace(fleet, vehicles=tuple(replace(v, aircraft=craft(v.aircraft)) for v in fleet.vehicles))


def storing(fleet, **stores):
    """The same fleet whose aircraft store so many fence_vertices or mission_items."""
    return replace(fleet, vehicles=tuple(_storing(vehicle, stores) for vehicle in fleet.vehicles))


def stored(made, **stores):
    """The same plan, made for aircraft that store more, flown by some that store so many."""
    sorties = tuple(replace(sortie, vehicle=_storing(sortie.vehicle, stores)) for sortie in made.sorties)
    return replace(made, fleet=storing(made.fleet, **stores), sorties=sorties)


def _storing(vehicle, stores):
    return replace(vehicle, aircraft=replace(vehicle.aircraft, **stores))


def metres(lon_lat):
    """East and north of LAT, LON, plainly scaled: another projection than the planner's and the checker's."""
    return (np.array(lon_lat) - (LON, LAT)) * (M_LON, M_LAT)


def area(one):
    """A zone in those metres."""
    return shapely.Polygon(metres(one.rings[0]), [metres(hole) for hole in one.rings[1:]])


def way(sortie):
    """All legs of a sortie in those metres."""
    points = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
    return shapely.LineString(metres([(p.lon_deg, p.lat_deg) for p in points]))


def zone(name, east, north, size_m, corners=5, **fields):
    """A regular zone about a place in those metres."""
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)
    ring = [(LON + (east + size_m * math.cos(a)) / M_LON, LAT + (north + size_m * math.sin(a)) / M_LAT) for a in angles]
    return Zone(name, (tuple(ring),), **fields)


def roster_of(made, sortie):
    """Who flies a sortie of a plan, in the first period in which it is flown."""
    number = made.sorties.index(sortie)
    return next(roster for period in made.periods for roster in period.rosters if number in roster.sorties)
