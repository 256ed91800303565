"""Bases that stand side by side launch as one."""

from dataclasses import replace

import numpy as np
import pytest

from missions import check, plan
from tests.missions.helpers import M_LON, fleet_for, straight


@pytest.mark.parametrize(("apart_m", "at_once"), [(30.0, False), (400.0, True)])
def test_two_bases_nearer_than_the_separation_launch_one_after_the_other(apart_m, at_once):
    border = straight(20_000)
    fleet = fleet_for(border, 4)
    here = fleet.vehicles[0].base
    beside = replace(here, name="beside", lon_deg=here.lon_deg + apart_m / M_LON)
    halves = tuple(replace(v, base=here if k < 2 else beside) for k, v in enumerate(fleet.vehicles))
    made = plan(border, replace(fleet, vehicles=halves))
    waits = np.diff(sorted(flight.start_s for flight in made.flights))
    assert bool(waits.min() < made.options.launch_interval_s - 1e-6) is at_once
    assert check(made) == []
