"""Where wings have no room to turn: what is left of a plan, of a way home, and what is told of it."""

import random
from dataclasses import replace

import numpy as np

from missions import Airspace, PlanOptions, Wind, check, plan
from missions.dividing import trimmed
from missions.sharing import Block
from missions.stretch import Team
from tests.missions.helpers import border_from_metres, fleet_for, zone
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
