"""Wings along borders that wind more closely than they turn: what leaves no room to turn is told, the rest is flown."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely

from missions import Aircraft, Base, Fleet, PlanOptions, Vehicle, default_fleet, plan, validate
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, way

UNIT_M = 330.0
CORNERS = np.array([(-2, 2), (2, 2), (2, -1), (-1, -1), (-1, 1), (1, 1), (1, 0), (0, 0)]) * UNIT_M
BASE = Base("base", LAT + 320 / M_LAT, LON - 6900 / M_LON)
WING = Aircraft(
    "wing", 15.0, 21.0, 3.0, 3.0, 300.0, 300.0, 800.0, 530.0, form="fixed_wing", min_m_s=9.0, turn_radius_m=53.0,
    takeoff_s=20.0, landing_s=20.0,
)  # fmt: skip
LIFTER = replace(WING, kind="lifter", form="vtol", hover_power_w=1500.0, transition_s=8.0)


def planned(*crafts, base=BASE, mirrored=False):
    flip = (1, -1) if mirrored else (1, 1)
    border = border_from_metres(
        CORNERS * flip, "left" if mirrored else "right", stand_off_m=48, band_own_m=8, band_far_m=6
    )
    base = replace(base, lat_deg=LAT + (base.lat_deg - LAT) * flip[1])
    vehicles = tuple(Vehicle(k, f"v{k}", craft, base) for k, craft in enumerate(crafts, 1))
    camera = default_fleet(base, 1).camera
    return border, plan(border, Fleet(camera, vehicles), options=PlanOptions(dwell_s=2.0))


def bends(sortie):
    """Turns into the patrol, along it and out of it, radians, from the places alone."""
    flown = [leg for leg in sortie.legs if leg.distance_m > 1.0]
    ends = [
        (metres((leg.start.lon_deg, leg.start.lat_deg)), metres((leg.end.lon_deg, leg.end.lat_deg))) for leg in flown
    ]
    course = [math.atan2(*(b - a)[::-1]) for a, b in ends]
    return [
        abs((after - before + math.pi) % (2 * math.pi) - math.pi)
        for (before, after), (a, b) in zip(pairwise(course), pairwise(flown), strict=True)
        if "patrol" in (a.kind, b.kind)
    ]


@pytest.mark.parametrize("craft", [WING, LIFTER], ids=lambda craft: craft.kind)
@pytest.mark.parametrize("mirrored", [False, True])
def test_where_windings_leave_no_room_to_turn_it_is_told_and_the_rest_is_flown(craft, mirrored):
    border, made = planned(craft, mirrored=mirrored)
    assert validate(made).violations == []
    tight = [part for part in made.coverage.uncovered if "turn_radius_m 53" in part.reason]
    assert tight
    # The windings within are lost, and those without, some 2.5 km, are not.
    assert sum(part.to_m - part.from_m for part in tight) < 3000
    assert sum(sortie.to_m - sortie.from_m for sortie in made.sorties) > 2000
    line = shapely.LineString(metres(border.coordinates))
    for sortie in made.sorties:
        assert max(bends(sortie)) < 0.42
        assert way(sortie).distance(line) >= border.stand_off_m


def test_rotors_fly_what_wings_cannot_turn_at():
    _, alone = planned(WING)
    _, both = planned(WING, default_fleet(BASE, 1).vehicles[0].aircraft)
    assert not any("turn" in part.reason for part in both.coverage.uncovered)
    assert both.coverage.share > alone.coverage.share + 0.05
