"""Fences beside lines of many small bends: every sortie has one, and an independent look finds it lawful."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Polygon

import missions.fence
from geo import FlatTerrain
from missions import (
    Fleet,
    MissionError,
    base_beside,
    compile_mission,
    default_fleet,
    plan,
    sortie_fence,
    validate_missions,
    write_plan_folder,
)
from missions.fence import _around
from missions.setting import Setting
from tests.missions.helpers import beside, border_from_metres, metres, stored, storing, straight, way


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
    assert (
        len(inclusion.vertices) + sum(len(one.vertices) for one in exclusions) <= sortie.vehicle.aircraft.fence_vertices
    )
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
    border = border_from_metres(swinging(seed, 12_000.0, 10.0), "left")
    made = plan(border, default_fleet(base_beside(border, 2000.0), 2), FlatTerrain(500.0))
    assert len(made.sorties) > 7
    for sortie in made.sorties:
        assert_lawful(made, sortie)
    assert validate_missions(made, [compile_mission(made, sortie) for sortie in made.sorties]).violations == []


def test_where_vertices_are_few_the_fence_uses_all_of_its_room():
    """The sorties at the ends of the line too, whose fence runs along the border and along its continuation."""
    border = border_from_metres(swinging(3, 6000.0), "left")
    made = plan(border, default_fleet(base_beside(border, 2000.0), 2), FlatTerrain(500.0))
    made = stored(made, fence_vertices=34)
    for sortie in made.sorties:
        assert_lawful(made, sortie)


def test_a_sortie_that_no_fence_holds_is_made_shorter(monkeypatch):
    """Little is lost by it: fences of 16 vertices hold shorter sorties, though it looked as if 64 were stored."""
    border = border_from_metres(swinging(3, 3000.0), "left")
    fleet = default_fleet(base_beside(border, 2000.0), 1)
    before = plan(border, fleet, FlatTerrain(500.0))
    most = max(len(sortie_fence(before, sortie)[0].vertices) for sortie in before.sorties)
    assert most > 16
    reckoned = Setting._last
    monkeypatch.setattr(Setting, "_last", lambda setting, _, items: reckoned(setting, 64, items))
    made = plan(border, storing(fleet, fence_vertices=16), FlatTerrain(500.0))
    assert len(made.sorties) > len(before.sorties)
    assert all(sum(len(part.vertices) for part in sortie_fence(made, sortie)) <= 16 for sortie in made.sorties)
    assert made.coverage.share > 0.95 * before.coverage.share


def test_aircraft_that_store_more_fly_further_at_once():
    """A line of so many bends that the fence ends sorties long before the battery does."""
    border = border_from_metres(swinging(1, 8000.0, 10.0), "left")
    fleet = default_fleet(base_beside(border, 2000.0), 2)
    few, many = (plan(border, storing(fleet, fence_vertices=most), FlatTerrain(500.0)) for most in (32, 128))
    assert len(few.sorties) > 2 * len(many.sorties)
    assert few.revisit_s > 1.5 * many.revisit_s
    assert few.coverage.share == pytest.approx(many.coverage.share, abs=1e-3)
    for made, stores in ((few, 32), (many, 128)):
        vertices = [sum(len(part.vertices) for part in sortie_fence(made, sortie)) for sortie in made.sorties]
        assert stores / 2 < max(vertices) <= stores
        missions_of = [compile_mission(made, sortie) for sortie in made.sorties]
        assert validate_missions(made, missions_of).violations == []
        for sortie in made.sorties:
            assert_lawful(made, sortie)


def test_of_a_mixed_fleet_everybody_has_sorties_that_their_own_board_stores():
    border = border_from_metres(swinging(3, 8000.0, 10.0), "left")
    big, small = default_fleet(base_beside(border, 2000.0), 2).vehicles
    small = replace(small, aircraft=replace(small.aircraft, kind="small board", fence_vertices=32))
    big = replace(big, aircraft=replace(big.aircraft, fence_vertices=128))
    made = plan(border, Fleet(default_fleet(big.base).camera, (big, small)), FlatTerrain(500.0))
    held = dict.fromkeys(("small board", big.aircraft.kind), 0)
    for sortie in made.sorties:
        vertices = sum(len(part.vertices) for part in sortie_fence(made, sortie))
        kind = sortie.vehicle.aircraft.kind
        held[kind] = max(held[kind], vertices)
    assert 0 < held["small board"] <= 32
    assert 64 < held[big.aircraft.kind] <= 128


def test_a_store_that_is_exceeded_is_named_with_its_vehicle():
    border = border_from_metres(swinging(3, 6000.0), "left")
    made = plan(border, default_fleet(base_beside(border, 2000.0), 2), FlatTerrain(500.0))
    compiled = [compile_mission(made, sortie) for sortie in made.sorties]
    fence, items = ([len(getattr(one, name)) for one in compiled] for name in ("fence", "items"))
    held = stored(made, fence_vertices=max(fence), mission_items=max(items))
    assert validate_missions(held, compiled).violations == []
    for name, counts, words in (("fence_vertices", fence, "vertices"), ("mission_items", items, "items")):
        most = max(counts)
        broken = validate_missions(stored(held, **{name: most - 1}), compiled).violations
        assert len(broken) == counts.count(most)
        assert all(re.search(rf" has {most} {words}, vehicle-\d stores {most - 1}$", one) for one in broken)


def test_where_not_even_a_short_sortie_has_a_fence_the_rest_is_planned_and_the_reason_told(monkeypatch, tmp_path):
    """A place in the middle of the line for which every fence is refused."""
    border = straight(6000.0)
    real = missions.fence.sortie_fence

    def none_in_the_middle(made, sortie):
        if sortie.from_m < 3000.0 < sortie.to_m:
            raise MissionError(f"{sortie.name}: no fence")
        return real(made, sortie)

    monkeypatch.setattr("missions.fence.sortie_fence", none_in_the_middle)
    monkeypatch.setattr("missions.fence._FEW_LEGS", 0)
    made = plan(border, default_fleet(beside(border, 1500.0), 1), FlatTerrain(500.0))
    assert not any(sortie.from_m < 3000.0 < sortie.to_m for sortie in made.sorties)
    assert any("no fence of at most 64 vertices holds a sortie there" in note for note in made.notes)
    lost = [gap for gap in made.coverage.uncovered if "no fence of at most 64 vertices" in gap.reason]
    assert len(lost) == 1
    assert 0.9 < made.coverage.share < 1
    assert [sortie.name for sortie in made.sorties] == sorted({sortie.name for sortie in made.sorties})
    # The others are written.
    write_plan_folder(made, tmp_path)
    assert len(list(tmp_path.glob("*.plan"))) == len(made.sorties) >= 2


def test_of_the_holes_of_a_fence_those_with_nothing_in_them_are_filled():
    """Between the way out and the way home lies free ground, or an enclave."""
    flown = MultiLineString([[(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]])
    region = flown.buffer(50)
    alone = _around(region, flown, shapely.Point(500, -500))
    assert len(alone) == 1
    assert Polygon(alone[0]).contains(shapely.Point(500, 500))
    outer, enclave = _around(region, flown, shapely.Point(500, 500).buffer(10))
    assert Polygon(outer).contains(Polygon(enclave))
