"""Wings that turn tightly: their bends on patrol stay bends."""

from dataclasses import replace

import pytest

from missions import AircraftForm, PlanOptions, plan, validate
from tests.missions.helpers import border_from_metres, fleet_for


@pytest.mark.parametrize("radius_m", [15.0, 25.0])
def test_bends_into_a_bay_are_flown_at_any_turn_radius(radius_m):
    border = border_from_metres([(0, 0), (3000, 0), (4000, 1200), (5000, 0), (8000, 0)], "left")
    fleet = fleet_for(border, 1, distance_m=2500.0)
    wing = replace(
        fleet.vehicles[0].aircraft, kind="wing", form=AircraftForm.VTOL, min_m_s=10.0, turn_radius_m=radius_m
    )
    fleet = replace(fleet, vehicles=(replace(fleet.vehicles[0], aircraft=wing),))
    made = plan(border, fleet, options=PlanOptions(dwell_s=2.0))
    assert not validate(made).violations
