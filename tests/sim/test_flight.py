"""The flight model against closed forms, without sockets."""

from math import cos, hypot, isclose, pi, radians, sin, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Proj
from shapely import Point, Polygon, unary_union

from sim.dialect_ardupilot import ARDUCOPTER
from sim.fleet_config import Boot
from sim.flight import Flight
from sim.flight_body import GRAVITY_MPS2, Body
from sim.flight_fence import Fence
from sim.flight_frame import FlightFrame
from sim.flight_items import Item
from sim.flight_power import PowerModel
from sim.flight_state import Mode, Reached, Setup
from sim.flight_wind import Wind
from sim.protocol_params import parameter_table
from tests.asked import few
from tests.thin_air import thin

THIN = thin(1220.0)

FRAME = FlightFrame(31.34, -110.94)
STEP_S = 0.05


def items(*values):
    home = Item(16, 0, (0.0, 0.0, 0.0, 0.0), 0, 0, 0.0)
    return [home, *values]


def command(number, *params):
    p = (*params, 0.0, 0.0, 0.0, 0.0)[:4]
    return Item(number, 0, p, 0, 0, 0.0)


def takeoff(up_m):
    return Item(22, 3, (0.0, 0.0, 0.0, 0.0), 0, 0, up_m)


def waypoint(east_m, north_m, up_m, hold_s=0.0, number=16):
    lat, lon = FRAME.to_geodetic(east_m, north_m)
    return Item(number, 3, (hold_s, 0.0, 0.0, 0.0), round(lat * 1e7), round(lon * 1e7), up_m)


def fly(mission, *, wind=None, power=None, params=None, most_s=3000.0):
    """Fly a mission to disarming; rows of (t, e, n, u, ve, vn, vu, used_j, item) and (time, item reached)."""
    power = power or PowerModel(capacity_wh=2000.0)
    setup = Setup(
        sysid=1, frame=FRAME, home_amsl_m=1180.0, heading_rad=0.0, boot=Boot(0, 0, 0), power=power,
        wind=wind or Wind(), seed=1, step_s=STEP_S, turnaround_s=1e9, idle_floor_s=0.0, record_dir=None,
    )  # fmt: skip
    flight = Flight(setup, parameter_table(1, power, params or {}), items(*mission))
    assert flight.set_mode(Mode.GUIDED)
    assert flight.arm()
    assert flight.start_mission()
    rows, reached = [], []
    while flight.armed and flight.sortie_s < most_s:
        flight.step()
        b = flight.body
        rows.append((flight.sortie_s, b.e, b.n, b.u, b.ve, b.vn, b.vu, flight.battery.used_j, flight.run.index))
        reached += [(flight.sortie_s, e.seq) for e in flight.events if isinstance(e, Reached)]
        flight.events.clear()
    assert not flight.armed
    return np.array(rows), reached


def leg_s(length_m, speed_mps, accel_mps2, brake_mps2, radius_m):
    """From rest to within a radius of the end: constant acceleration, cruise, and v² = 2 b d braking (b for brake).

    The last metres are linear with a gain of 0.8/s, which moves the parabola by half its range.
    """
    at_radius = sqrt(2.0 * brake_mps2 * (radius_m - 0.5 * brake_mps2 / 0.8**2))
    lost_s = 0.5 * speed_mps / accel_mps2 + (speed_mps - at_radius) ** 2 / (2.0 * brake_mps2 * speed_mps)
    return (length_m - radius_m) / speed_mps + lost_s


@pytest.mark.parametrize("speed", [5.0, 10.0, 18.0])
@pytest.mark.parametrize("wind", [Wind(), Wind(8.0, 0.0)], ids=["calm", "head wind"])
def test_time_of_a_straight_leg(speed, wind):
    length = 1500.0
    mission = [takeoff(40.0), command(178, 1.0, speed, -1.0), waypoint(0.0, length, 40.0, 1.0), command(20)]
    rows, reached = fly(mission, wind=wind)
    start = next(t for t, seq in reached if seq == 1)
    arrive = next(t for t, seq in reached if seq == 3) - 1.0
    # The jerk limit delays the start and the loop's lag of half a second delays the braking.
    assert arrive - start == pytest.approx(leg_s(length, speed, 2.5, 0.7 * 2.5, 2.0), abs=1.0)
    leg = rows[rows[:, 8] == 3]
    assert np.hypot(leg[:, 4], leg[:, 5]).max() == pytest.approx(speed, abs=0.1)


