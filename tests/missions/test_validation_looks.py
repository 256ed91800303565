"""The validation finds a camera that looks the wrong way: the side of one leg after the other is put in by hand."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions import (
    Airspace,
    LegKind,
    PlanOptions,
    Side,
    build_network,
    check,
    default_fleet,
    plan,
    plan_network,
    validate,
)
from tests.asked import asked
from tests.missions.helpers import beside, border_from_metres, fleet_for, metres, straight, wiggly_borders, zone
from tests.missions.test_airspace_plans import WING
from tests.missions.test_network_plan import branch, networks

SLOW = settings(max_examples=asked(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_leg(made, number, k, **fields):
    sortie = made.sorties[number]
    legs = (*sortie.legs[:k], replace(sortie.legs[k], **fields), *sortie.legs[k + 1 :])
    spoilt = replace(sortie, legs=legs)
    return replace(made, sorties=(*made.sorties[:number], spoilt, *made.sorties[number + 1 :]))


def patrol_legs(made):
    """Number of sortie and leg of what is judged: legs of a few metres are not."""
    legs = [(n, k, leg) for n, s in enumerate(made.sorties) for k, leg in enumerate(s.legs)]
    return [(n, k) for n, k, leg in legs if leg.kind is LegKind.PATROL and leg.distance_m >= 5]


def flipped(made, which):
    """The plan with the side of one leg of its patrols flipped, and what must be said of it."""
    legs = patrol_legs(made)
    number, k = legs[which % len(legs)]
    spoilt = with_leg(made, number, k, look=made.sorties[number].legs[k].look.other)
    return spoilt, f"{made.sorties[number].name} leg {k}: looks to its", made.sorties[number].legs[k]


def every_other_flipped(made, first):
    """The plan with every other leg of its patrols flipped, and the beginnings of the sentences that name those.

    Each lies between two that look to where they should.
    """
    for number, k in (wrong := patrol_legs(made)[first::2]):
        made = with_leg(made, number, k, look=made.sorties[number].legs[k].look.other)
    return made, {f"{made.sorties[number].name} leg {k}: looks to its" for number, k in wrong}


def named(found):
    """The beginnings of the sentences of a rule."""
    return {sentence.partition("looks to its")[0] + "looks to its" for sentence in found.broken}


def all_flipped(made):
    """The plan with every leg of its patrols flipped: each is judged alone."""
    sorties = []
    for sortie in made.sorties:
        legs = (leg if leg.look is None else replace(leg, look=leg.look.other) for leg in sortie.legs)
        sorties.append(replace(sortie, legs=tuple(legs)))
    return replace(made, sorties=tuple(sorties))


def rule(made):
    return next(rule for rule in validate(made).rules if rule.name == "camera looks to a watched line")


def away(line, leg):
    """Distance of a line of coordinates, degrees, from the middle of a leg, metres, and the side of it, by the sine."""
    a, b = metres([(w.lon_deg, w.lat_deg) for w in (leg.start, leg.end)])
    here = shapely.LineString(metres(shapely.get_coordinates(shapely.segmentize(shapely.LineString(line), 0.002))))
    foot = np.array(here.interpolate(here.project(shapely.Point((a + b) / 2))).coords[0]) - (a + b) / 2
    step = b - a
    return np.hypot(*foot), (step[0] * foot[1] - step[1] * foot[0]) / (np.hypot(*step) * np.hypot(*foot))


@SLOW
@given(border=wiggly_borders(), drones=st.integers(1, 3), which=st.integers(0, 10_000))
def test_beside_a_border_a_leg_that_looks_the_other_way_is_reported(border, drones, which):
    made = plan(border, fleet_for(border, drones))
    assert rule(made).checked == len(patrol_legs(made))
    assert rule(made).worst > 0
    spoilt, words, _ = flipped(made, which)
    # In a narrow bay a leg beside it may be the one that is meant.
    assert words in named(rule(spoilt))
    for first in (0, 1):
        spoilt, wrong = every_other_flipped(made, first)
        assert wrong <= named(rule(spoilt))


@SLOW
@given(border=wiggly_borders(), which=st.integers(0, 10_000))
def test_wings_round_a_bay_and_look_into_it(border, which):
    fleet = fleet_for(border, 2)
    wings = replace(
        fleet,
        camera=replace(fleet.camera, max_gsd_m=0.2),
        vehicles=tuple(replace(v, aircraft=WING) for v in fleet.vehicles),
    )
    made = plan(border, wings, options=PlanOptions(dwell_s=2))
    spoilt, words, leg = flipped(made, which)
    distance, sine = away(border.coordinates, leg)
    # In the mouth of a bay both headlands and what lies behind may be what a leg looks to.
    if distance < 1.05 * made.observation.lateral_m and abs(sine) > 0.95:
        assert any(sentence.startswith(words) for sentence in rule(spoilt).broken)
    assert len(rule(all_flipped(made)).broken) > 0.9 * len(patrol_legs(made))


@SLOW
@given(given_=networks(), which=st.integers(0, 10_000))
def test_in_a_network_a_leg_that_looks_to_where_no_line_is_is_reported(given_, which):
    network, base = given_
    made = plan_network(network, default_fleet(base, 2))
    assert rule(made).checked == len(patrol_legs(made))
    spoilt, words, leg = flipped(made, which)
    seen = [away(line.coordinates, leg) for line in (*made.borders, *made.branches)]
    other = [distance for distance, sine in seen if sine * leg.look.sign < 0]
    if min(other, default=np.inf) > 1.5 * made.observation.lateral_m:
        (sentence,) = rule(spoilt).broken
        assert sentence.startswith(words)


def test_a_flight_line_that_ends_beside_another_bend_of_its_line_is_no_violation():
    """Where a line crosses itself and ends, a metre of the flight line runs beside what would be its continuation."""
    line = [(1170.1, 900), (1207.1, 782.3), (1327, 400.6), (865.1, 573.7), (1207.1, 782.3), (1216.3, 787.9)]
    network = build_network("net", [straight(3000, stand_off_m=30.0)], [branch(line)])
    made = plan_network(network, default_fleet(beside(straight(3000), 1200), 1))
    assert check(made) == []
    assert min(leg.distance_m for leg in made.sorties[0].patrol) < 5


def test_beside_detours_and_on_either_side_of_a_border():
    town = Airspace((zone("town", 4600, 300, 600, 12),))
    for side in ("left", "right"):
        border = straight(10_000, side)
        made = plan(border, fleet_for(border, 2), airspace=town if side == "left" else Airspace())
        assert {leg.look for s in made.sorties for leg in s.patrol} <= {Side.LEFT, Side.RIGHT}
        assert check(made) == []
        assert len(rule(all_flipped(made)).broken) == len(patrol_legs(made))


@pytest.mark.parametrize("room_m", [0.1, 0.4, 1.0, 2.0])
def test_in_a_bay_with_shores_as_far_as_each_other_the_legs_beside_tell_which_is_meant(room_m):
    """Out along one shore and back along the other, the flight line is as far from both."""
    lateral_m = plan(straight(6000), fleet_for(straight(6000), 1)).observation.lateral_m
    half = lateral_m + room_m / 2
    border = border_from_metres(
        [(0, 0), (3000 - half, 0), (3000 - half, -1500), (3000 + half, -1500), (3000 + half, 0), (6000, 0)]
    )
    made = plan(border, fleet_for(border, 1))
    assert check(made) == []
    # All the way through either may be meant: the shores alone do not tell.
    assert 0 < len(rule(all_flipped(made)).broken) < len(patrol_legs(made))
    for first in (0, 1):
        spoilt, wrong = every_other_flipped(made, first)
        assert wrong <= named(rule(spoilt))


def test_at_the_tip_of_a_narrow_bay_a_leg_looks_to_the_shore_that_those_beside_it_look_to():
    """Between a shore and a spit, a few metres behind the tip, the shore is as far and nearly straight across."""
    shore_and_spit = [(932, -473), (1061, 485), (1137, -292), (1234, 150)]
    border = border_from_metres([(-600, 373), (764, 373), *shore_and_spit, (2600, 150)], "right", stand_off_m=75.0)
    made = plan(border, fleet_for(border, 1))
    assert check(made) == []
    spoilt = [with_leg(made, n, k, look=made.sorties[n].legs[k].look.other) for n, k in patrol_legs(made)]
    assert [len(rule(one).broken) for one in spoilt] == [1] * len(spoilt)
    assert any("other side, to the same line" in one for each in spoilt for one in rule(each).broken)


def test_a_patrol_that_looks_nowhere_and_a_transit_that_looks_are_reported():
    border = straight(4000)
    made = plan(border, fleet_for(border, 1))
    transit = next(k for k, leg in enumerate(made.sorties[0].legs) if leg.kind is LegKind.TRANSIT)
    number, k = patrol_legs(made)[0]
    assert any("patrol, and looks to neither side" in s for s in check(with_leg(made, number, k, look=None)))
    assert any("transit, and looks to left" in s for s in check(with_leg(made, 0, transit, look=Side.LEFT)))


def test_a_flight_line_that_is_too_far_from_its_line_is_reported():
    border = straight(4000)
    made = plan(border, fleet_for(border, 1))
    far = replace(made, observations=(replace(made.observation, lateral_m=made.observation.lateral_m - 7),))
    assert len(rule(far).broken) == len(patrol_legs(made))
