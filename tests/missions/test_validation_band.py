"""Places of the band that validation draws, beside those that shapely says lie in it."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.stats import qmc

from missions import Base, BorderSegment, Branch, LineKind, Side, check, default_fleet, plan
from missions.validation_band import places_of_band
from tests.missions.helpers import border_from_metres, metres

LENGTH_M = 2400.0
COUNT = 2000


def tracks(seed, noise_m, spacing_m):
    """A line that swings and is as noisy as what a receiver writes down."""
    east = np.arange(0.0, LENGTH_M + 1, spacing_m)
    north = 200 * np.sin(east / 300) + noise_m * np.random.default_rng(seed).normal(size=len(east))
    return list(zip(east.tolist(), north.tolist(), strict=True))


def shares(places, line):
    """Which share of places lies in each part of the band: along the line, and away from it."""
    along = shapely.line_locate_point(line, shapely.points(places), normalized=True)
    counted, _, _ = np.histogram2d(along, shapely.distance(line, shapely.points(places)), bins=[5, [0, 10, 20, 40, 60]])
    return counted / len(places)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    noise_m=st.sampled_from([0.0, 0.5, 2.0, 4.0]),
    spacing_m=st.sampled_from([4.0, 60.0]),
    side=st.sampled_from(["left", "right"]),
    depths=st.tuples(st.floats(5, 60), st.floats(5, 60)),
)
def test_every_part_of_the_band_has_as_many_places_as_it_has_area(seed, noise_m, spacing_m, side, depths):
    border = border_from_metres(tracks(seed, noise_m, spacing_m), side, band_own_m=depths[0], band_far_m=depths[1])
    places = metres(places_of_band([border], COUNT)[:, ::-1])
    line = shapely.LineString(metres(border.coordinates))
    every = qmc.scale(qmc.Sobol(2, seed=1).random(2**13), [0.0, -330.0], [LENGTH_M, 330.0])
    north = shapely.Polygon([*line.coords, (LENGTH_M, 1e4), (0.0, 1e4)])
    own = shapely.contains_xy(north, *every.T) == (border.own_side is Side.LEFT)
    band = every[shapely.distance(line, shapely.points(every)) < np.where(own, *depths)]
    expected, found = shares(band, line), shares(places, line)
    # No more than chance: five deviations of as many places drawn at random.
    assert (np.abs(found - expected) < 5 * np.sqrt(expected / len(places)) + 0.006).all()


def test_a_line_that_goes_round_and_a_branch_have_places_by_their_area_too():
    ring = [(300 * math.cos(a), 300 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 9)[:-1]]
    border = border_from_metres([*ring, ring[0]], "left", band_own_m=20.0, band_far_m=40.0)
    coordinates = border_from_metres([(1000.0, 0.0), (1800.0, 0.0)], "left").coordinates
    branch = Branch("fence", LineKind.FENCE, coordinates, band_left_m=0.0, band_right_m=30.0)
    places = metres(places_of_band([border, branch], COUNT)[:, ::-1])
    octagon = shapely.Polygon(ring)
    bands = (
        octagon.difference(octagon.buffer(-20.0)),
        octagon.buffer(40.0, quad_segs=64).difference(octagon),
        shapely.box(1000.0, -30.0, 1800.0, 0.0),
    )
    whole = sum(band.area for band in bands)
    for band in bands:
        share = shapely.contains_xy(band.buffer(0.5), *places.T).mean()
        assert abs(share - band.area / whole) < 0.03


def test_many_short_lines_have_no_more_places_than_their_area_and_these_lie_at_every_depth():
    border = border_from_metres([(0.0, 0.0), (20_000.0, 0.0)], "left", band_own_m=50.0, band_far_m=50.0)
    branches = []
    for number in range(600):
        north = 1000.0 + 100.0 * number
        ends = border_from_metres([(0.0, north), (20.0, north)], "left").coordinates
        branches.append(Branch(f"fence {number}", LineKind.FENCE, ends, band_left_m=20.0, band_right_m=20.0))
    places = metres(places_of_band([border, *branches], COUNT)[:, ::-1])
    short = places[places[:, 1] > 500.0]
    area = 600 * 20.0 * 40.0
    assert abs(len(short) / len(places) - area / (area + 2e6)) < 0.02
    depth = (short[:, 1] + 50.0) % 100.0 - 50.0
    counted, _ = np.histogram(depth, bins=4, range=(-20.0, 20.0))
    assert counted.sum() == len(short)
    assert counted.min() > 0.15 * len(short)


def _on_globe(lon_lat):
    lon, lat = np.radians(lon_lat).T
    return 6_371_000.0 * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@pytest.mark.parametrize("lon", [20.0, 179.0])
def test_beside_one_long_oblique_piece_all_places_are_in_the_band(lon):
    ends = ((lon, 60.0), ((lon + 182.0) % 360.0 - 180.0, 61.0))
    border = BorderSegment("long", "AAA", "BBB", ends, Side.LEFT, band_own_m=100.0, band_far_m=300.0)
    line = np.array([lon, 60.0]) + np.linspace(0, 1, 20_000)[:, None] * [2.0, 1.0]
    places = places_of_band([border], COUNT)
    away, nearest = cKDTree(_on_globe(line)).query(_on_globe(places[:, ::-1]))
    assert len(places) > 0.9 * COUNT
    assert away.max() < 300 * 1.02
    # And along all of it.
    counted, _ = np.histogram(nearest, bins=10)
    assert counted.min() > 0.9 * len(places) / 10


def test_a_border_of_one_long_oblique_piece_is_planned():
    border = BorderSegment("long", "AAA", "BBB", ((20.0, 60.0), (20.4, 60.35)), Side.RIGHT)
    assert check(plan(border, default_fleet(Base("base", 60.16, 20.22), 2))) == []
