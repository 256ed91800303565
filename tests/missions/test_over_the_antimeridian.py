"""A plan over the antimeridian, on real ground, is the one that is made a few degrees to the west of it."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from geo import GridTerrain
from missions import (
    Base,
    BorderSegment,
    Fleet,
    LegKind,
    PlanOptions,
    Progress,
    Vehicle,
    Wind,
    check,
    compile_mission,
    default_fleet,
    plan,
    resume,
)
from missions.rally import _half_way
from missions.separation import Conflicts
from tests.missions.test_steep_ground import WINGS

LAT, WEST = -17.0, 171.0
EAST_DEG = 1.0 / (111_320.0 * math.cos(math.radians(LAT)))
STEP_DEG = 0.0004


def at(middle_deg, east_m, north_m):
    lon = middle_deg + east_m * EAST_DEG
    return (lon + 180.0) % 360.0 - 180.0, LAT + north_m / 111_132.0


def hills(middle_deg):
    """Ridges beside the line that hide some of its band, and swell along it."""
    lon = (np.arange(500) - 250) * STEP_DEG
    lat = (100 - np.arange(200)) * STEP_DEG
    east, north = np.meshgrid(lon / EAST_DEG, lat * 111_132.0)
    ridge = 25.0 * np.exp(-(((north - 30.0 + 0.02 * east) / 60.0) ** 2)) * (np.abs(east - 600.0) < 500.0)
    heights = 300.0 + 15.0 * np.sin(east / 900.0) + 10.0 * np.cos(north / 700.0 + east / 2000.0) + ridge
    return GridTerrain(heights, LAT + lat[0] - 0.0, middle_deg + lon[0], STEP_DEG)


def setting(middle_deg, form):
    """A line of 6 km about a longitude, two bases behind it, one on either side of that, and the ground."""
    points = [(-3000, 0), (-1200, 150), (-400, 60), (700, -80), (1500, 90), (3000, 0)]
    border = BorderSegment("line", "AAA", "BBB", tuple(at(middle_deg, *p) for p in points), "right")
    bases = [Base(n, *reversed(at(middle_deg, x, -900.0))) for n, x in (("west", -700.0), ("east", 800.0))]
    kind = default_fleet(bases[0], 1)
    craft = kind.vehicles[0].aircraft if form == "multirotor" else WINGS[form]
    camera = replace(kind.camera, max_gsd_m=0.25)
    fleet = Fleet(camera, tuple(Vehicle(n, f"v{n}", craft, bases[n % 2]) for n in range(1, 5)))
    return border, fleet, hills(middle_deg)


FORMS = ("multirotor", "fixed_wing", "vtol")


@pytest.mark.parametrize("form", FORMS)
def test_it_is_flown_when_and_sees_what_it_does_elsewhere(form):
    """Aircraft of both sides are in each other's way, and ridges hide the same of the band."""
    options = PlanOptions(dwell_s=2.5, wind=Wind(3.0, 240.0), shift_s=7200.0)
    made, there = (plan(*setting(middle, form), options) for middle in (WEST, 180.0))
    assert check(there, hills(180.0)) == []
    assert any(abs(leg.start.lon_deg - leg.end.lon_deg) > 180 for sortie in there.sorties for leg in sortie.legs)
    assert there.figure_s == pytest.approx(made.figure_s, rel=1e-4)
    assert there.coverage.share == pytest.approx(made.coverage.share, abs=1e-4)
    assert made.coverage.share < 0.999
    assert [f.sysid for f in there.flights] == [f.sysid for f in made.flights]
    starts, others = ([flight.start_s for flight in one.flights] for one in (made, there))
    assert others == pytest.approx(starts, abs=4.0)
    assert [note.split(" at ")[0] for note in there.notes] == [note.split(" at ")[0] for note in made.notes]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_gone_on_with_as_elsewhere(form):
    options = PlanOptions(dwell_s=2.5, shift_s=7200.0)
    rests = []
    for middle in (WEST, 180.0):
        border, fleet, ground = setting(middle, form)
        made = plan(border, fleet, ground, options)
        (name, item) = (made.sorties[0].name, len(compile_mission(made, made.sorties[0], "px4").items) // 2)
        rests.append(resume(made, Progress(name, item, battery=0.9, airborne=True), ground, dialect="px4"))
    for one, other in zip(*(rest.sorties for rest in rests), strict=True):
        assert other.name == one.name
        assert other.duration_s == pytest.approx(one.duration_s, rel=1e-3)


def test_two_are_in_each_others_way_there_as_elsewhere():
    """Each flies over the antimeridian to and fro, both ways."""
    apart = []
    for middle in (WEST, 180.0):
        made = plan(*setting(middle, "multirotor"), PlanOptions(dwell_s=2.5, shift_s=7200.0))
        conflicts = Conflicts(made.sorties, 400.0, 5.0)
        pairs = itertools.combinations(range(len(made.sorties)), 2)
        apart.append([(conflicts.partners(i).tolist(), conflicts.forbidden(i, j)) for i, j in pairs])
    assert any(len(forbidden) for _, forbidden in apart[0])
    for (partners, forbidden), (theirs, there) in zip(*apart, strict=True):
        assert theirs == partners
        assert there == pytest.approx(forbidden, abs=3.1)


def test_the_rally_point_half_way_lies_half_way():
    """A transit over the antimeridian, whose middle is not on the other side of the earth."""
    border, fleet, _ = setting(180.0, "multirotor")
    west = replace(border, coordinates=border.coordinates[:3])
    lon, lat = at(180.0, 1500.0, -900.0)
    base = replace(fleet.vehicles[0].base, lat_deg=lat, lon_deg=lon)
    made = plan(west, replace(fleet, vehicles=(replace(fleet.vehicles[0], base=base),)))
    for sortie in made.sorties:
        ends = [leg for leg in sortie.legs if leg.kind is LegKind.TRANSIT and leg.distance_m > 0]
        places = ends[0].start.lon_deg, _half_way(sortie).lon_deg, ends[-1].end.lon_deg
        begin, half, end = ((lon_deg + 360.0) % 360.0 - 180.0 for lon_deg in places)
        assert begin > 0 > end
        assert begin > half > end