@pytest.mark.parametrize("from_deg", [0.0, 90.0, 180.0, 225.0])
def test_energy_of_steady_flight_is_power_times_time(from_deg):
    power = PowerModel(capacity_wh=2000.0, hover_w=500.0, cruise_w=700.0, cruise_mps=16.0)
    mission = [takeoff(40.0), command(178, 1.0, 12.0, -1.0), waypoint(0.0, 2000.0, 40.0), command(20)]
    rows, _ = fly(mission, wind=Wind(6.0, from_deg), power=power)
    steady = rows[(rows[:, 8] == 3) & (rows[:, 2] > 300.0) & (rows[:, 2] < 1500.0)]
    used = steady[-1, 7] - steady[0, 7]
    took = steady[-1, 0] - steady[0, 0]
    # Blowing from `from_deg`, seen by a vehicle that flies north at 12 m/s.
    air = hypot(6.0 * sin(radians(from_deg)), 12.0 + 6.0 * cos(radians(from_deg)))
    # 1,220 m up it is that at sea level at the equivalent airspeed, overcome at the true one.
    slow = air / 16.0 / THIN
    # Faster than cruise all of its figure but a third of hover rises.
    rising = 200.0 if slow <= 1.0 else 700.0 - 500.0 / 3
    assert used / took == pytest.approx(THIN * (700.0 + rising * (slow**3 - 1.0)), rel=2e-3)


def test_rotors_whose_cruise_takes_less_than_hover_take_more_again_beyond_it():
    """Until it was so, whoever flew fast charged the battery, and its throttle fitted no message."""
    power = PowerModel(capacity_wh=2000.0, hover_w=500.0, cruise_w=300.0, cruise_mps=8.0)
    mission = [takeoff(40.0), command(178, 1.0, 12.0, -1.0), waypoint(0.0, 2000.0, 40.0), command(20)]
    rows, _ = fly(mission, power=power)
    steady = rows[(rows[:, 8] == 3) & (rows[:, 2] > 300.0) & (rows[:, 2] < 1500.0)]
    used = steady[-1, 7] - steady[0, 7]
    took = steady[-1, 0] - steady[0, 0]
    assert used / took == pytest.approx(THIN * (300.0 + 200.0 * ((1.5 / THIN) ** 3 - 1.0)), rel=2e-3)
    rising = [power.power_w(speed, 0.0) for speed in np.arange(8.0, 30.0, 0.5)]
    assert rising[0] == 300.0 == min(power.power_w(speed, 0.0) for speed in np.arange(0.0, 30.0, 0.5))
    assert rising == sorted(rising)


def test_climb_is_limited_and_paid_for():
    power = PowerModel(capacity_wh=2000.0)
    rows, reached = fly([takeoff(100.0), command(21)], power=power)
    assert rows[:, 6].max() == pytest.approx(2.5, abs=0.02)
    assert rows[:, 6].min() == pytest.approx(-1.5, abs=0.05)
    top = next(t for t, seq in reached if seq == 1)
    assert 100.0 / 2.5 < top < 100.0 / 2.5 + 6.0
    climb = rows[(rows[:, 3] > 20.0) & (rows[:, 3] < 80.0) & (rows[:, 0] < top)]
    watts = (climb[-1, 7] - climb[0, 7]) / (climb[-1, 0] - climb[0, 0])
    # The air at 50 m over home.
    assert watts == pytest.approx(thin(1180.0 + 50.0) * power.hover_w + 2.5 * power.climb_w_per_mps, rel=5e-3)


