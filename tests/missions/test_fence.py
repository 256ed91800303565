"""Fences beside lines of many small bends: every sortie has one, and an independent look finds it lawful."""

import math

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Polygon

from geo import FlatTerrain
from missions import base_beside, compile_mission, default_fleet, plan, sortie_fence, validate_missions
from missions.fence import _around
from tests.missions.helpers import border_from_metres, metres, way


def swinging(seed, length_m, step_m=5.0):
    """A line that swings by 2.2 km over several kilometres, and by 55 m about every 150 m."""
    rng = np.random.default_rng(seed)
    east = np.arange(0.0, length_m, step_m)
    slow = 2200 * np.sin(east / 9000 * 2 * math.pi / (0.5 + rng.random()) + rng.random() * 6)
    quick = 55 * np.sin(2 * math.pi * east / (150 * (0.8 + 0.4 * rng.random())) + rng.random() * 6)
    return [(float(x), float(y)) for x, y in zip(east, slow + quick, strict=True)]


def assert_lawful(made, sortie):
    """By other code than the planner's and the validation's: in metres that are merely scaled about one place."""
    inclusion, *exclusions = sortie_fence(made, sortie)
    assert len(inclusion.vertices) + sum(len(one.vertices) for one in exclusions) <= 64
    inside = Polygon(metres([(lon, lat) for lat, lon in inclusion.vertices]))
    free = inside.difference(
        shapely.union_all([Polygon(metres([(lon, lat) for lat, lon in one.vertices])) for one in exclusions])
    )
    line = LineString(metres(made.border.coordinates))
    assert inside.is_valid
    # Rotors in calm keep 3 m of the fence, and the fence 3.5 m of the stand-off; metres here are good to 0.2 %.
    assert free.contains(way(sortie).buffer(2.8))
    assert free.distance(line) >= (made.border.stand_off_m + 3.5) * 0.998


@pytest.mark.parametrize("seed", [1, 3])
def test_beside_a_line_of_many_small_bends_every_sortie_has_a_fence(seed):
    border = border_from_metres(swinging(seed, 20_000.0, 10.0), "left")
    made = plan(border, default_fleet(base_beside(border, 2000.0), 2), FlatTerrain(500.0))
    assert len(made.sorties) > 12
    for sortie in made.sorties:
        assert_lawful(made, sortie)
    assert validate_missions(made, [compile_mission(made, sortie) for sortie in made.sorties]).violations == []


def test_where_vertices_are_few_the_fence_uses_all_of_its_room(monkeypatch):
    """The sorties at the ends of the line too, whose fence runs along the border and along its continuation."""
    border = border_from_metres(swinging(3, 6000.0), "left")
    made = plan(border, default_fleet(base_beside(border, 2000.0), 2), FlatTerrain(500.0))
    monkeypatch.setattr("missions.fence.FENCE_VERTICES", 34)
    for sortie in made.sorties:
        assert_lawful(made, sortie)


def test_of_the_holes_of_a_fence_those_with_nothing_in_them_are_filled():
    """Between the way out and the way home lies free ground, or an enclave."""
    flown = MultiLineString([[(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]])
    region = flown.buffer(50)
    alone = _around(region, flown, shapely.Point(500, -500))
    assert len(alone) == 1
    assert Polygon(alone[0]).contains(shapely.Point(500, 500))
    outer, enclave = _around(region, flown, shapely.Point(500, 500).buffer(10))
    assert Polygon(outer).contains(Polygon(enclave))
