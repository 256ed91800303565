"""Items that a real ArduCopter takes: how it holds them, and how they are flown (4.7-dev of July 2025, in its SITL)."""

from math import atan2, degrees, hypot, radians

import pytest

import sim
from sim.flight_items import Item, stored
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import HOME

SPEED, DELAY, DISTANCE = 178, 112, 114
M = 1 / 111319.5


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (16, (1, 0, 0, 0)),
        (18, (1, 0, 3, 1)),
        (19, (1, 0, 1, 1)),
        (31, (0, 2, 0, 1)),
        (82, (1, 0, 0, 0)),
        (84, (0, 0, 0, 0)),
        (85, (1, 0, 0, 0)),
        (93, (1.4, 2, 3, 4)),
        (112, (1.4, 0, 0, 0)),
        (114, (1.4, 0, 0, 0)),
        (115, (1.4, 2.6, 3, 4)),
        (177, (1, 2, 0, 0)),
        (178, (1, 2.6, 3.3, 0)),
        (179, (1, 0, 0, 0)),
        (181, (1, 2, 0, 0)),
        (183, (1, 2, 0, 0)),
        (184, (1, 2, 3, 4.7)),
        (193, (1, 0, 0, 0)),
        (194, (1, 0, 0, 0)),
        (195, (1, 0, 0, 0)),
        (197, (1, 0, 0, 0)),
        (202, (1, 2, 3, 4)),
        (206, (1.4, 0, 3, 0)),
        (207, (1, 0, 0, 0)),
        (208, (1, 0, 0, 0)),
        (211, (1, 2, 0, 0)),
        (215, (1, 0, 0, 0)),
        (217, (1, 2.6, 3.3, 4.7)),
        (218, (1, 2, 0, 0)),
        (222, (1, 2.6, 3.3, 4.7)),
        (531, (1, 2.6, 0, 0)),
        (534, (1, 2, 3, 0)),
        (1000, (1, 2, 3, 4)),
        (2000, (1, 2.6, 3, 4)),
        (2500, (1, 0, 0, 0)),
    ],
)
def test_what_is_held_of_an_item(command, kept):
    """Each was sent with 1.4, 2.6, 3.3 and 4.7 in its parameters, and came back so."""
    result, item = stored(Item(command, 3, (1.4, 2.6, 3.3, 4.7), 313450000, -1109300000, 20.0), 0)
    assert (result, item.params) == (0, pytest.approx(kept))


@pytest.mark.parametrize(
    ("turns", "radius_m", "kept"),
    [
        (0.25, 30.6, (0.25, 30.0)),
        (0.5, 255.0, (0.5, 255.0)),
        (1.5, 300.0, (1.0, 300.0)),
        (2.7, 2600.0, (2.0, 2550.0)),
        (300.0, -0.25, (255.0, 0.0)),
    ],
)
def test_turns_and_radius_share_two_bytes(turns, radius_m, kept):
    _, item = stored(Item(18, 3, (turns, 0.0, radius_m, 0.0), 313450000, -1109300000, 20.0), 0)
    assert (item.params[0], abs(item.params[2])) == kept


@pytest.mark.parametrize("command", [200, 204, 530, 176, 186, 185, 190, 198, 220, 2003])
def test_what_it_does_not_take(command):
    assert stored(Item(command, 3, (0.0, 0.0, 0.0, 0.0), 313450000, -1109300000, 20.0), 0)[0] == 3


def place(command, north_m, east_m, up_m=20.0, *params):
    lat, lon = HOME[0] + north_m * M, HOME[1] + east_m * M / 0.8539
    return (3, command, *(*params, 0.0, 0.0, 0.0, 0.0)[:4], round(lat * 1e7), round(lon * 1e7), up_m)


def action(command, *params):
    return (3, command, *(*params, 0.0, 0.0, 0.0, 0.0)[:4], 0, 0, 0.0)


def flown(*items):
    """A flight of items behind a take-off, at 6 m/s, and the body that flies."""
    pilot = Pilot(lockstep(wind=sim.Wind(0.0, 0.0, 0.0)))
    pilot.heartbeat()
    mission = [place(16, 0, 0), place(22, 0, 0), action(SPEED, 1, 6, -1), place(16, 60, 0, 20.0, 1.0), *items]
    assert pilot.upload([*mission, place(17, -200, 0)]) == 0
    pilot.arm_and_start()
    until_item(pilot, 4)
    return pilot, pilot.fleet.vehicles[0].flight.body


def until_item(pilot, seq):
    run = pilot.fleet.vehicles[0].flight.run
    return pilot.until(lambda: run.index >= seq, 300.0, 0.1)


