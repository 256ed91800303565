"""Where wings have no room to turn: what is left of a plan, of a way home, and what is told of it."""

import random
from dataclasses import replace

import numpy as np
import pytest
import shapely

from missions import (
    AircraftForm,
    Airspace,
    PlanError,
    PlanOptions,
    Progress,
    Wind,
    build_network,
    building,
    check,
    detours,
    plan,
    plan_network,
    resume,
)
from missions.dividing import trimmed
from missions.sharing import Block
from missions.stretch import Team
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, fleet_for, metres, straight, zone
from tests.missions.test_network_plan import branch
from tests.missions.test_wide_turns import wings


def test_a_plan_is_made_in_part_where_wings_cannot_turn_at_the_end_of_a_detour():
    """Sorties that would end within a detour are cut back to where they can turn, else they end there for ever."""
    border = border_from_metres([(0, 0), (4000, 170), (8000, 0)], stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    fleet = wings(fleet_for(border, 1, distance_m=2500.0), 211.275)
    fleet = replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.6))
    zones = tuple(
        zone(*one) for one in (("z0", 3980, 411, 242, 5), ("z1", 2763, 211, 297, 9), ("z2", 3816, 111, 300, 3))
    )
    options = PlanOptions(dwell_s=1.0, shift_s=7200.0, wind=Wind(6.0, 250.0))
    made = plan(border, fleet, None, options, airspace=Airspace(zones))
    assert check(made) == []
    assert made.coverage.share > 0.25
    assert any("no room there" in gap.reason for gap in made.coverage.uncovered)


_NONE = np.zeros(0)
OF_NO_COST = Team(1, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, _NONE, 1.0)


def test_a_sortie_keeps_what_is_watched_between_places_that_it_can_come_to():
    rng = random.Random(3)
    for _ in range(300):
        n = rng.randint(2, 12)
        needed = np.array([rng.random() < 0.6 for _ in range(n)])
        shut = np.array([rng.random() < 0.4 for _ in range(n + 1)])
        start, stop = sorted(rng.sample(range(n + 1), 2))
        team = replace(OF_NO_COST, out_s=np.where(shut, np.inf, 0.0), home_s=np.zeros(n + 1))
        found = trimmed([Block(0, 0, start, stop, False)], [team], needed)
        # By trying all.
        good = [
            (a, b)
            for a in range(start, stop)
            for b in range(a + 1, stop + 1)
            if needed[a] and needed[b - 1] and not shut[a] and not shut[b]
        ]
        best = max((b - a for a, b in good), default=0)
        assert [block.stop - block.start for block in found] == ([best] if good else [])
        assert all((block.start, block.stop) in good for block in found)


def test_wings_in_the_air_come_home_by_a_way_that_leaves_no_room_to_turn_and_are_told():
    """From a yard with walls all round but for a gate round a corner, narrower than a turn."""
    inside, at = [(2250, 800), (2250, 950), (2510, 950)], (LAT + 800 / M_LAT, LON + 2250 / M_LON)
    walls = shapely.difference(
        shapely.buffer(shapely.LineString(inside), 60, cap_style="square", join_style="mitre"),
        shapely.buffer(shapely.LineString([*inside, (2900, 950)]), 32, cap_style="square", join_style="mitre"),
    )
    ring = tuple((LON + x / M_LON, LAT + y / M_LAT) for x, y in walls.exterior.coords)
    yard = replace(zone("yard", 0, 0, 1), rings=(ring,))
    border = straight(9000.0, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    fleet = wings(fleet_for(border, 1), 90.0)
    made = plan(border, fleet, None, PlanOptions(dwell_s=2.0), airspace=Airspace((yard,)))
    (sortie,) = made.sorties
    rest = resume(made, Progress(sortie.name, at=at, battery=0.35, airborne=True))
    home = rest.sorties[0]
    assert home.airborne
    assert not home.patrol
    assert check(rest) == []
    (told,) = [note for note in rest.notes if "no room" in note]
    assert told.startswith(f"{home.name} flies home: its way leaves no room for the turns of 'wings'")
    # Of what takes off no such way is taken.
    grounded = replace(rest, sorties=(replace(home, legs=sortie.legs[:1] + home.legs), *rest.sorties[1:]))
    assert any("its turn into it enters no-fly zone 'yard'" in one for one in check(grounded))


def test_corners_of_ways_without_room_are_told_as_such_and_not_as_of_the_runway(monkeypatch):
    made = building._rounded

    def rounded(way, room, access):
        return None if np.abs(way[:, 0]).max() > 1500 else made(way, room, access)

    monkeypatch.setattr(building, "_rounded", rounded)
    border = straight(9000.0, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    fleet = wings(fleet_for(border, 1), 60.0, AircraftForm.FIXED_WING)
    reasons = {gap.reason for gap in plan(border, fleet, None, PlanOptions(dwell_s=2.0)).coverage.uncovered}
    assert any(reason.startswith("the ways there turn corners") for reason in reasons), reasons
    assert not any("runway" in reason for reason in reasons)
    monkeypatch.setattr(building, "_rounded", lambda *_: None)
    with pytest.raises(PlanError, match=r"nothing can be patrolled: .* the ways there turn corners"):
        plan(border, fleet, None, PlanOptions(dwell_s=2.0))


def test_no_detour_turns_beyond_what_is_known_of_the_border(monkeypatch):
    def far_off(way, *_, **__):
        return np.stack([way[0], (way[0] + way[-1]) / 2 + (0.0, 9000.0), way[-1]])

    monkeypatch.setattr(detours, "turned_between", far_off)
    border = straight(9000.0, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    made = plan(
        border,
        wings(fleet_for(border, 1), 60.0),
        None,
        PlanOptions(dwell_s=2.0),
        airspace=Airspace((zone("pond", 4500, 150, 120, 16),)),
    )
    assert check(made) == []
    assert max(metres([(leg.end.lon_deg, leg.end.lat_deg)])[0, 1] for one in made.sorties for leg in one.legs) < 2000


def test_names_of_zones_that_hold_and_are_told_whole():
    border = straight(9000.0, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    zones = (zone("east and pond", 4350, 150, 120, 16), zone("west and pond", 4550, 150, 120, 16))
    fleet = wings(fleet_for(border, 1), 60.0)
    made = plan(border, fleet, None, PlanOptions(dwell_s=2.0), airspace=Airspace(zones))
    assert [gap.reason for gap in made.coverage.uncovered] == [
        "no-fly zone 'east and pond' and no-fly zone 'west and pond' and wings need room there to turn"
    ]


def test_what_turns_take_of_a_line_of_a_network_is_told():
    border = straight(8000.0, stand_off_m=60.0, band_own_m=10.0, band_far_m=10.0)
    net = build_network("net", [border, branch([(3000, 130), (3200, 1500), (4200, 2300)])])
    airspace = Airspace((zone("pond", 4600, 150, 120, 16), zone("yard", 3150, 1100, 150, 4)))
    fleet = wings(fleet_for(border, 1, distance_m=2500.0), 75.0)
    made = plan_network(net, fleet, None, PlanOptions(dwell_s=2.0), airspace=airspace)
    assert {gap.reason for gap in made.coverage.uncovered} == {
        "test line: no-fly zone 'pond' and wings need room there to turn",
        "road: no-fly zone 'yard' and wings need room there to turn",
    }
