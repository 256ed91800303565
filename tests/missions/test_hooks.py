"""Borders whose ends turn back on themselves: told right, planned, and never crossed."""

import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from missions import (
    Base,
    PlanError,
    base_beside,
    compile_mission,
    cut,
    default_fleet,
    land_border,
    plan,
    validate,
    validate_missions,
)
from missions.beyond import WALL_M, beyond, closing_m, continued
from missions.validation_beyond import past
from tests.asked import asked
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, way

SLOW = settings(max_examples=asked(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def curled(body_m, radius_m, turned_rad, shrink, straight_m, left):
    """A line to the east whose end curls: an arc whose radius shrinks by each radian, then a straight piece."""
    angle, radius, points = 0.0, radius_m, [(0.0, 0.0), (body_m, 0.0)]
    step = math.radians(5)
    while angle < turned_rad:
        x, y = points[-1]
        points.append((x + radius * step * math.cos(angle), y + radius * step * math.sin(angle)))
        angle += step
        radius *= 1 - shrink * step
    x, y = points[-1]
    points.append((x + straight_m * math.cos(angle), y + straight_m * math.sin(angle)))
    return np.array(points) * (1, 1 if left else -1)


@st.composite
def hooks(draw):
    """Lines in metres that curl at one end or at both, to either hand, with the place where the body is straight."""
    while True:
        body = draw(st.floats(4000, 9000))
        ends, most = [], 0.0
        for _ in range(draw(st.integers(1, 2))):
            turned = draw(st.floats(math.radians(120), math.radians(420)))
            most = max(most, turned)
            shrink = draw(st.floats(0.0, 0.25))
            radius, after = draw(st.floats(400, 1600)), draw(st.floats(50, 2500))
            ends.append(curled(body, radius, turned, shrink, after, draw(st.booleans())))
        line = ends[0]
        if len(ends) == 2:
            # Turned round by half, the end of the other is the beginning of this one.
            line = np.concatenate([(ends[1][2:] * -1 + (body, 0))[::-1], line])
        if draw(st.booleans()):
            line = line[::-1]
        # To the millimetre: one that comes back upon itself is none, however little rounding sets it off.
        if shapely.LineString(np.round(line, 3)).is_simple:
            return line, body, most


def turned(points, angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(points) @ np.array([[c, s], [-s, c]])


def side_of(line, place):
    """+1 on the left of the nearest stretch of a line, by its tangent there: no code of the planner's."""
    at = line.project(shapely.Point(place))
    a, b = (np.array(line.interpolate(s).coords[0]) for s in (at - 0.5, at + 0.5))
    u, v = b - a, np.asarray(place) - a
    return math.copysign(1.0, u[0] * v[1] - u[1] * v[0])


def tried(make):
    """What is made; or why it was refused."""
    try:
        return make(), ""
    except PlanError as error:
        return None, str(error)


def ways_on(line):
    """Where each end of a line would go on for 5 km, straight as its last kilometre runs."""
    out = []
    for one in (shapely.LineString(line), shapely.LineString(line[::-1])):
        end, inner = (np.array(one.interpolate(s).coords[0]) for s in (0.0, 1000.0))
        out.append(shapely.LineString([end, end + (end - inner) / np.hypot(*(end - inner)) * 5000]))
    return out


def mouths_m(line):
    """How far each end is from the rest of the line, metres."""
    both = (shapely.LineString(line), shapely.LineString(line[::-1]))
    return [one.interpolate(0).distance(shapely.ops.substring(one, 1200.0, one.length)) for one in both]


@SLOW
@given(hook=hooks(), side=st.sampled_from(["left", "right"]), degrees=st.integers(0, 359), data=st.data())
def test_a_hook_is_planned_from_any_base_beside_its_body(hook, side, degrees, data):
    (points, body, most_turned), angle = hook, math.radians(degrees)
    line = shapely.LineString(points)
    sign = 1 if side == "left" else -1
    # The body runs along y = 0, to the east or to the west.
    east = next(b[0] - a[0] for a, b in pairwise(points) if a[1] == b[1] == 0.0) > 0
    place = (data.draw(st.floats(0.1, 0.9)) * body, data.draw(st.floats(200, 1800)) * sign * (1 if east else -1))
    # Beside the body, and not behind what curls back over it.
    near = line.interpolate(line.project(shapely.Point(place)))
    assume(abs(near.y) < 1e-6 and line.distance(shapely.Point(place)) > 150)
    border = border_from_metres(turned(points, angle), side)
    at = turned([place], angle)[0]
    base = Base("base", LAT + at[1] / M_LAT, LON + at[0] / M_LON)
    made, why_not = tried(lambda: plan(border, default_fleet(base, 1)))
    if made is None:
        # A spiral that has no mouth to fly through, or one that no way leads out of on the own side, is refused.
        # So is a base from which the way to the border leads over where an end of it goes on.
        behind = any(shapely.LineString([place, near.coords[0]]).crosses(ray) for ray in ways_on(points))
        assert behind or most_turned > math.radians(290) or min(mouths_m(points)) < 250, why_not
        assert "no lawful way leads" in why_not
        event("refused")
        return
    real = shapely.LineString(metres(border.coordinates))
    for sortie in made.sorties:
        flown = way(sortie)
        assert flown.distance(real) >= border.stand_off_m * 0.995
        assert not flown.crosses(real)
        for leg in sortie.patrol:
            ends = metres([(p.lon_deg, p.lat_deg) for p in (leg.start, leg.end)])
            for one in (*ends, ends.mean(axis=0)):
                # Past an end there is no line to be beside.
                if 1.0 < real.project(shapely.Point(one)) < real.length - 1.0:
                    assert side_of(real, one) == sign
    missions, why_not = tried(lambda: [compile_mission(made, sortie) for sortie in made.sorties])
    if missions is None:
        assert "of at most 64 vertices" in why_not
        event("too many bends for a fence")
        return
    assert validate_missions(made, missions).violations == []


@pytest.mark.parametrize("near", [(51.4, 4.9), (51.44, 4.93), (51.45, 5.0)])
@pytest.mark.parametrize(("own", "other"), [("BEL", "NLD"), ("NLD", "BEL")])
def test_the_border_at_baarle_is_planned_from_either_side(own, other, near):
    """A stretch of 30 km ends in a hook there, and its straight way on would run five kilometres into own land."""
    border = cut(land_border(own, other), 30_000, near)
    made = plan(border, default_fleet(base_beside(border), 1))
    assert validate(made).violations == []


def test_the_base_of_the_report_is_taken():
    border = cut(land_border("BEL", "NLD"), 30_000, (51.4, 4.9))
    made = plan(border, default_fleet(Base("base", 51.377429, 4.891868), 2))
    assert validate(made).violations == []


# A line to the east that turns up and back, and points at itself from above; its end is 800 m above it.
HOOK = np.array([(0.0, 0.0), (9000.0, 0.0), (9000.0, 3000.0), (5000.0, 3000.0), (5000.0, 800.0)])


@pytest.mark.parametrize(
    ("line", "others", "length"),
    [
        (HOOK, [], 800 - 30),
        (HOOK * (1, -1), [], 800 - 30),
        (HOOK[:4], [], WALL_M),
        # Another line is met first, or passed at 20 m, or at 40 m.
        (HOOK, [np.array([(4000.0, 500.0), (6000.0, 500.0)])], 300 - 30),
        (HOOK[:4], [np.array([(2000.0, 3020.0), (2000.0, 9000.0)])], 3000 - math.sqrt(30**2 - 20**2)),
        (HOOK[:4], [np.array([(2000.0, 3040.0), (2000.0, 9000.0)])], WALL_M),
        # The mouth is shut already.
        (np.vstack([HOOK[:4], [(5000.0, 20.0)]]), [], 0.0),
        # A small bend at the end does not end the wall: the line as a whole goes on to the east.
        (np.array([(0.0, 0.0), (9000.0, 0.0), (9000.0, 100.0), (8900.0, 100.0), (8900.0, 50.0)]), [], WALL_M),
    ],
)
def test_a_wall_ends_where_it_meets_the_border(line, others, length):
    end = beyond(line[::-1], others, 30.0)
    assert np.hypot(*(end - line[-1])) == pytest.approx(length, abs=0.3)
    # The validation comes to the same without that code, a step of its own later at most.
    told = past(line[::-1], others, 30.0)
    assert np.hypot(*(told - line[-1])) == pytest.approx(length, abs=5.1)


@given(hook=hooks(), stand_off=st.floats(20, 500), degrees=st.integers(0, 359))
def test_no_wall_of_the_validation_is_longer_than_the_planners(hook, stand_off, degrees):
    """Else lawful ways would be refused; and what the shorter wall leaves open the stand-off shuts."""
    line, turn = hook[0], math.radians(degrees)
    for way_in in (line, line[::-1]):
        planned = beyond(turned(way_in, turn), [], closing_m(stand_off))
        checked = past(way_in, [], stand_off)
        lengths = [
            float(np.hypot(*(end - start))) for end, start in ((planned, turned(way_in, turn)[0]), (checked, way_in[0]))
        ]
        assert lengths[1] <= lengths[0] + 0.1
        rest = shapely.ops.substring(shapely.LineString(way_in), 1000.0, shapely.LineString(way_in).length)
        if lengths[1] < WALL_M - 1.0:
            assert rest.distance(shapely.Point(checked)) <= stand_off


def test_a_ring_has_no_wall():
    ring = np.array([(0.0, 0.0), (9000.0, 0.0), (9000.0, 9000.0), (0.0, 0.0)])
    assert continued(ring, [], 25.0) is ring


def test_a_leg_through_the_wall_of_a_hook_and_one_beyond_it_are_found():
    """The mouth is shut, and past it the land is the other country's, though no wall stands there."""
    border = border_from_metres(HOOK, "left")
    made = plan(border, default_fleet(Base("base", LAT + 1500 / M_LAT, LON + 7000 / M_LON), 1))
    assert validate(made).violations == []
    sortie = made.sorties[0]

    def spoilt(*places):
        """What breaks where a way is led through places, from the middle of the sortie on."""
        legs, k = list(sortie.legs), len(sortie.legs) // 2
        for number, (east, north) in enumerate(places, k):
            at = replace(legs[number].end, lat_deg=LAT + north / M_LAT, lon_deg=LON + east / M_LON)
            legs[number], legs[number + 1] = replace(legs[number], end=at), replace(legs[number + 1], start=at)
        changed = replace(made, sorties=(replace(sortie, legs=tuple(legs)), *made.sorties[1:]))
        return k, {rule.name: " ".join(rule.broken) for rule in validate(changed).rules if rule.broken}

    assert "crosses" in spoilt((4500, 400))[1]["no leg across the border or its continuation"]
    assert "on the far side" in spoilt((4000, 2800))[1]["own side"]
    # Both ends are nearer to what lies south of them, a line whose own side they are on; what is between is not.
    k, broken = spoilt((4100, 890), (4980, 390))
    assert f"leg {k + 1}: on the far side" in broken["own side"]
    k, broken = spoilt((4100, 790), (4500, 300))
    assert f"leg {k + 1}: on the far side" not in broken["own side"]


@pytest.mark.parametrize("end", [(3000, -2000), (3000, -100)])
def test_a_line_that_crosses_itself_is_refused_with_the_place(end):
    """Left and right change places there: no correction of own_side would help."""
    border = border_from_metres([(0, 0), (6000, 0), (6000, 2000), (3000, 2000), end], "left")
    at = f"{LAT:.5f} {LON + 3000 / M_LON:.5f}"
    with pytest.raises(PlanError, match=f"crosses itself at {at} .*draw the line so that it does not"):
        plan(border, default_fleet(Base("base", LAT + 800 / M_LAT, LON + 1000 / M_LON), 1))


def test_a_pocket_that_the_line_shuts_by_touching_itself_is_told_as_shut():
    """No lawful way leads into it: that is why it is not seen, and not how a camera looks from outside."""
    pocket = [(0, 0), (3950, 0), (3000, 1500), (5000, 1500), (4050, 0), (8000, 0)]
    border = border_from_metres(pocket, "right")
    made = plan(border, default_fleet(Base("base", LAT - 800 / M_LAT, LON + 1000 / M_LON), 1))
    shut = [gap for gap in made.coverage.uncovered if re.match(r"no lawful way leads nearer than \d+ m", gap.reason)]
    # The way round the pocket, less its mouth.
    assert sum(gap.to_m - gap.from_m for gap in shut) > 5000
    assert not any("above the picture" in gap.reason for gap in made.coverage.uncovered if gap.area_m2 > 20_000)
