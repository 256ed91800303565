"""What may be flown above the ceiling is told: of rotors too, and of who has no way left but down."""

import pytest

from missions import LegKind, PlanOptions, Progress, check, compile_mission, plan, resume
from tests.missions.helpers import fleet_for, straight
from tests.missions.test_steep_ground import LOOSE, agl_m, hills, noise, winged

ON_GROUND = {LegKind.TAKEOFF, LegKind.LANDING}


def test_rotors_that_come_over_the_ceiling_between_two_places_are_told_with_how_far():
    """Heights are sampled metre by metre here, and by the planner where it looks for places."""
    border, terrain = straight(2500.0), noise(9.0, 2665)
    options = PlanOptions(patrol_ceiling_agl_m=60.0, ceiling_agl_m=70.0)
    made = plan(border, fleet_for(border, 1, distance_m=600.0), terrain, options)
    over = {
        sortie.name: max(float(agl_m(leg, terrain).max()) for leg in sortie.legs if leg.kind not in ON_GROUND) - 70.0
        for sortie in made.sorties
    }
    assert max(over.values()) > 1.0
    told = {name for name in over if any(f"{name} may be flown up to" in note for note in made.notes)}
    assert told == {name for name, over_m in over.items() if over_m > 1.0}
    (note,) = [note for note in made.notes if "above ceiling_agl_m 70" in note]
    assert "up to 1 m above" in note
    assert "ground falls away" in note
    roomy = plan(border, fleet_for(border, 1, distance_m=600.0), terrain)
    assert not any("may be flown" in note for note in roomy.notes)


@pytest.mark.parametrize("form", ["multirotor", "vtol"])
def test_who_breaks_off_above_its_base_with_little_left_comes_down_there(form):
    """It has no way left that could be above a ceiling."""
    border, terrain = straight(4000.0), hills(30.0, 2000.0)
    fleet = fleet_for(border, 1) if form == "multirotor" else winged(form, border)
    made = plan(border, fleet, terrain, LOOSE)
    sortie = made.sorties[0]
    craft = sortie.vehicle.aircraft
    down_wh = sum(leg.energy_wh for leg in sortie.landing)
    battery = craft.reserve_fraction + 1.5 * down_wh / craft.battery_wh
    up = next(item.seq for item in compile_mission(made, sortie).items if item.command in {22, 84})
    rest = resume(made, Progress(sortie.name, up, battery=battery, airborne=True), terrain)
    assert check(rest, terrain) == []
    first = rest.sorties[0]
    assert first.airborne
    assert not first.runs
    assert first.distance_m == 0
