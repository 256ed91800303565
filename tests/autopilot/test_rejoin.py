"""Wings that come back to their mission, beside an oracle that flies them by the simulator's own guidance."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from autopilot import FlightArea, MissionKind, Orders, Place, PlaceError
from autopilot.order_guard import OrderGuard
from autopilot.rejoin import Motion, rejoined, ways_ahead
from geo import LocalFrame
from missions import Clearance, FencePolygon, MissionItem
from sim.wing_guidance import L1
from tests.asked import asked, few
from tests.autopilot.scripted import HOME, line_mission
from tests.autopilot.test_orders import in_flight, plane, sent

RADIUS_M, SPEED_M_S = 60.0, 18.0
KEPT = Clearance(3.5, 6.0, 9.5, 30.0)
PLANE = LocalFrame(*HOME[:2])
HERE = Place(*HOME[:2], 60.0)
MOST_M_S2 = SPEED_M_S**2 / RADIUS_M
BANK_PER_S = math.radians(45.0)


def degrees(points):
    lat, lon, _ = PLANE.to_geodetic(*np.array(points, float).T, 0.0)
    return tuple(zip(lat.tolist(), lon.tolist(), strict=True))


def area(south_m, far_m=4000.0):
    """All that lies north of a line."""
    ring = [(-far_m, south_m), (far_m, south_m), (far_m, far_m), (-far_m, far_m)]
    return FlightArea((FencePolygon(degrees(ring)),), (), (), 5.0, 100.0, KEPT)


def free(within, places, motion, **more):
    """Whether the way back is, from the origin."""
    place = Place(*degrees(places[:1])[0], 60.0)
    try:
        within.check_rejoining(HERE, place, rejoined(motion, places, RADIUS_M, delay_s=0.0, **more))
    except PlaceError:
        return False
    return True


def flown(course, places, guidance, share):
    """What the simulator's guidance makes of it; course and bank in radians, clockwise. Nothing of ours."""
    x = y = bank = 0.0
    start, number, track, step_s = (0.0, 0.0), 0, [], 0.1
    for _ in range(3000):
        goal = places[number]
        velocity = SPEED_M_S * math.sin(course), SPEED_M_S * math.cos(course)
        wanted = math.atan(np.clip(guidance.line((x, y), velocity, start, goal), -MOST_M_S2, MOST_M_S2) / 9.81)
        bank += np.clip(wanted - bank, -BANK_PER_S * step_s, BANK_PER_S * step_s)
        course += 9.81 * math.tan(bank) / SPEED_M_S * step_s
        x, y = x + SPEED_M_S * step_s * math.sin(course), y + SPEED_M_S * step_s * math.cos(course)
        track.append((x, y))
        along = np.dot(np.subtract((x, y), start), np.subtract(goal, start)) / max(math.dist(goal, start), 1e-9)
        corner = 0.0
        if number + 1 < len(places):
            a = math.atan2(*np.subtract(goal, start))
            b = math.atan2(*np.subtract(places[number + 1], goal))
            corner = min(1.0, abs((b - a + math.pi) % (2 * math.pi) - math.pi) / (math.pi / 2))
        if math.dist((x, y), goal) <= share * corner * guidance.length_m(SPEED_M_S) or along >= math.dist(goal, start):
            start, number = goal, number + 1
            if number == len(places):
                break
    return track


@settings(deadline=None, max_examples=few(asked(150)))
@given(
    course=st.floats(0, 6.28),
    away=st.floats(200, 600),
    bearing=st.floats(-1.5, 1.5),
    onward=st.floats(0, 6.28),
    then=st.floats(-1.5, 1.5),
    gap=st.floats(6, 200),
    guidance=st.sampled_from([L1(17.0, 0.75), L1(10.0, 0.7)]),
    share=st.sampled_from([0.0, 1.0]),
)
def test_what_is_free_is_flown_inside_the_fence(course, away, bearing, onward, then, gap, guidance, share):
    first = away * math.cos(bearing), away * math.sin(bearing)
    second = first[0] + 700 * math.sin(onward), first[1] + 700 * math.cos(onward)
    third = second[0] + 700 * math.sin(onward + then), second[1] + 700 * math.cos(onward + then)
    places = [first, second, third]
    south = min(0.0, *(y for _, y in places)) - gap
    within, motion = area(south), Motion((SPEED_M_S * math.sin(course), SPEED_M_S * math.cos(course)), 0.0)
    if free(within, places, motion):
        settled = [at for at in flown(course, places, guidance, share) if math.dist(at, second) > 50]
        # Until it is on its line, by the second place; what is beyond is the plan's.
        until = next((k for k, at in enumerate(settled) if math.dist(at, first) > 640), len(settled))
        # It rolls in and out of its bank, for which the room is.
        assert min(y for _, y in settled[:until]) > south - KEPT.room_m / 2


def test_a_way_that_is_free_may_lead_to_a_turn_that_is_not():
    """As far as the item the way lies inside the fence; there it turns back by 150 degrees."""
    places, motion = [(-400.0, -250.0), (100.0, -250.0), (600.0, -250.0)], Motion((-17.0, -9.0), 0.0)
    within = area(-286.0)
    within.check(
        HERE, Place(*degrees(places[:1])[0], 60.0), velocity_m_s=motion.velocity_m_s, radius_m=60.0, planned=True
    )
    assert not free(within, places, motion)
    # To the next it comes at a right angle less, and to the one behind nearly along the line.
    assert free(within, places[2:], motion)
    assert free(area(-400.0), places, motion)