def test_tracks_lines_through_gentle_corners_without_stopping():
    corners = [(0.0, 300.0), (300.0, 340.0), (600.0, 330.0), (900.0, 400.0)]
    mission = [takeoff(60.0), command(178, 1.0, 8.0, -1.0), *(waypoint(e, n, 60.0) for e, n in corners), command(20)]
    rows, _ = fly(mission, wind=Wind(6.0, 200.0, 1.0))
    for k in range(1, 4):
        (ae, an), (be, bn) = corners[k - 1], corners[k]
        leg = rows[rows[:, 8] == 3 + k]
        length = hypot(be - ae, bn - an)
        across = ((leg[:, 1] - ae) * (bn - an) - (leg[:, 2] - an) * (be - ae)) / length
        along = ((leg[:, 1] - ae) * (be - ae) + (leg[:, 2] - an) * (bn - an)) / length
        middle = (along > 40.0) & (along < length - 20.0)
        assert np.abs(across[middle]).max() < 0.8
        assert np.abs(across).max() < 6.0
        assert np.hypot(leg[middle, 4], leg[middle, 5]).min() > 4.0
        assert np.abs(leg[:, 3] - 60.0).max() < 0.5


@pytest.mark.parametrize("speed", [4.0, 8.0, 14.0])
@pytest.mark.parametrize("slope", [0.15, 0.4, 0.8])
def test_a_peak_is_cut_below_and_a_valley_above(slope, speed):
    """As both autopilots pass them; the corner is passed within WPNAV_RADIUS, and the lines between them are flown."""
    ways = [(100.0 * k, 60.0 + (100.0 * slope if k % 2 else 0.0)) for k in range(1, 6)]
    legs = [waypoint(0.0, north, up) for north, up in ways]
    rows, _ = fly([takeoff(60.0), command(178, 1.0, speed, -1.0), *legs, command(20)])
    on = rows[(rows[:, 2] > 10.0) & (rows[:, 2] < 495.0) & (rows[:, 8] < 8)]
    planned = np.interp(on[:, 2], *zip((0.0, 60.0), *ways, strict=True))
    assert on[:, 3].max() < 60.0 + 100.0 * slope + 0.3
    assert on[:, 3].min() > 60.0 - 0.3
    assert np.abs(on[:, 3] - planned).max() < 2.0 * hypot(1.0, slope) + 0.6
    middle = np.abs(on[:, 2] % 100.0 - 50.0) < 10.0
    assert np.abs(on[middle, 3] - planned[middle]).max() < 0.5


def test_loiter_time_delay_and_condition_yaw():
    mission = [takeoff(20.0), waypoint(50.0, 0.0, 20.0, 12.0, number=19), command(93, 7.0), command(21)]
    rows, reached = fly(mission)
    times = {seq: t for t, seq in reached}
    there = next(r[0] for r in rows if hypot(r[1] - 50.0, r[2]) < 2.0 and r[3] > 18.0)
    assert times[2] - there == pytest.approx(12.0, abs=1.0)
    assert times[3] - times[2] == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize(("repeats", "flown"), [(0, 1), (1, 2), (3, 4)])
def test_do_jump_repeats_as_often_as_it_says(repeats, flown):
    mission = [
        takeoff(20.0),
        waypoint(60.0, 0.0, 20.0),
        waypoint(0.0, 0.0, 20.0),
        command(177, 2, repeats),
        command(20),
    ]
    _, reached = fly(mission)
    assert [seq for _, seq in reached] == [1, *([2, 3] * flown), 5]


def test_a_jump_to_itself_does_not_hang():
    mission = [takeoff(20.0), command(177, 2, -1), command(20)]
    with pytest.raises(AssertionError):
        fly(mission, most_s=60.0)


def test_speed_of_the_return_is_that_of_the_parameters():
    """RTL in AUTO flies at RTL_SPEED, else WPNAV_SPEED: a DO_CHANGE_SPEED before it has no effect."""
    mission = [takeoff(30.0), waypoint(0.0, 600.0, 30.0), command(178, 1.0, 17.0, -1.0), command(20)]
    rows, _ = fly(mission)
    back = rows[rows[:, 8] == 4]
    assert np.hypot(back[:, 4], back[:, 5]).max() == pytest.approx(10.0, abs=0.1)
    rows, _ = fly(mission, params={"RTL_SPEED": 1500.0})
    back = rows[rows[:, 8] == 4]
    assert np.hypot(back[:, 4], back[:, 5]).max() == pytest.approx(15.0, abs=0.1)


