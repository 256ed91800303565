"""What pages show of a plan, held against the flights, the coverage and the waypoints of the plan itself."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

import missions
from geo import FlatTerrain, LocalFrame

LINE = ((-110.98, 31.333), (-110.95, 31.331), (-110.93, 31.334), (-110.90, 31.333))


def planned(
    aircraft: int, batteries: int | None, objective: str = "revisit", line: tuple[tuple[float, float], ...] = LINE
) -> missions.PatrolPlan:
    border = missions.BorderSegment("bent", "A", "B", line, missions.Side.LEFT)
    base = missions.Base("base", 31.345, -110.94, batteries=batteries)
    options = missions.PlanOptions(shift_s=4 * 3600, objective=missions.Objective(objective))
    return missions.plan(border, missions.default_fleet(base, aircraft), FlatTerrain(100.0), options)


PLAN = planned(2, None)


TWO = planned(3, 5, line=((-111.1, 31.333), *LINE[1:3], (-110.8, 31.333)))
"""Two sorties, which share a line of 29 km."""
FRAME = LocalFrame(*TWO.border.centre())


def metres(lat_deg, lon_deg):
    east, north, _ = FRAME.to_enu(lat_deg, lon_deg)
    return np.stack([east, north], axis=-1)


def looks_s(sortie, places):
    """Seconds after take-off at which the legs of a sortie come by places, NaN where one does not: (legs, places)."""
    clock, out = 0.0, []
    for leg in sortie.legs:
        if leg.look is not None:
            a, b = metres([leg.start.lat_deg, leg.end.lat_deg], [leg.start.lon_deg, leg.end.lon_deg])
            share = np.clip((places - a) @ (b - a) / np.dot(b - a, b - a), 0, 1)
            off_m = np.hypot(*(a + share[:, None] * (b - a) - places).T)
            out.append(np.where(off_m < 1.0, clock + share * leg.duration_s, np.nan))
        clock += leg.duration_s
    return np.array(out)


@example(kept={0, 1, 2, 3})
@given(kept=st.sets(st.integers(0, len(TWO.flights) - 1), min_size=1))
def test_each_stretch_is_left_alone_as_long_as_the_flights_leave_its_middle(kept):
    """Held against the legs of the flights; without some of them places are left alone for other times."""
    plan = replace(TWO, flights=tuple(flight for number, flight in enumerate(TWO.flights) if number in kept))
    course = metres(*np.array(plan.flight_line).T)
    along = np.cumsum([0.0, *np.hypot(*np.diff(course, axis=0).T)])
    stretches = missions.revisit_along(plan)
    if kept == {0, 1, 2, 3}:
        assert len(stretches) > 3
        assert max(s.revisit_s for s in stretches) > 60 + min(s.revisit_s for s in stretches)
    middles = [(stretch.from_m + stretch.to_m) / 2 for stretch in stretches]
    places = np.stack([np.interp(middles, along, axis) for axis in course.T], axis=-1)
    each = [flight.start_s + looks_s(plan.sorties[flight.sortie], places) for flight in plan.flights]
    # Before its first look a place waits for somebody to take off for it.
    starts = [
        np.where(np.isfinite(own).any(axis=0), f.start_s, np.inf) for f, own in zip(plan.flights, each, strict=True)
    ]
    looks = np.concatenate(each)
    end = np.full((1, len(places)), plan.options.shift_s)
    looks = np.sort(np.concatenate([np.fmin(looks, end), end]), axis=0)  # what is no look is last
    alone = np.fmax(np.nanmax(np.diff(looks, axis=0), axis=0), np.min(starts, axis=0))
    assert [stretch.revisit_s for stretch in stretches] == pytest.approx(alone.tolist(), abs=2.0)


def test_stretches_follow_each_other_along_the_flight_line():
    stretches = missions.revisit_along(PLAN)
    assert all(a.to_m <= b.from_m for a, b in pairwise(stretches))
    line = shapely.LineString([(lon, lat) for lat, lon in PLAN.flight_line])
    for stretch in stretches:
        assert max(line.distance(shapely.Point(place)) for place in stretch.way) < 1e-6


def test_one_coverage_has_no_revisit():
    assert {stretch.revisit_s for stretch in missions.revisit_along(planned(1, None, "once"))} == {None}


def test_what_cameras_take_in_is_what_the_plan_says_it_sees_on_level_ground():
    frame = LocalFrame(*PLAN.border.centre())
    shapes = [shape for own in missions.footprints(PLAN) for shape in own]
    areas = []
    for shape in shapes:
        assert shape["type"] == "Polygon"
        lon, lat = np.array(shape["coordinates"][0]).T
        east, north, _ = frame.to_enu(lat, lon)
        areas.append(shapely.Polygon(np.stack([east, north], axis=-1)))
    assert shapely.union_all(areas).area == pytest.approx(PLAN.coverage.seen_area_m2, rel=0.03)


def test_heights_are_those_of_the_waypoints_and_of_the_ground_between_them():
    class Ridge(FlatTerrain):
        """Level ground that rises to the north."""

        def elevation_m(self, lat_deg, lon_deg):
            return (np.asarray(lat_deg) - 31.3) * 1000.0 + 0.0 * np.asarray(lon_deg)

    sortie = PLAN.sorties[0]
    plain, ridge = missions.height_profile(sortie), missions.height_profile(sortie, Ridge(0.0))
    assert set(plain.ground_m) == {100.0}
    assert len(ridge.distance_m) > len(plain.distance_m)
    for profile in (plain, ridge):
        assert list(profile.distance_m) == sorted(profile.distance_m)
        assert profile.distance_m[-1] == pytest.approx(sortie.distance_m, abs=0.01)
    ways = [sortie.legs[0].start, *(leg.end for leg in sortie.legs)]
    for way in ways:
        assert round(way.amsl_m, 2) in ridge.amsl_m
        assert round((way.lat_deg - 31.3) * 1000.0, 2) in ridge.ground_m


def test_a_plan_over_the_antimeridian_is_shown_on_both_its_sides():
    line = ((179.98, -16.5), (-179.98, -16.5))
    border = missions.BorderSegment("over", "A", "B", line, missions.Side.LEFT)
    fleet = missions.default_fleet(missions.Base("base", -16.49, 179.99), 1)
    plan = missions.plan(border, fleet, None, replace(PLAN.options))
    shapes = [shape for own in missions.footprints(plan) for shape in own]
    shapes += [stretch.shape() for stretch in missions.revisit_along(plan)]
    assert {shape["type"] for shape in shapes} == {"MultiPolygon", "MultiLineString"}
    for shape in shapes:
        for part in shapely.get_parts(shapely.from_geojson(json.dumps(shape))):
            west, _, east, _ = part.bounds
            assert east - west < 1


def test_what_is_of_one_sortie_is_told_apart():
    drawn = missions.plan_geojson(PLAN)
    for sortie in PLAN.sorties:
        own = missions.sortie_geojson(drawn, sortie.name)["features"]
        assert {"sortie", "fence", "emergency"} <= {each["properties"]["kind"] for each in own}
        assert all(each["properties"]["name"].endswith(sortie.name) for each in own)
