"""The validation of fences and rally points finds what is wrong with them: every fault is put in by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import (
    Aircraft,
    AircraftForm,
    Airspace,
    MissionError,
    MissionItem,
    PlanOptions,
    Wind,
    Zone,
    compile_mission,
    plan,
    validate_missions,
    write_plan_folder,
)
from missions.surroundings import DenseLine
from missions.validation_lines import joined
from tests.asked import few
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, fleet_for, straight
from tests.missions.test_fence_exclusions import area, fenced, metres, way, zone

KEEP_IN, KEEP_OUT = 5001, 5002
LAKE = zone("lake", 3000, 600, 200, 20)


@pytest.fixture(scope="module")
def made():
    border = straight(6000)
    return plan(border, fleet_for(border, 1), airspace=Airspace((LAKE,)))


@pytest.fixture(scope="module")
def good(made):
    return [compile_mission(made, sortie) for sortie in made.sorties]


def broken(made, missions):
    return {rule.name: rule.broken for rule in validate_missions(made, missions).rules if rule.broken}


def place(item, east, north):
    return replace(item, x=round((LAT + north / M_LAT) * 1e7), y=round((LON + east / M_LON) * 1e7))


def polygon(command, corners, first=0):
    blank = MissionItem(0, 0, command, p1=float(len(corners)))
    return tuple(place(replace(blank, seq=first + n), *corner) for n, corner in enumerate(corners))


def test_what_the_planner_makes_is_right(made, good):
    report = validate_missions(made, good)
    assert report.violations == []
    assert all(rule.checked for rule in report.rules)
    assert all(rule.worst >= rule.limit for rule in report.rules)


# The stand-off is 60 m: a fence lies 3.5 m behind it at least, and 3 m off the legs, which are 75.6 m from the border.
WIDE = [(-300, 65), (6300, 65), (6300, 2000), (-300, 2000)]
HOLDS, BEHIND, KEEPS_OUT, CLEAR, RALLY, FIT = (
    "fence holds every leg",
    "fence behind the stand-off",
    "fence keeps out of no-fly zones",
    "exclusions clear of the legs",
    "rally points in the fence, beyond the stand-off",
    "fence and rally points fit the autopilot",
)


@pytest.mark.parametrize(
    ("fence", "rule", "words"),
    [
        (polygon(5001, WIDE), KEEPS_OUT, "no-fly zone 'lake' open"),
        (polygon(5001, [(-300, 62), *WIDE[1:]]), BEHIND, "62.* m of the border"),
        (polygon(5001, [(-300, -500), *WIDE[1:]]), BEHIND, "0.0 m of the border"),
        # Round the end of the border, across its continuation.
        (polygon(5001, [(-300, 65), (6300, 65), (6300, -900), (7000, 2000), (-300, 2000)]), BEHIND, "0.0 m"),
        (polygon(5001, [(1000, 65), *WIDE[1:]]), HOLDS, "does not hold its legs"),
        (polygon(5001, [(-300, 73.5), (6300, 73.5), *WIDE[2:]]), HOLDS, "does not hold its legs"),
        ((), HOLDS, "not made of whole polygons"),
        (polygon(5002, WIDE), HOLDS, "not made of whole polygons"),
        (polygon(5001, WIDE)[:3], HOLDS, "not made of whole polygons"),
        (polygon(5001, WIDE) + polygon(5001, WIDE), HOLDS, "not made of whole polygons"),
        (polygon(5001, [WIDE[0], WIDE[2], WIDE[1], WIDE[3]]), HOLDS, "not made of whole polygons"),
        (polygon(5001, WIDE * 17)[:65], FIT, "65 vertices"),
        (polygon(5001, WIDE) + polygon(5002, [(2700, 84), (3300, 84), (3300, 900), (2700, 900)]), CLEAR, "from a leg"),
        (polygon(5001, WIDE) + polygon(5002, [(2900, 300), (3300, 300), (3300, 900), (2900, 900)]), KEEPS_OUT, "lake"),
    ],
)
def test_a_wrong_fence_is_found(made, good, fence, rule, words):
    found = broken(made, [replace(good[0], fence=fence), *good[1:]])
    assert any(re.search(words, sentence) and made.sorties[0].name in sentence for sentence in found[rule]), found


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((3000, 600), "outside the fence"),  # in the lake
        ((3000, 9000), "outside the fence"),
        ((3000, -300), "outside the fence"),  # the far side
        ((3000, 66.5), r"66\.. m from the border"),
    ],
)
def test_a_wrong_rally_point_is_found(made, good, at, words):
    rally = (good[0].rally[0], place(good[0].rally[0], *at))
    # A fence as near to the stand-off as it may be, so that there is ground within it on which no rally point may be.
    fence = polygon(5001, WIDE) + tuple(item for item in good[0].fence if item.command == 5002)
    (sentences,) = broken(made, [replace(good[0], fence=fence, rally=rally), *good[1:]]).values()
    assert len(sentences) == 1
    assert "rally point 1" in sentences[0]
    assert re.search(words, sentences[0])


def test_too_many_rally_points_and_a_missing_mission_are_found(made, good):
    assert "7 rally points" in broken(made, [replace(good[0], rally=good[0].rally[:1] * 7), *good[1:]])[FIT][0]
    assert "has no mission" in broken(made, good[1:])[HOLDS][0]


@settings(max_examples=few(60), deadline=None)
@given(data=st.data())
def test_no_vertex_can_be_moved_over_a_leg_a_zone_or_the_border_unseen(made, good, data):
    """Whatever vertex is moved by a kilometre, to whatever side: the report sees it, or the fence is still lawful."""
    mission = good[0]
    k = data.draw(st.integers(0, len(mission.fence) - 1))
    item = mission.fence[k]
    east, north = metres((item.y / 1e7, item.x / 1e7))
    moved = place(item, east + data.draw(st.floats(-1000, 1000)), north + data.draw(st.floats(-1000, 1000)))
    changed = replace(mission, fence=(*mission.fence[:k], moved, *mission.fence[k + 1 :]))
    if broken(made, [changed, *good[1:]]):
        return
    (inside,), outside = fenced(changed)
    flown = way(made.sorties[0])
    assert inside.contains(flown)
    assert not any(one.intersects(flown) for one in outside)
    assert inside.distance(shapely.LineString(metres(made.border.coordinates))) > 29
    assert inside.difference(shapely.union_all(outside)).intersection(area(LAKE)).area < 0.01


def test_missions_that_fail_are_not_written(made, tmp_path, monkeypatch):
    monkeypatch.setattr("missions.plan_folder.compile_mission", lambda *a: replace(compile_mission(*a), fence=()))
    with pytest.raises(MissionError, match="break 1 rules, and are not written"):
        write_plan_folder(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_lines_joined_from_arrays_are_those_of_lists():
    lines = [np.array([(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)]), np.array([(5.0, 5.0), (6.0, 7.0)])]
    assert shapely.equals_exact(joined(lines), shapely.MultiLineString([line.tolist() for line in lines]))
    assert joined([]).is_empty


def test_the_lines_of_a_plan_are_made_dense_once():
    """Every sortie that is written asks for their surroundings again."""
    border = straight()
    assert DenseLine.of(border) is DenseLine.of(replace(border))
    assert DenseLine.of(border) is not DenseLine.of(straight(5000))


def winged(border):
    wings = Aircraft(
        "wings", 20.0, 28.0, 4.0, 3.0, 900.0, 300.0, 1100.0, 700.0,
        form=AircraftForm.VTOL, min_m_s=14.0, turn_radius_m=60.0, takeoff_s=15.0, landing_s=20.0, transition_s=10.0,
    )  # fmt: skip
    fleet = fleet_for(border, 1)
    camera = replace(fleet.camera, max_gsd_m=0.2)
    return replace(fleet, camera=camera, vehicles=tuple(replace(v, aircraft=wings) for v in fleet.vehicles))


def ring(corners):
    return tuple((LON + east / M_LON, LAT + north / M_LAT) for east, north in corners)


def test_a_zone_that_lies_across_the_border_is_a_zone_for_wings_too():
    """Its exclusion holds a piece of the border, and is no edge that wings keep what they cut off a bend from."""
    border = straight(12_000)
    options = PlanOptions(dwell_s=2.0, wind=Wind(5.0, 250.0))
    across = zone("town", 4000, 100, 400, 4)
    found = plan(border, winged(border), options=options, airspace=Airspace((across,)))
    missions = [compile_mission(found, sortie) for sortie in found.sorties]
    assert found.blocking_zones() == (across,)
    assert broken(found, missions) == {}


def test_what_is_filled_in_beside_a_zone_across_the_border_is_an_edge_and_the_rest_of_its_outline_is_none():
    """With few vertices an outline is made plainer, and may hold some of the border beside the zone."""
    border, options = straight(12_000), PlanOptions(dwell_s=2.0, wind=Wind(5.0, 250.0))
    fleet = winged(border)
    top = plan(border, fleet, options=options).observation.lateral_m - options.zone_margin_m - 2.0
    ford = Zone("ford", (ring([(4000, -300), (4400, -300), (4400, top), (4000, top)]),))
    found = plan(border, fleet, options=options, airspace=Airspace((ford,)))
    missions = [compile_mission(found, sortie) for sortie in found.sorties]
    # Wings pass it on patrol, nearer than they keep from an edge that they may come to in a bend.
    assert 30 < min(area(ford).distance(way(sortie)) for sortie in found.sorties) < 40
    for fill, words in (([(3995, 30), (3700, -60)], None), ([(3700, top - 5)], "an exclusion is")):
        outline = [(3995, top + 4), *fill, (3995, -305), (4405, -305), (4405, top + 4)]
        other = []
        for mission in missions:
            kept = tuple(item for item in mission.fence if item.command == KEEP_IN)
            other.append(replace(mission, fence=(*kept, *polygon(KEEP_OUT, outline, len(kept)))))
        sentences = [sentence for sentences in broken(found, other).values() for sentence in sentences]
        assert bool(sentences) == bool(words)
        assert all(words in sentence for sentence in sentences)
