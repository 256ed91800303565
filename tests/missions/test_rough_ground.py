"""Plans for wings over ground that rises and falls from cell to cell, in the air as it is there: none is refused."""

import math
from dataclasses import replace

import pytest

from missions import check, plan

from .helpers import metres, straight
from .test_steep_ground import LOOSE, noise, step, winged

ROUGH = [noise(10.18173053295276, 845087), noise(12.109590108629488, 216154), noise(12.987246878247547, 858938)]


def planned(form, terrain):
    border = straight(2500.0)
    fleet = winged(form, border, as_at_sea_m=0.0)
    # Wider turns in thin air keep the patrol farther from the border.
    return plan(border, replace(fleet, camera=replace(fleet.camera, max_gsd_m=0.25)), terrain, LOOSE)


@pytest.mark.parametrize("terrain", ROUGH)
def test_climb_outs_and_landings_keep_slope_and_height_over_ground_that_is_rough_from_cell_to_cell(terrain):
    made = planned("fixed_wing", terrain)
    assert check(made, terrain) == []
    for sortie in made.sorties:
        down = sortie.landing[-1]
        run_m = math.dist(*(metres((at.lon_deg, at.lat_deg)) for at in (down.start, down.end)))
        steepest = math.tan(math.radians(sortie.vehicle.aircraft.approach_deg))
        assert (down.start.amsl_m - down.end.amsl_m) / run_m <= 1.02 * steepest


@pytest.mark.parametrize(
    ("form", "terrain"),
    [
        # What climbs on the spot climbs as high as its way asks, which may be no higher than the floor.
        ("vtol", step(317.77104077566037, 827.0570707355805, 40.53729419830653)),
        # The ground falls before the runway: a height above it is come to sooner.
        ("fixed_wing", step(60.0, 850.0, 0.0)),
    ],
)
def test_no_plan_from_the_top_of_a_step_comes_below_its_bounds(form, terrain):
    made = planned(form, terrain)
    assert check(made, terrain) == []
    assert 0.5 * made.figure_s < max(bound.seconds for bound in made.bounds) <= made.figure_s
