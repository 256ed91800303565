"""Where a base could stand: on the own side of a line, behind a place of it, at least as far off as was asked."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import base_behind
from tests.missions.helpers import border_from_metres, metres


@settings(max_examples=60, deadline=None)
@given(
    begin=st.integers(0, 15),
    share=st.floats(0, 1),
    away_m=st.floats(100, 1500),
    radius_m=st.floats(3500, 15_000),
    inside=st.booleans(),
)
def test_behind_any_place_of_a_ring_there_is_room_for_a_base(begin, share, away_m, radius_m, inside):
    """Beside the place where its line begins as beside any other, within and without."""
    corners = [(radius_m * math.cos(a), radius_m * math.sin(a)) for a in np.arange(16) * math.pi / 8]
    ring = border_from_metres([*corners[begin:], *corners[: begin + 1]], "left" if inside else "right")
    base = base_behind(ring, share * ring.length_m(), away_m)
    here = shapely.Point(metres([(base.lon_deg, base.lat_deg)])[0])
    line = shapely.LineString(metres(ring.coordinates))
    assert shapely.Polygon(line).contains(here) == inside
    assert here.distance(line) == pytest.approx(away_m, rel=0.02, abs=10.0)
    # Behind the place that was asked for, to what plain metres make of lengths that far north and south.
    place = shapely.line_interpolate_point(line, share, normalized=True)
    assert here.distance(place) < 1.1 * away_m + 20.0 + 0.003 * line.length
