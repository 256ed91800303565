"""A base that launches fewer aircraft than it has: they take off at even times, and not in bursts with a gap behind."""

from dataclasses import replace
from itertools import pairwise

import pytest

from missions import PlanOptions, plan
from tests.missions.helpers import fleet_for, straight

INTERVAL_S = 240.0


@pytest.mark.parametrize(("bases", "count"), [(1, 10), (2, 10)])
def test_where_launches_are_short_each_sortie_is_flown_as_often_as_they_allow(bases, count):
    """Two bases within the separation launch as one: the sorties are flown at their launches in turn."""
    border = straight(6000)
    fleet = fleet_for(border, count, 800.0)
    first = fleet.vehicles[0].base
    second = replace(first, name="second", lat_deg=first.lat_deg + 1e-4)
    here = [(first, second)[number % 3 == 0 and bases == 2] for number in range(count)]
    vehicles = tuple(replace(vehicle, base=base) for vehicle, base in zip(fleet.vehicles, here, strict=True))
    made = plan(border, replace(fleet, vehicles=vehicles), None, PlanOptions(launch_interval_s=INTERVAL_S))
    starts = sorted(flight.start_s for flight in made.flights)
    assert min(b - a for a, b in pairwise(starts)) > INTERVAL_S - 1e-3
    # Their rounds alone would be shorter: it is the launches that they wait for.
    stretches = {}  # those of two bases who relieve each other have a sortie each over one
    for flight in made.flights:
        sortie = made.sorties[flight.sortie]
        stretches.setdefault((sortie.from_m, sortie.to_m), []).append(flight.start_s)
    most = len(stretches) * INTERVAL_S
    assert max(made.round_s(roster) for period in made.periods for roster in period.rosters) < most
    for starts in stretches.values():
        assert max(b - a for a, b in pairwise(sorted(starts))) <= most + 1.0
    # Who comes from the farther base comes a little later than at its turn.
    assert made.revisit_s <= most * 1.03
