"""Ground of which crossing lines do not agree whose it is, against the side that each line alone tells."""

import math
from bisect import bisect

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from missions import Base, BorderSegment, PlanError, build_network, default_fleet, plan_network
from missions.border_loops import taken_apart
from missions.contested import Contested
from missions.network_lines import joined_borders
from tests.asked import few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres


def holds(contested, east, north):
    return contested.holds(LAT + north / M_LAT, LON + east / M_LON)


def across(points, at):
    """The second coordinate of a line at a first one; beyond its ends it is level."""
    k = min(max(bisect([x for x, _ in points], at), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[k - 1], points[k]
    return y0 + (y1 - y0) * min(max((at - x0) / (x1 - x0), 0.0), 1.0)


@st.composite
def wandering(draw):
    """A line that goes on along its first coordinate, with level ends of 3 km and some bends between, metres."""
    bends = [(300.0 * k - 600.0, draw(st.integers(-9, 9)) * 37.0) for k in range(draw(st.integers(1, 5)))]
    return [(-6000.0, bends[0][1]), (-2500.0, bends[0][1]), *bends, (2500.0, bends[-1][1]), (6000.0, bends[-1][1])]


@settings(max_examples=few(60))
@given(wandering(), wandering(), st.booleans(), st.booleans(), st.data())
def test_of_two_borders_that_cross_between_vertices_all_is_contested_that_lies_on_the_own_side_of_one_only(
    east, north, left, right, data
):
    """One runs from west to east and one from south to north; where they have no vertex in common."""
    one = border_from_metres(east, "left" if left else "right")
    other = border_from_metres([(y, x) for x, y in north], "right" if right else "left")
    assume(not set(one.coordinates) & set(other.coordinates))
    contested = Contested([one, other])
    assert contested.places
    for _ in range(10):
        x, y = data.draw(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)))
        above, beside = y - across(east, x), x - across(north, y)
        if min(abs(above), abs(beside)) > 5:
            own = {(above > 0) == left, (beside > 0) == right}
            assert holds(contested, x, y) == (own == {True, False}), (x, y)


def test_a_narrow_sector_between_crossing_lines_is_the_one_that_is_contested():
    """They cross at 8 degrees, a few metres from a vertex."""
    one = border_from_metres([(-6000, 0), (-300, 0), (0, 111), (300, -185), (6000, -185)], "right")
    other = border_from_metres([(0, -6000), (0, -300), (111, 0), (-111, 300), (-111, 6000)], "left")
    contested = Contested([one, other])
    for place, disputed in {(0, 130): True, (2000, -2000): True, (60, 20): False, (2000, 2000): False}.items():
        assert holds(contested, *place) == disputed, place


def test_who_takes_off_from_ground_that_one_of_two_crossing_borders_calls_foreign_is_refused_with_the_place():
    one = border_from_metres([(-6000, 0), (6000, 0)], "left")
    other = border_from_metres([(0, -6000), (0, 6000)], "right")
    network = build_network("two", [one, other])
    with pytest.raises(PlanError, match=r"46\.00000 8\.00000"):
        plan_network(network, default_fleet(Base("base", LAT + 300 / M_LAT, LON - 2000 / M_LON), 1))
    made = plan_network(network, default_fleet(Base("base", LAT + 1000 / M_LAT, LON + 1000 / M_LON), 1))
    legs = [leg.end for sortie in made.sorties for leg in sortie.legs]
    assert all(point.lat_deg > LAT and point.lon_deg > LON for point in legs)


def test_one_of_several_borders_that_crosses_itself_has_contested_ground_there():
    """It runs east, back west over a bow north, and south through itself at (1000, 0)."""
    knot = border_from_metres([(-6000, 0), (2000, 0), (2000, 2000), (1000, 2000), (1000, -6000)], "left")
    other = border_from_metres([(-6000, 9000), (6000, 9000)], "right")
    contested = Contested([knot, other])
    assert [(round(lat, 6), round(lon, 6)) for lat, lon in contested.places] == [(LAT, round(LON + 1000 / M_LON, 6))]
    # Within the loop both say own, and opposite it both say foreign.
    for place, disputed in {(1500, 1000): False, (0, 1000): True, (2500, -1000): True, (0, -1000): False}.items():
        assert holds(contested, *place) == disputed, place


def test_beside_a_stretch_that_a_line_runs_along_both_ways_both_sides_are_contested():
    """From 2000 to 3000 m it comes back the way it went, with what is own on the other hand."""
    line = [(-4000, 0), (3000, 0), (3000, 1000), (4000, 1000), (4000, 0), (2000, 0), (2000, -6000)]
    border = border_from_metres(line, "left")
    assert len(taken_apart(border)) == 1
    contested = Contested([border])
    assert contested.places
    assert holds(contested, 2500, 200)
    assert holds(contested, 2500, -200)
    assert holds(contested, 3500, 500) == (not _agreed(border))


def _agreed(border: BorderSegment) -> bool:
    """Whether all edges about the small square say the same of it: it lies left of all of them or of none."""
    x, y = 3500.0, 500.0
    edges = [((3000, 0), (3000, 1000)), ((3000, 1000), (4000, 1000)), ((4000, 1000), (4000, 0)), ((4000, 0), (3000, 0))]
    left = {math.copysign(1, (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) > 0 for a, b in edges}
    return len(left) == 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_borders_that_run_along_each_other_the_same_way_contradict_each_other_nowhere(side):
    one = border_from_metres([(-6000, 0), (1000, 0)], side)
    other = border_from_metres([(-1000, 0), (6000, 0)], side)
    assert not Contested([one, other]).places


@pytest.mark.parametrize("over_m", [-9, -5, 0, 5, 9])
def test_a_border_that_ends_at_another_or_a_little_beyond_it_crosses_nothing(over_m):
    one = border_from_metres([(-6000, 0), (6000, 0)], "left")
    other = border_from_metres([(0, 6000), (0, -over_m)], "left")
    assert not Contested(joined_borders(build_network("two", [one, other]))).places
    beyond = border_from_metres([(0, 6000), (0, -300)], "left")
    assert Contested(joined_borders(build_network("two", [one, beyond]))).places