def test_return_goes_to_the_nearest_of_home_and_rally_points():
    from sim.flight_orders import limits_from, return_home

    params = ARDUCOPTER.figures_of(parameter_table(1, PowerModel(), {}))
    body = Body()
    body.place(0.0, 1000.0, 40.0, 0.0)
    for rally, expected in [
        ([], (0.0, 0.0)),
        ([(0.0, 900.0, 30.0)], (0.0, 900.0)),
        ([(0.0, 500.0, 30.0)], (0.0, 0.0)),  # beyond RALLY_LIMIT_KM, 0.3
        ([(250.0, 1000.0, 30.0), (0.0, 800.0, 30.0)], (0.0, 800.0)),
    ]:
        tasks, is_rally = return_home(body, params, limits_from(params), rally)
        assert tasks[-3].stop == (*expected, 40.0)
        assert is_rally is (expected != (0.0, 0.0))


@pytest.mark.parametrize(
    ("at", "rally", "over", "up"),
    [
        # Seen on PX4 main of May 2026: from 90 m it climbed to 130 m, and flew to the point given at 100 m.
        ((0.0, 1000.0, 90.0), (0.0, 700.0, 100.0), (0.0, 700.0), 130.0),
        ((0.0, 1000.0, 90.0), (0.0, 700.0, -5.0), (0.0, 700.0), 90.0),
        ((0.0, 1000.0, 10.0), (0.0, 700.0, -5.0), (0.0, 700.0), 25.0),
        ((0.0, 1000.0, 10.0), (0.0, 9.0, 40.0), (0.0, 0.0), 30.0),  # no point, at home
        ((0.0, 400.0, 10.0), (0.0, 900.0, 40.0), (0.0, 0.0), 30.0),
        # In the cone of 45 degrees, to NAV_ACC_RAD (2 m).
        ((0.0, 8.0, 3.0), (0.0, 900.0, 40.0), (0.0, 0.0), 8.0),
        ((0.0, 3.0, 1.0), (0.0, 900.0, 40.0), (0.0, 0.0), 4.0),
        ((0.0, 1.5, 1.0), (0.0, 900.0, 40.0), (0.0, 0.0), 3.0),
    ],
)
def test_px4_lands_at_the_height_of_a_rally_point_and_returns_above_it(at, rally, over, up):
    from sim.dialect_px4 import PX4_COPTER
    from sim.flight_orders import limits_from, return_home

    params = PX4_COPTER.figures_of(parameter_table(1, PowerModel(), {}, PX4_COPTER))
    body = Body()
    body.place(*at, 0.0)
    tasks, is_rally = return_home(body, params, limits_from(params), [rally])
    assert tasks[-3].stop == pytest.approx((*over, up))
    assert is_rally is (over != (0.0, 0.0))


@pytest.mark.parametrize(
    ("at", "cone_deg", "up"),
    [
        # Lower than twice NAV_ACC_RAD (2 m), and not than RTL_RETURN_ALT: rtl.cpp has it come down.
        ((0.0, 400.0, 3.5), 45, 3.0),
        ((0.0, 3.0, 3.5), 45, 3.0),
        ((0.0, 1.8, 3.5), 45, 3.0),
        ((0.0, 1.6, 3.5), 45, 3.5),
        ((0.0, 400.0, 4.5), 45, 4.5),
        ((0.0, 400.0, 1.0), 45, 3.0),
        ((0.0, 400.0, 3.5), 0, 3.5),
    ],
)
def test_px4_that_returns_at_next_to_no_height(at, cone_deg, up):
    from sim.dialect_px4 import PX4_COPTER
    from sim.flight_orders import limits_from, return_home

    changes = {"RTL_RETURN_ALT": 3.0, "RTL_CONE_ANG": cone_deg}
    params = PX4_COPTER.figures_of(parameter_table(1, PowerModel(), changes, PX4_COPTER))
    body = Body()
    body.place(*at, 0.0)
    tasks, _ = return_home(body, params, limits_from(params), [])
    assert tasks[-3].stop == pytest.approx((0.0, 0.0, up))


