"""What is wrong is named by object and field, and what is left out of a network stands in the plan."""

import numpy as np
import pytest

from geo import Altitude, Datum, open_terrain
from missions import (
    Airspace,
    AirspaceError,
    BorderError,
    BorderSegment,
    Branch,
    LandingSite,
    PlanError,
    PlanOptions,
    build_network,
    plan,
    plan_network,
    read_patrolled,
    write_borders,
)
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight, zone


def degrees(*points):
    return tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in points)


def test_two_borders_that_go_on_in_each_other_with_opposite_sides_are_named(tmp_path):
    """A line in three parts of which the middle one was digitised the other way round."""
    parts = [degrees((0, 0), (2000, 0)), degrees((4000, 0), (2000, 0)), degrees((4000, 0), (6000, 0))]
    borders = [BorderSegment(f"part {n}", "AAA", "BBB", line, "left") for n, line in enumerate(parts, 1)]
    with pytest.raises(BorderError) as caught:
        build_network("line", borders)
    for word in ("'part 1'", "'part 2'", "own_side left and left", "runs the other way", f"{LAT:.5f}"):
        assert word in str(caught.value)
    write_borders(borders, tmp_path / "line.geojson")
    with pytest.raises(BorderError, match=r"line\.geojson.*'part 1' and 'part 2'"):
        read_patrolled(tmp_path / "line.geojson")
    # Of the same line either all run one way, or the side of the one that does not is the other.
    turned = BorderSegment("part 2", "AAA", "BBB", parts[1], "right")
    assert len(build_network("line", [borders[0], turned, borders[2]]).edges) > 0
    back = [BorderSegment(b.name, b.own, b.neighbour, b.coordinates[::-1], "right") for b in borders[::2]]
    assert len(build_network("line", [back[0], turned, back[1]]).edges) > 0


def test_where_a_third_border_meets_them_sides_may_change():
    """Three countries: of one that lies between two others each border has its own side."""
    ends = [(-3000, 0), (2000, 2500), (2000, -2500)]
    lines = [degrees((0, 0), end) for end in ends]
    sides = ("left", "right", "left")
    borders = [
        BorderSegment(f"b{n}", "AAA", "BBB", line, side)
        for n, (line, side) in enumerate(zip(lines, sides, strict=True))
    ]
    assert len(build_network("three", borders).nodes) == 4


@pytest.mark.parametrize("metres", [1e-5, 0.004, 0.007])
def test_a_line_of_no_length_is_refused_by_name(metres):
    with pytest.raises(BorderError, match=r"border 'dot': coordinates: all vertices lie within 1 cm"):
        BorderSegment("dot", "AAA", "BBB", degrees((0, 0), (metres, 0)), "left")
    with pytest.raises(BorderError, match=r"branch 'dot': coordinates: all vertices lie within 1 cm"):
        Branch("dot", "road", degrees((0, 0), (metres / 2, 0), (metres, 0)))


def test_a_border_that_is_shorter_than_its_bends_is_named_with_its_length():
    border = BorderSegment("stub", "AAA", "BBB", degrees((0, 0), (0.4, 0)), "left")
    with pytest.raises(PlanError, match=r"border 'stub', 0 m long: no room for a flight line"):
        plan(border, fleet_for(straight()))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"kind": "limits", "floor": Altitude(200.0, Datum.AGL)},
            "zone 'Z', whose limits no flight of this plan keeps",
        ),
        ({}, "no-fly zone 'Z'"),
    ],
)
def test_a_zone_of_limits_that_blocks_is_not_called_a_no_fly_zone(fields, said):
    """Where a base or a landing site lies in it, nor where it cuts the flight line."""
    border = straight(6000.0)
    fleet = fleet_for(border, 1)
    base = fleet.vehicles[0].base
    east, north = (base.lon_deg - LON) * M_LON, (base.lat_deg - LAT) * M_LAT
    with pytest.raises(PlanError, match=f"lies in {said}"):
        plan(border, fleet, airspace=Airspace((zone("Z", east, north, 400.0, **fields),)))
    on_the_line = zone("Z", 1000.0, 0.0, 400.0, **fields)
    site = LandingSite("field", LAT + 300.0 / M_LAT, LON + 1000.0 / M_LON, 20.0)
    with pytest.raises(AirspaceError, match=f"landing site 'field' lies in {said}"):
        plan(border, fleet, airspace=Airspace((on_the_line,), (site,)))
    made = plan(border, fleet, airspace=Airspace((on_the_line,)))
    assert {gap.reason for gap in made.coverage.uncovered} == {said}


def test_a_base_off_the_only_tile_is_told_what_that_covers(tmp_path):
    np.full((1201, 1201), 300, ">i2").tofile(tmp_path / "N10E020.hgt")
    border = straight(6000.0)
    with pytest.raises(PlanError) as caught:
        plan(border, fleet_for(border, 1), open_terrain(tmp_path / "N10E020.hgt"))
    for word in ("base 'base'", "N10E020.hgt covers latitude 10.00000 to 11.00000", "add N46E008.hgt"):
        assert word in str(caught.value)


def test_what_a_network_leaves_out_stands_in_the_plan_with_its_reason():
    """A river that crosses the border and comes back, a road beside the line, and a stub."""
    border = straight(6000.0, "right")
    branches = [
        Branch("river", "river", degrees((2000, -1500), (2200, 1500), (2900, -1200))),
        Branch("lane", "road", degrees((3500, -4), (5000, -4))),
        Branch("stub", "road", degrees((1000, -800), (1004, -803))),
    ]
    made = plan_network(build_network("all", [border], branches), fleet_for(border, 2, 900.0), None, PlanOptions())
    (beyond,) = [note for note in made.notes if "beyond the border" in note]
    assert beyond.startswith("river: 3.1 km")
    (along,) = [note for note in made.notes if "along the border" in note]
    assert along.startswith("lane: 15")
    assert "stub: its 5.0 m are too short to be a line of their own: left out" in made.notes