@pytest.mark.parametrize(("turns", "radius_m"), [(2.0, 30.0), (1.0, -40.0), (0.5, 0.0)])
def test_turns_are_flown_round_a_place_with_the_nose_to_it(turns, radius_m):
    """At CIRCLE_RATE or half of the acceleration; without a radius at CIRCLE_RADIUS, 10 m."""
    pilot, body = flown(place(18, 60, 120, 20.0, turns, 0.0, radius_m))
    size_m = abs(radius_m) or 10.0
    pilot.until(lambda: hypot(body.e - 120.0, body.n - 60.0) < size_m + 0.5, 60.0, 0.1)
    begun, swept, last, off = pilot.fleet.time_s, 0.0, None, []
    run = pilot.fleet.vehicles[0].flight.run
    while run.index == 4:
        pilot.advance(0.1)
        angle = atan2(body.e - 120.0, body.n - 60.0)
        swept += 0.0 if last is None else (angle - last + 3.14159265) % 6.2831853 - 3.14159265
        last = angle
        if abs(swept) > radians(40.0) and run.index == 4:
            nose = degrees(body.yaw - atan2(120.0 - body.e, 60.0 - body.n))
            off.append((abs(hypot(body.e - 120.0, body.n - 60.0) - size_m), abs((nose + 180.0) % 360.0 - 180.0)))
    assert swept * (radius_m or 1.0) > 0
    assert abs(swept) == pytest.approx(turns * 6.2831853, abs=radians(15.0))
    speed_m_s = min(6.0, (0.5 * 2.5 * size_m) ** 0.5, radians(20.0) * size_m)
    assert pilot.fleet.time_s - begun == pytest.approx(turns * 6.2831853 * size_m / speed_m_s, rel=0.15, abs=2.0)
    assert max(m for m, _ in off) < 1.6
    assert max(deg for _, deg in off) < 20.0


def test_a_condition_keeps_back_what_is_behind_it_and_the_next_place_drops_it():
    delayed = (action(DELAY, 5), action(SPEED, 1, 4, -1), place(16, 60, 120))
    near = (action(DISTANCE, 40), action(SPEED, 1, 8, -1), place(16, 60, 320))
    never = (action(DELAY, 300), action(SPEED, 1, 1, -1), place(16, 60, 520))
    pilot, body = flown(*delayed, *near, *never, place(16, 60, 640))
    begun = pilot.fleet.time_s

    def speed():
        return hypot(body.ve, body.vn)

    pilot.advance(4.5)
    assert speed() == pytest.approx(6.0, abs=0.3)
    pilot.advance(3.0)
    assert speed() == pytest.approx(4.0, abs=0.3)
    until_item(pilot, 9)
    assert pilot.fleet.time_s - begun > 20.0
    pilot.until(lambda: body.e > 270.0, 100.0, 0.1)
    assert speed() == pytest.approx(4.0, abs=0.3)
    pilot.until(lambda: body.e > 295.0, 100.0, 0.1)
    assert speed() > 6.0
    until_item(pilot, 13)
    pilot.advance(5.0)
    assert speed() == pytest.approx(8.0, abs=0.3)
    reached = [m.seq for m in pilot.said("MISSION_ITEM_REACHED")]
    assert {5, 8} <= set(reached)
    assert not {10, 11} & set(reached)


def test_it_says_what_it_begins_and_where_it_was_as_the_real_one_does():
    """A flight of ArduCopter 4.7-dev: of two items that are done at once the last is told to have been reached."""
    speed = action(SPEED, 1, 5, -1)
    pilot, _ = flown(place(16, 60, 60), speed, place(19, 60, 120, 20.0, 3.0), place(16, 60, 180))
    until_item(pilot, 8)
    about = [text for text in pilot.texts if text.startswith(("Mission: ", "Reached "))]
    assert about == [
        "Mission: 1 Takeoff",
        "Mission: 2 ChangeSpeed",
        "Mission: 3 WP",
        "Reached command #3",
        "Mission: 4 WP",
        "Reached command #4",
        "Mission: 5 ChangeSpeed",
        "Mission: 6 LoitTime",
        "Reached command #6",
        "Mission: 7 WP",
        "Reached command #7",
        "Mission: 8 LoitUnlim",
    ]
    assert [m.seq for m in pilot.said("MISSION_ITEM_REACHED")] == [2, 3, 5, 6, 7]


def test_to_a_height_on_the_way_and_a_spline_as_straight_lines():
    pilot, body = flown(place(31, 60, 120, 45.0), place(82, 60, 200, 45.0), place(82, 60, 260, 30.0, 2.0))
    pilot.until(lambda: body.e > 60.0, 60.0, 0.1)
    assert 27.0 < body.u < 39.0
    until_item(pilot, 5)
    assert (body.e, body.n, body.u) == pytest.approx((120.0, 60.0, 45.0), abs=2.1)
    pilot.until(lambda: body.e > 195.0, 60.0, 0.1)
    assert hypot(body.ve, body.vn) > 2.0
    arrived = pilot.until(lambda: body.e > 258.5, 60.0, 0.1)
    assert until_item(pilot, 7) - arrived > 1.8
    texts = [text for text in pilot.texts if text.startswith("Mission: ")]
    assert texts[-4:] == [
        "Mission: 4 LoitAltitude",
        "Mission: 5 SplineWP",
        "Mission: 6 SplineWP",
        "Mission: 7 LoitUnlim",
    ]
    assert [m.seq for m in pilot.said("MISSION_ITEM_REACHED")][-2:] == [5, 6]