def test_region_of_interest_is_looked_at_all_the_way():
    from math import atan2, degrees

    lat, lon = FRAME.to_geodetic(200.0, 300.0)
    roi = Item(195, 3, (0.0, 0.0, 0.0, 0.0), round(lat * 1e7), round(lon * 1e7), 0.0)
    off = []
    setup = Setup(
        sysid=1, frame=FRAME, home_amsl_m=1180.0, heading_rad=0.0, boot=Boot(0, 0, 0), power=PowerModel(),
        wind=Wind(), seed=1, step_s=STEP_S, turnaround_s=1e9, idle_floor_s=0.0, record_dir=None,
    )  # fmt: skip
    mission = items(takeoff(50.0), roi, waypoint(0.0, 600.0, 50.0), command(20))
    flight = Flight(setup, parameter_table(1, PowerModel(), {}), mission)
    assert flight.set_mode(Mode.GUIDED)
    assert flight.arm()
    assert flight.start_mission()
    while flight.run.index < 4:
        flight.step()
        if flight.run.index == 3 and flight.body.n > 40.0:
            b = flight.body
            de, dn = 200.0 - b.e, 300.0 - b.n
            yaw = degrees(b.yaw) + flight.gimbal.yaw_deg
            away = (yaw - degrees(atan2(de, dn)) + 180.0) % 360.0 - 180.0
            off.append((away, flight.gimbal.pitch_deg - degrees(atan2(-b.u, hypot(de, dn)))))
    assert len(off) > 100
    assert np.abs(off).max() < 0.5


def test_empty_battery_falls():
    mission = [takeoff(60.0), waypoint(0.0, 5000.0, 60.0), command(20)]
    params = {"BATT_FS_LOW_ACT": 0.0, "BATT_FS_CRT_ACT": 0.0}
    rows, _ = fly(mission, power=PowerModel(capacity_wh=12.0), params=params)
    assert rows[:, 6].min() < -5.0
    assert rows[-1, 7] < 12.5 * 3600.0 + 20.0 * 700.0


@given(
    st.floats(-20.0, 20.0), st.floats(-20.0, 20.0), st.floats(-3.0, 3.0), st.floats(-pi, pi)
)  # fmt: skip
@settings(max_examples=few(50), deadline=None)
def test_body_obeys_its_limits_and_arrives_at_the_commanded_velocity(ve, vn, vu, yaw):
    body = Body()
    before = (0.0, 0.0)
    for _ in range(800):
        body.step(STEP_S, (ve, vn, vu), yaw, (0.0, 0.0))
        assert hypot(body.ae, body.an) <= 2.5 + 1e-9
        assert hypot(body.ae - before[0], body.an - before[1]) <= 5.0 * STEP_S + 1e-9
        assert abs(body.au) <= 1.0 + 1e-9
        before = (body.ae, body.an)
    assert (body.ve, body.vn, body.vu) == pytest.approx((ve, vn, vu), abs=1e-3)
    assert isclose(cos(body.yaw - yaw), 1.0, abs_tol=1e-3)


def test_attitude_gives_the_acceleration_it_was_made_from():
    body = Body()
    body.place(0.0, 0.0, 50.0, radians(30.0))
    body.ae, body.an = 1.2, -0.7
    roll, pitch = body.roll_pitch(0.0, 0.0)
    # Rotate the thrust (up in the body) by yaw, pitch, roll to the earth: north-east-down, textbook matrix.
    yaw = body.yaw
    thrust = GRAVITY_MPS2 / (cos(roll) * cos(pitch))
    north = -thrust * (cos(roll) * sin(pitch) * cos(yaw) + sin(roll) * sin(yaw))
    east = -thrust * (cos(roll) * sin(pitch) * sin(yaw) - sin(roll) * cos(yaw))
    assert (east, north) == pytest.approx((1.2, -0.7), abs=1e-9)


@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
@settings(max_examples=few(200), deadline=None)
def test_flight_frame_is_transverse_mercator(dlat, dlon):
    proj = Proj("+proj=tmerc +lat_0=31.34 +lon_0=-110.94 +k=1 +ellps=WGS84")
    lat, lon = 31.34 + dlat, -110.94 + dlon
    east, north = FRAME.to_local(lat, lon)
    assert (east, north) == pytest.approx(proj(lon, lat), abs=1e-4)
    assert FRAME.to_geodetic(east, north) == pytest.approx((lat, lon), abs=1e-10)
    assert FRAME.convergence_deg(lat, lon) == pytest.approx(proj.get_factors(lon, lat).meridian_convergence, abs=1e-6)


