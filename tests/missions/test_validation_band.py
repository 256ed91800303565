"""Places of the band that validation draws, beside those that shapely says lie in it."""

import math

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from missions import Branch, LineKind, Side
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
