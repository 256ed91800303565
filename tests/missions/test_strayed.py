"""Straight out of a margin: never through what the margin is of."""

from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from missions.strayed import _led_out

LINE = np.array([(-3000.0, 0.0), (3000.0, 0.0)])
MARGIN_M = 15.0


def region(*zones):
    """A border along y = 0, what is nearer than 113 m to it shut, and zones grown by their margin."""
    grown = tuple((f"zone {k}", shapely.buffer(zone, MARGIN_M)) for k, zone in enumerate(zones))
    shut = [shapely.box(-3000.0, -3000.0, 3000.0, 113.0), *(shape for _, shape in grown)]
    around = SimpleNamespace(border=(LINE,), wall=(LINE,), zones=grown, obstacles=shut)
    return SimpleNamespace(region=around)


def test_beside_the_border_it_is_led_straight_away_from_it():
    out = _led_out(region(), np.array([0.0, 104.0]), 100.0, MARGIN_M)
    assert out == pytest.approx((0.0, 113.5), abs=0.6)
    assert _led_out(region(), np.array([0.0, 99.0]), 100.0, MARGIN_M) is None


def test_it_is_not_led_through_a_zone_to_the_free_ground_behind_it():
    wall = shapely.box(-400.0, 108.0, 400.0, 118.0)
    assert _led_out(region(wall), np.array([0.0, 104.0]), 100.0, MARGIN_M) is None
    # Past its end the way is free.
    out = _led_out(region(wall), np.array([410.0, 112.0]), 100.0, MARGIN_M)
    assert out is not None
    assert out[0] > 415.0
    assert not shapely.intersects(wall, shapely.linestrings([(410.0, 112.0), tuple(out)]))