def test_flight_frame_measures_the_ground():
    lat, lon = FRAME.to_geodetic(12000.0, 9000.0)
    _, _, metres = Geod(ellps="WGS84").inv(-110.94, 31.34, lon, lat)
    assert metres == pytest.approx(15000.0, rel=3e-6)


def test_fence_clearance_holds_as_long_as_it_says():
    """The answer's lifetime never lets a vehicle at 30 m/s through an edge."""
    corners = [(-500.0, -200.0), (-100.0, 300.0), (100.0, 0.0), (500.0, 400.0), (400.0, -300.0)]
    latlon = [FRAME.to_geodetic(*c) for c in corners]
    fence = Fence([Item(5001, 0, (5.0, 0, 0, 0), round(a * 1e7), round(o * 1e7), 0.0) for a, o in latlon], FRAME)
    params = {"FENCE_TYPE": 4.0}
    rng = np.random.default_rng(1)
    polygon = Polygon(corners)
    for e, n in rng.uniform(-600.0, 600.0, (500, 2)):
        kind, holds_s = fence.breach(e, n, 50.0, params)
        inside = polygon.contains(Point(e, n))
        assert (kind is None) is inside
        if inside:
            assert holds_s <= max(0.1, polygon.exterior.distance(Point(e, n)) / 30.0 + 1e-3)


def _fence_of(*shapes):
    """A fence of (command, polygon or (centre, radius)) in the local frame."""
    items = []
    for command, shape in shapes:
        corners, size = (
            (list(shape.exterior.coords)[:-1], None) if isinstance(shape, Polygon) else ([shape[0]], shape[1])
        )
        for corner in corners:
            a, o = FRAME.to_geodetic(*corner)
            number = float(len(corners)) if size is None else size
            items.append(Item(command, 0, (number, 0, 0, 0), round(a * 1e7), round(o * 1e7), 0.0))
    return Fence(items, FRAME)


stars = st.builds(
    lambda e, n, radii: Polygon(
        [
            (e + r * np.cos(2 * np.pi * k / len(radii)), n + r * np.sin(2 * np.pi * k / len(radii)))
            for k, r in enumerate(radii)
        ]
    ),
    st.floats(-400, 400),
    st.floats(-400, 400),
    st.lists(st.floats(20, 250), min_size=3, max_size=9),
)


@given(
    outside=st.lists(stars, max_size=3),
    circle=st.tuples(st.floats(-400, 400), st.floats(-400, 400), st.floats(10, 200)),
    points=st.lists(st.tuples(st.floats(-700, 700), st.floats(-700, 700)), min_size=5, max_size=30),
)
@settings(max_examples=few(100), deadline=None)
def test_a_fence_is_breached_in_every_exclusion_and_outside_the_inclusion(outside, circle, points):
    """Against shapely: inside all there is to stay in, outside all there is to keep out of."""
    inside = Polygon([(-600.0, -600.0), (600.0, -500.0), (500.0, 600.0), (-550.0, 500.0)])
    *centre, radius = circle
    fence = _fence_of((5001, inside), *((5002, one) for one in outside), (5004, (centre, radius)))
    free = inside.difference(unary_union([*outside, Point(centre).buffer(radius, quad_segs=256)]))
    for point in points:
        edge_m = free.boundary.distance(Point(point))
        if edge_m < 0.1:  # rounding to 1e-7 degrees, and a circle of 1024 corners
            continue
        kind, holds_s = fence.breach(*point, 50.0, {"FENCE_TYPE": 4.0})
        assert (kind is None) is free.contains(Point(point))
        if kind is None:
            assert holds_s <= max(0.1, edge_m / 30.0 + 0.01)


def test_gusts_have_their_standard_deviation_and_seed():
    from sim.flight_wind import WindField

    field, same, other = (WindField(Wind(5.0, 270.0, 2.0), seed) for seed in (1, 1, 2))
    assert (field.mean_e_mps, field.mean_n_mps) == pytest.approx((5.0, 0.0), abs=1e-9)
    samples = np.array([field.gust(t) for t in np.arange(0.0, 20000.0, 1.0)])
    assert samples.std(axis=0) == pytest.approx(2.0, rel=0.05)
    assert field.gust(12.3) == same.gust(12.3) != other.gust(12.3)
    assert sqrt(sum(v * v for v in field.push(0.0, 0.0, (0.0, 0.0), 0.01))) == 0.0