def test_the_way_on_the_line_of_a_plan_is_free():
    """Bends as a plan has them: half a radius and the room from a fence."""
    angles = np.radians(np.arange(0.0, 91.0, 14.0))
    bend = [(700 + RADIUS_M * math.sin(a), RADIUS_M * (1 - math.cos(a))) for a in angles]
    places = [*bend, (bend[-1][0], 900.0)]
    assert free(area(-KEPT.bend_m - KEPT.room_m), places, Motion((20.0, 0.0), 0.0))
    # Whoever comes to that bend from aside does not turn within it.
    aside = [(x - 700.0, y - 264.0) for x, y in places]
    assert not free(area(-KEPT.bend_m - KEPT.room_m - 264.0), aside, Motion((0.0, -20.0), 0.0))


def test_wings_that_turn_already_may_be_found_farther_round():
    places, ahead = [(0.0, -400.0), (0.0, -900.0)], (0.0, -20.0)
    quick = [rejoined(Motion(ahead, roll), places, 60.0, delay_s=2.0).approach for roll in (30.0, -30.0)]
    right, left = (shapely.bounds(way)[[0, 2]] for way in quick)  # south-bound, west is right
    assert right[0] < -5.0 < left[0]
    assert left[1] > 5.0 > right[1]
    either = rejoined(Motion(ahead), places, 60.0, delay_s=2.0).approach
    assert shapely.bounds(either)[0] < -5.0
    assert shapely.bounds(either)[2] > 5.0


def items(*commands):
    """One an entry: command, and what else it holds; places run east."""
    return tuple(
        MissionItem(n, 3, command, x=313450000, y=-1109400000 + n * 50_000, z=60.0, **more)
        for n, (command, more) in enumerate(commands)
    )


def test_a_mission_is_followed_to_where_it_lands_or_circles_and_both_ways_at_a_jump():
    way = {}
    (lands,) = ways_ahead(items((16, way), (16, way), (178, way), (21, way), (16, way)), 1)
    assert (len(lands.places), lands.circles) == (2, False)
    (turns,) = ways_ahead(items((16, way), (18, {"p3": -90.0}), (16, way)), 0)
    assert (len(turns.places), turns.circles, turns.circle_m) == (2, True, 90.0)
    jumps = items((16, way), (16, way), (177, {"p1": 0.0, "p2": 2.0}), (16, way))
    assert [len(one.places) for one in ways_ahead(jumps, 1)] == [4, 2]
    with pytest.raises(PlaceError, match="more than 8 ways: return home"):
        ways_ahead(items(*[(177, {"p1": 0.0})] * 6, (16, way)), 0)


def beside_a_fence(south_m=-36.0):
    """The line eastwards, and a fence 36 m south of it."""
    fence = degrees([(-900.0, south_m), (4500.0, south_m), (4500.0, 900.0), (-900.0, 900.0)])
    return replace(
        line_mission(),
        fence=tuple(MissionItem(n, 0, 5001, 4.0, x=round(a * 1e7), y=round(o * 1e7)) for n, (a, o) in enumerate(fence)),
    )


@pytest.mark.parametrize(("circle_m", "south_m"), [(0.0, -90.0), (100.0, -125.0)], ids=["its own", "of the item"])
@pytest.mark.parametrize(("up_m", "free"), [(90.0, True), (2500.0, False)])
async def test_a_way_ahead_is_as_wide_as_where_it_is_highest(circle_m, south_m, up_m, free):
    """Behind where it joins ArduPlane circles on 70 m or 100 m, and on more by an eighth, or by half, up there."""
    mission = beside_a_fence(south_m)
    line = list(mission.items)
    line[5] = replace(line[5], command=17, p3=circle_m, z=up_m)
    async with in_flight(plane(), upload=False, mode=10) as (vehicle, seen):
        vehicle.armed = False
        await seen.upload(replace(mission, items=tuple(line)))
        vehicle.armed, vehicle.where = True, (*degrees([(300.0, 0.0)])[0], 60.0)
        vehicle.velocity_cm_s = 0, 1800, 0
        vehicle.report()
        await seen.wait_until(lambda t: t.armed and (t.velocity_ned_m_s or (0, 0, 0))[1] > 17, 5.0)
        guard = OrderGuard(seen, (), (), None, 5.0, clearance=KEPT)
        ways = guard.check_way_to_item(seen.held(MissionKind.MISSION), 4)
        if free:
            await ways
            return
        with pytest.raises(PlaceError, match=r"does not go on at item 4: .*fence"):
            await ways


@pytest.mark.parametrize("order", ["resume", "jump"])
async def test_the_refusal_names_the_next_item_that_can_be_joined_at_and_sends_nothing(order):
    start = degrees([(1100.0, 330.0)])[0]
    async with in_flight(plane(), upload=False, mode=10) as (vehicle, seen):
        vehicle.armed = False
        await seen.upload(beside_a_fence())
        vehicle.armed, vehicle.where, vehicle.current = True, (*start, 60.0), 4
        vehicle.velocity_cm_s = -960, -1500, 0  # south-west, back along the line
        vehicle.report()
        await seen.wait_until(lambda t: t.item == 4 and t.armed and t.velocity_ned_m_s[1] < -10, 5.0)
        orders = Orders(seen)
        with pytest.raises(
            PlaceError, match=r"does not go on at item 4: .* way back .*; a jump to item 5 .* leaves out item 4$"
        ):
            await (orders.resume() if order == "resume" else orders.jump(4))
        assert not sent(vehicle, 176)
        assert not sent(vehicle, 224)
