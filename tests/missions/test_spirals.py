"""Borders that wind about themselves: between two windings the nearest one says whose the ground is."""

import math

import numpy as np
import pytest
import shapely

from missions import (
    AircraftForm,
    Airspace,
    Base,
    PlanOptions,
    compile_mission,
    default_fleet,
    plan,
    validate,
    validate_missions,
)
from missions.clearance import form_clearance
from missions.far_ground import Flank, far_ground, is_torn
from missions.surroundings import Surroundings
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, way


def spiral(turns, radius_m):
    t = np.linspace(0.5, turns * math.pi, 80)
    return radius_m * np.stack([t * np.cos(t), t * np.sin(t)], axis=-1)


def sides(line, places):
    """+1 on the left of the nearest stretch of a line, by its tangent there; 0 past its ends."""
    at = shapely.line_locate_point(line, shapely.points(places))
    a, b = (shapely.get_coordinates(shapely.line_interpolate_point(line, at + more)) for more in (-0.5, 0.5))
    u, v = b - a, places - a
    return np.sign(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) * ((at > 1.0) & (at < line.length - 1.0))


# Places within the outer winding, near it, from which the far side of the inner one lies between it and its other end.
@pytest.mark.parametrize(
    ("turns", "radius_m", "base"), [(2.8, 480, (2600, -650)), (3.2, 500, (-4300, 700)), (2.7, 520, (1530, -2030))]
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_between_two_windings_nobody_flies_where_the_inner_one_is_nearer(turns, radius_m, base, mirrored):
    flip = (1, -1) if mirrored else (1, 1)
    border = border_from_metres(spiral(turns, radius_m) * flip, "right" if mirrored else "left", stand_off_m=50)
    east, north = np.array(base) * flip
    made = plan(border, default_fleet(Base("base", LAT + north / M_LAT, LON + east / M_LON), 2))
    line = shapely.LineString(metres(border.coordinates))
    for sortie in made.sorties:
        places = shapely.get_coordinates(shapely.segmentize(way(sortie), 20.0))
        assert not (sides(line, places) == -border.own_side.sign).any()
        assert way(sortie).distance(line) >= border.stand_off_m
    # They watch the outer winding as far as its own half leads.
    assert sum(sortie.to_m - sortie.from_m for sortie in made.sorties) > 3000
    assert validate(made).violations == []
    assert validate_missions(made, [compile_mission(made, sortie) for sortie in made.sorties]).violations == []


def test_far_ground_is_what_lies_beyond_the_nearest_stretch():
    points = spiral(3.0, 400)
    line = shapely.LineString(points)
    rng = np.random.default_rng(7)
    places = rng.uniform(-4000, 4000, (4000, 2))
    places = places[shapely.distance(line, shapely.points(places)) > 40.0]
    for own in (1, -1):
        ground = far_ground([Flank(points, own, True, True)], 6000.0, 20.0)
        told = sides(line, places)
        far = shapely.contains_xy(ground, *places.T)
        off = shapely.distance(shapely.boundary(ground), shapely.points(places))
        clear = (told != 0) & (off > 5.0)
        assert clear.sum() > 3000
        assert (far == (told == -own))[clear].all()


def test_past_an_end_far_ground_is_told_as_bases_are():
    """By the straight way on, which beside a spiral leads away from it at any angle."""
    border = border_from_metres(spiral(3.0, 200), "left")
    around = Surroundings((border,), Airspace(), (), 30.0, form_clearance(AircraftForm.MULTIROTOR))
    region = around.region(LAT, LON, 4000.0)
    line = shapely.LineString(metres(border.coordinates))
    rng = np.random.default_rng(3)
    ends = shapely.get_coordinates(shapely.get_point(line, [0, -1]))
    places = np.concatenate([end + rng.uniform(-700, 700, (400, 2)) for end in ends])
    past = ~np.isin(sides(line, places), (-1, 1)) & (shapely.distance(line, shapely.points(places)) > 10.0)
    clear = shapely.distance(shapely.boundary(region.beyond), shapely.points(places)) > 5.0
    places = places[past & clear]
    assert len(places) > 150
    own = [around.own_side(LAT + north / M_LAT, LON + east / M_LON) for east, north in places]
    assert (shapely.contains_xy(region.beyond, *places.T) == ~np.array(own)).all()
    assert 0.2 < np.mean(own) < 0.8


def test_two_lines_that_join_have_the_far_ground_of_one():
    whole = np.array([(-3000.0, 0.0), (0.0, 0.0), (3000.0, 0.0)])
    halves = [Flank(whole[:2], 1, True, True), Flank(whole[1:], 1, True, True)]
    one, two = (far_ground(flanks, 2500.0, 20.0) for flanks in ([Flank(whole, 1, True, True)], halves))
    assert shapely.symmetric_difference(one, two).area < 1e-3 * one.area
    assert one.area == pytest.approx(math.pi * 2500.0**2 / 2, rel=0.01)


BEND = np.array([(0.0, 0.0), (5000.0, 0.0), (8000.0, 3000.0)])


@pytest.mark.parametrize(
    ("lines", "torn"),
    [
        ([BEND], False),
        ([spiral(2.8, 480)], True),
        # What goes on beyond both ends crosses.
        ([np.array([(-3000.0, 2000.0), (-4000.0, 0.0), (4000.0, 0.0), (3000.0, 2000.0)])], True),
        ([np.vstack([BEND, (0.0, 0.0)])], False),
        ([BEND, np.array([(12_000.0, 1000.0), (12_000.0, 9000.0)])], True),
        ([BEND, np.array([(0.0, -6000.0), (5000.0, -6000.0)])], False),
    ],
)
def test_lines_that_are_met_again_straight_on_are_torn(lines, torn):
    assert is_torn(lines, 25.0, 100_000.0) is torn


def test_a_way_between_windings_that_leaves_no_own_half_is_told():
    """Of 130 m between two arms a flight line 75 m from its own one lies nearer to the other, whose far side it is."""
    arms = [(0, 0), (6000, 0), (6000, 3000), (2000, 3000), (2000, 130), (5870, 130), (5870, 2800), (4000, 2800)]
    border = border_from_metres(arms, "left", stand_off_m=40)
    made = plan(border, default_fleet(Base("base", LAT + 700 / M_LAT, LON + 800 / M_LON), 1), options=PlanOptions())
    assert any("by the nearest stretch" in gap.reason for gap in made.coverage.uncovered)
