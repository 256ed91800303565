"""The course of a long border, over chunks and over the antimeridian; schedules; the whole border."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geo import LocalFrame, densify, geodesic_length_m
from missions import (
    Airspace,
    Base,
    BorderSegment,
    PlanOptions,
    base_behind,
    check,
    default_fleet,
    land_border,
    plan,
)
from missions.border_course import border_courses
from missions.clearance import Clearance
from missions.surroundings import Surroundings
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, metres, straight

SLOW = settings(max_examples=asked(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])

NO_MARGIN = Clearance(0.0, 0.0, 0.0)


def _long_border(length_km, seed, wander_deg=0.02, lon0=20.0, lat0=50.0):
    rng = np.random.default_rng(seed)
    count = max(3, int(length_km / 2))
    lon = lon0 + np.cumsum(rng.uniform(0.01, 0.045, count))
    lat = lat0 + np.cumsum(rng.normal(0, wander_deg / 2, count))
    lon = (lon + 180) % 360 - 180
    return BorderSegment("long", "AAA", "BBB", tuple(zip(lon.tolist(), lat.tolist(), strict=True)), "left")


def _course_of(border, lateral_m=63.0):
    return border_courses(Surroundings(border, Airspace(), (), 30.0, NO_MARGIN), lateral_m)[0]


def _distances(course, border):
    """Least and greatest distance of a course from its border, metres, in planes of its own."""
    lon, lat = border.unwrapped().T
    lat, lon = densify(lat, lon, 500.0)
    least, greatest = np.inf, 0.0
    for k in range(0, len(course.lat_deg) - 1, 150):
        part = slice(k, k + 151)
        frame = LocalFrame(float(course.lat_deg[k]), (float(course.lon_deg[k]) + 180) % 360 - 180)
        near = np.flatnonzero((abs(lat - course.lat_deg[k]) < 3) & (abs(lon - course.lon_deg[k]) < 5))
        runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
        lines = shapely.union_all(
            [shapely.LineString(np.stack(frame.to_enu(lat[r], lon[r])[:2], axis=-1)) for r in runs if len(r) > 1]
        )
        path = shapely.LineString(np.stack(frame.to_enu(course.lat_deg[part], course.lon_deg[part])[:2], axis=-1))
        least = min(least, path.distance(lines))
        places = shapely.line_interpolate_point(path, np.arange(0.0, path.length, 200.0))
        greatest = max(greatest, float(shapely.distance(places, lines).max()))
    return least, greatest


@SLOW
@given(seed=st.integers(0, 10**6), length_km=st.integers(100, 600), lateral=st.floats(65, 200))
def test_a_long_course_keeps_its_distance_and_has_no_seam(seed, length_km, lateral):
    border = _long_border(length_km, seed)
    course = _course_of(border, lateral)
    least, greatest = _distances(course, border)
    assert least >= lateral - 2.1
    # A seam that went back or jumped would show in the length, or as a leg far from the border.
    assert greatest <= lateral + 4.0
    assert np.diff(course.along_m).min() > 0
    assert course.length_m == pytest.approx(border.length_m(), rel=0.15)
    assert course.watched.all()


def test_a_course_over_the_antimeridian_is_the_same_as_elsewhere():
    here, there = (_long_border(150, 5, lon0=lon) for lon in (20.0, 179.0))
    courses = [_course_of(b) for b in (here, there)]
    assert courses[1].length_m == pytest.approx(courses[0].length_m, rel=1e-4)
    assert np.allclose(courses[1].lat_deg, courses[0].lat_deg, atol=1e-6)
    assert np.abs(np.diff(courses[1].lon_deg)).max() < 1
    base = base_behind(there, there.length_m() / 2)
    made = plan(there, default_fleet(base, 2))
    assert check(made) == []
    assert all(-180 <= p.lon_deg <= 180 for s in made.sorties for leg in s.legs for p in (leg.start, leg.end))


def test_round_an_enclave_who_flies_comes_back_as_soon_wherever_its_line_begins():
    """Of a ring of equal sides it is no matter at which corner its line was begun: ways pass that place too."""
    corners = [(4500 * math.cos(a), 4500 * math.sin(a)) for a in np.arange(16) * math.pi / 8]
    base = Base("base", LAT, LON - 11_000 / M_LON)
    rings = [border_from_metres([*corners[k:], *corners[: k + 1]], "right") for k in (0, 4, 8, 12)]
    plans = [plan(ring, default_fleet(base, 2)) for ring in rings]
    assert all(check(made) == [] and made.coverage.share > 0.999 for made in plans)
    assert max(made.revisit_s for made in plans) < 1.05 * min(made.revisit_s for made in plans)


@settings(max_examples=30, deadline=None)
@given(
    begin=st.integers(0, 15), bearings=st.lists(st.floats(0, 2 * math.pi), min_size=1, max_size=3), inside=st.booleans()
)
# A vertex of the course lies just beside where the ring begins.
@example(begin=0, bearings=[1.0], inside=False)
def test_a_ring_is_opened_by_its_bases_and_stays_the_same_ring(begin, bearings, inside):
    corners = [(4500 * math.cos(a), 4500 * math.sin(a)) for a in np.arange(16) * math.pi / 8]
    ring = border_from_metres([*corners[begin:], *corners[: begin + 1]], "left" if inside else "right")
    away_m = 3000 if inside else 7000
    bases = [
        Base(f"base {k}", LAT + away_m * math.sin(a) / M_LAT, LON + away_m * math.cos(a) / M_LON)
        for k, a in enumerate(bearings)
    ]
    first, *others = border_courses(Surroundings(ring, Airspace(), (), 30.0, NO_MARGIN), 80.0, bases=bases)
    line = shapely.LineString(metres(ring.coordinates))
    for course in (first, *others):
        places = metres(np.column_stack([course.lon_deg, course.lat_deg]))
        assert places[0] == pytest.approx(places[-1], abs=1e-6)
        assert course.length_m == pytest.approx(first.length_m, rel=1e-6)
        assert (
            shapely.symmetric_difference(
                shapely.Polygon(places), shapely.Polygon(metres(np.column_stack([first.lon_deg, first.lat_deg])))
            ).area
            < 1.0
        )
        # Where along the border each leg is said to lie: nearest to its middle, by shapely.
        middles = shapely.points((places[:-1] + places[1:]) / 2)
        off = shapely.line_locate_point(line, middles) - course.line_m.mean(axis=1)
        assert np.abs((off + line.length / 2) % line.length - line.length / 2).max() < 0.02 * line.length
    # Opened next to the first base, and midway between the two that are farthest apart.
    turns = [math.atan2(*metres([(c.lon_deg[0], c.lat_deg[0])])[0][::-1]) for c in others]
    at = np.sort(np.unique(np.mod(bearings, 2 * math.pi)))
    gaps = np.diff(np.append(at, at[0] + 2 * math.pi))
    expected = [bearings[0]]
    # Several in one place are as one.
    if len(at) > 1 and np.sort(gaps)[-2] > 0.1 and np.sort(gaps)[-1] - np.sort(gaps)[-2] > 0.2:
        expected.append(at[np.argmax(gaps)] + gaps.max() / 2)
    for angle in expected:
        own = [*turns, 2 * math.pi * begin / 16]
        assert min(abs((turn - angle + math.pi) % (2 * math.pi) - math.pi) for turn in own) < 0.12


def test_a_border_that_comes_back_to_itself_is_not_flown_between():
    """A hairpin of which both arms are nearer to each other than twice the stand-off."""
    arm = [(8.0 + 0.01 * k, 46.0) for k in range(12)]
    back = [(8.11 - 0.01 * k, 46.0009) for k in range(12)]
    border = BorderSegment("hairpin", "AAA", "BBB", (*arm, *back), "right")
    course = _course_of(border)
    assert _distances(course, border)[0] >= 60.9


def test_stations_lie_on_the_course_and_divide_it():
    course = _course_of(straight(10_000))
    stations = course.stations(300.0)
    assert stations[0] == 0
    assert stations[-1] == pytest.approx(course.length_m)
    assert np.diff(stations).max() < 600
    lat, lon = course.at(stations)
    assert geodesic_length_m(lat, lon) == pytest.approx(course.length_m, rel=1e-5)


def test_the_whole_border_of_two_countries_is_planned_with_what_is_out_of_reach_listed():
    border = max(land_border("USA", "MEX"), key=lambda part: part.length_m())
    made = plan(border, default_fleet(base_behind(border, 1_200_000.0), 3), options=PlanOptions(shift_s=14_400))
    assert check(made) == []
    flown = sum(s.to_m - s.from_m for s in made.sorties)
    assert 20_000 < flown < 80_000
    assert any("out of reach" in note for note in made.notes)
    assert made.coverage.share == pytest.approx(flown / border.length_m(), rel=0.1)


def test_take_offs_from_one_base_keep_their_interval():
    border = straight(20_000)
    made = plan(border, fleet_for(border, 5), options=PlanOptions(launch_interval_s=90.0))
    starts = sorted(flight.start_s for flight in made.flights)
    assert np.diff(starts).min() >= 90.0 - 1e-6
