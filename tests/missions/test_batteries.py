"""Batteries that are fewer than the aircraft use: take-offs at the pace of the chargers, and a figure that says so."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missions import PlanOptions, check, explain, plan
from tests.missions.helpers import fleet_for, straight


def _with_batteries(fleet, count, charge_s):
    base = replace(fleet.vehicles[0].base, batteries=count, charge_s=charge_s)
    return replace(fleet, vehicles=tuple(replace(v, base=base) for v in fleet.vehicles))


def _unwatched_s(made):
    """The longest time from a look at the middle of a sortie to the next, or to the end of the shift."""
    worst = 0.0
    for number, sortie in enumerate(made.sorties):
        first = next(k for k, leg in enumerate(sortie.legs) if leg.look is not None)
        after = sum(leg.duration_s for leg in sortie.legs[:first])
        looks = sorted(flight.start_s + after for flight in made.flights if flight.sortie == number)
        worst = max(worst, *np.diff([*looks, max(looks[-1], made.options.shift_s)]))
    return worst


def _never_too_many(made, count, charge_s):
    out = sorted((f.start_s, f.start_s + made.sorties[f.sortie].duration_s + charge_s) for f in made.flights)
    return all(sum(a <= begin < b - 1e-6 for a, b in out) <= count for begin, _ in out)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 8),
    charge_s=st.sampled_from([0.0, 1800.0, 5400.0, 36_000.0]),
    drones=st.integers(1, 4),
    length_m=st.sampled_from([8000, 24_000]),
    shift_s=st.sampled_from([7200.0, 28_800.0]),
)
def test_the_revisit_interval_holds_to_the_end_of_the_shift(count, charge_s, drones, length_m, shift_s):
    border = straight(length_m)
    fleet = _with_batteries(fleet_for(border, drones), count, charge_s)
    made = plan(border, fleet, options=PlanOptions(shift_s=shift_s))
    assert check(made) == []
    assert _never_too_many(made, count, charge_s)
    assert _unwatched_s(made) <= made.revisit_s + 60
    assert made.revisit_bound_s <= made.revisit_s


def test_one_that_flies_once_and_waits_for_its_battery_is_told_of():
    border = straight(4000)
    made = plan(border, _with_batteries(fleet_for(border, 1), 1, 36_000.0))
    assert made.revisit_s > 20_000
    text = " ".join(explain(made).limits)
    assert f"left alone for up to {made.revisit_s / 60:.1f} min: take-offs wait for charged batteries (base)" in text


@pytest.mark.parametrize(("count", "charge_s"), [(2, 36_000.0), (4, 7200.0), (6, 5400.0)])
def test_take_offs_keep_the_pace_of_the_chargers(count, charge_s):
    """As soon as may be all batteries were used up, and nobody flew until the first was charged again."""
    border = straight(10_000)
    made = plan(border, _with_batteries(fleet_for(border, 2), count, charge_s))
    assert made.gap < 0.01
    waits = np.diff([flight.start_s for flight in made.flights])
    assert np.ptp(waits) < 0.01 * waits.mean() + 60
    text = " ".join(explain(made).limits)
    assert f"left alone for up to {made.revisit_s / 60:.1f} min: take-offs wait for charged batteries (base)" in text
