"""Borders whose ends turn back on themselves: told right, planned, and never crossed."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from geo import locate
from missions import Base, compile_mission, cut, default_fleet, land_border, plan, validate, validate_missions
from missions.beyond import WALL_M, beyond, closing_m, continued
from missions.validation_beyond import past
from tests.missions.helpers import LAT, LON, M_LAT, M_LON, border_from_metres, metres, way

SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
        ends = []
        for _ in range(draw(st.integers(1, 2))):
            turned = draw(st.floats(math.radians(120), math.radians(420)))
            shrink = draw(st.floats(0.0, 0.25))
            radius, after = draw(st.floats(400, 1600)), draw(st.floats(50, 2500))
            ends.append(curled(body, radius, turned, shrink, after, draw(st.booleans())))
        line = ends[0]
        if len(ends) == 2:
            # Turned round by half, the end of the other is the beginning of this one.
            line = np.concatenate([(ends[1][2:] * -1 + (body, 0))[::-1], line])
        if draw(st.booleans()):
            line = line[::-1]
        if shapely.LineString(line).is_simple:
            return line, body


def turned(points, angle):
    c, s = math.cos(angle), math.sin(angle)
    return np.asarray(points) @ np.array([[c, s], [-s, c]])


def side_of(line, place):
    """+1 on the left of the nearest stretch of a line, by its tangent there: no code of the planner's."""
    at = line.project(shapely.Point(place))
    a, b = (np.array(line.interpolate(s).coords[0]) for s in (at - 0.5, at + 0.5))
    u, v = b - a, np.asarray(place) - a
    return math.copysign(1.0, u[0] * v[1] - u[1] * v[0])


@SLOW
@given(hook=hooks(), side=st.sampled_from(["left", "right"]), angle=st.floats(0, 2 * math.pi), data=st.data())
def test_a_hook_is_planned_from_any_base_beside_its_body(hook, side, angle, data):
    points, body = hook
    line = shapely.LineString(points)
    sign = 1 if side == "left" else -1
    away = sign * (1 if points[0][0] < points[-1][0] or len(points) < 3 else 1)
    # The body runs along y = 0, to the east or to the west.
    east = [b[0] - a[0] for a, b in zip(points[:-1], points[1:], strict=True) if a[1] == b[1] == 0.0][0] > 0
    x, off = data.draw(st.floats(0.1, 0.9)) * body, data.draw(st.floats(200, 1800))
    place = (x, off * away * (1 if east else -1))
    # Beside the body, and not behind what curls back over it.
    near = line.interpolate(line.project(shapely.Point(place)))
    if abs(near.y) > 1e-6 or line.distance(shapely.Point(place)) < 150:
        event("base elsewhere")
        return
    border = border_from_metres(turned(points, angle), side)
    at = turned([place], angle)[0]
    made = plan(border, default_fleet(Base("base", LAT + at[1] / M_LAT, LON + at[0] / M_LON), 1))
    assert validate(made).violations == []
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
    missions = [compile_mission(made, sortie) for sortie in made.sorties]
    assert validate_missions(made, missions).violations == []
