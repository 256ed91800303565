"""Who would make the others wait, to keep the separation, stays on the ground where that is better."""

import math
from dataclasses import replace

import numpy as np

from missions import Base, check, default_fleet, plan
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres


def test_a_fourth_aircraft_that_would_make_four_of_a_base_wait_rests():
    """On a spiral line the ways of a base to its two stretches are each other's: three come round oftener than four."""
    turn = np.linspace(0.5, 2.2566 * math.pi, 80)
    line = list(zip(1132.2 * turn * np.cos(turn), 1132.2 * turn * np.sin(turn), strict=True))
    border = border_from_metres(line, "right", stand_off_m=89.0, band_own_m=17.0, band_far_m=13.0)
    near, far = (
        Base(name, LAT + north / M_LAT, LON + east / M_LON)
        for name, east, north in (("near", 6278.5, 6218.9), ("far", 9748.4, -11_032.7))
    )
    bases = [near, far, far, far, near, far]
    fleet = default_fleet(near, len(bases))
    figures = {"battery_wh": 811.2, "cruise_m_s": 17.124, "climb_m_s": 4.0, "turn_round_s": 316.7}
    powers = {"hover_power_w": 500.0, "cruise_power_w": 546.7}
    craft = replace(fleet.vehicles[0].aircraft, **figures, **powers)
    vehicles = [replace(v, base=base, aircraft=craft) for v, base in zip(fleet.vehicles, bases, strict=True)]
    fewer, more = (plan(border, replace(fleet, vehicles=tuple(own))) for own in (vehicles[:5], vehicles))
    assert check(more) == []
    assert more.coverage.share > fewer.coverage.share - 1e-3
    assert more.revisit_s <= 1.002 * fewer.revisit_s
