"""Flight on wings against closed forms: turns, guidance, wind, climb, energy, landing; and from rotors to wings."""

from itertools import pairwise
from math import atan, cos, degrees, exp, hypot, pi, radians, sin, sqrt, tan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.flight_power import PowerModel
from sim.flight_state import Mode
from sim.flight_wind import Wind
from sim.wing_body import Steer, WingBody
from sim.wing_guidance import L1
from tests.asked import few
from tests.sim.wing_flights import FRAME, HOME_AMSL_M, STEP_S, Craft, action, place
from tests.thin_air import thin

G = 9.80665
TAKEOFF, LOITER, TURNS, LOITER_TIME, TO_ALT, LAND, RTL = 22, 17, 18, 19, 31, 21, 20
VTOL_TAKEOFF, VTOL_LAND, SPEED, TRANSITION, LAND_START = 84, 85, 178, 3000, 189
PLANES = [("ardupilot", "plane"), ("px4", "plane")]
# True by equivalent airspeed at 60 m above the pad, where most of these fly.
THIN = thin(HOME_AMSL_M + 60.0)


def airspeed(mps):
    return action(SPEED, 0, mps, -1)


@given(st.floats(0.1, 1.1), st.sampled_from([-1.0, 1.0]), st.floats(12.0, 35.0))
@settings(max_examples=40, deadline=None)
def test_radius_of_a_turn_is_speed_squared_over_g_tan_bank(bank, side, speed):
    body = WingBody()
    body.place(0.0, 0.0, 0.0, 0.0)
    body.ve, body.vn = 0.0, speed
    points = []
    for n in range(1200):
        body.step(STEP_S, Steer((side * bank, speed, 0.0)), 0.0, (0.0, 0.0))
        if n > 200:
            points.append((body.e, body.n))
    e, n = np.array(points).T
    # The circle of least squares through the path: e² + n² = 2 a e + 2 b n + c.
    (a, b, c), *_ = np.linalg.lstsq(np.stack([2 * e, 2 * n, np.ones_like(e)], axis=1), e**2 + n**2, rcond=None)
    assert sqrt(c + a * a + b * b) == pytest.approx(speed**2 / (G * tan(bank)), rel=0.005)
    assert body.load == pytest.approx(1.0 / cos(bank), rel=1e-3)
    (e0, n0), (e1, n1), (e9, n9) = points[0], points[1], points[9]
    assert np.sign((e1 - e0) * (n9 - n0) - (n1 - n0) * (e9 - e0)) == -side


@pytest.mark.parametrize(("autopilot", "limit_deg"), [("ardupilot", 45.0), ("px4", 50.0)])
def test_a_reversal_is_flown_at_the_limit_of_bank(autopilot, limit_deg):
    mission = [place(0, 0, 60, TAKEOFF), airspeed(20.0), place(0, 1500, 60), place(5, 0, 60), action(RTL)]
    craft = Craft(autopilot, "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 4)
    first = len(craft.rows)
    craft.until(lambda flight: flight.body.vn < -19.5 * THIN)
    t = craft.table()
    bank = np.degrees(np.abs(t["bank"]))
    assert bank.max() == pytest.approx(limit_deg, abs=0.5)
    full = np.flatnonzero(bank[first:] > limit_deg - 0.2) + first
    # Half the circle between two headings a quarter apart, by the chord.
    yaw = np.unwrap(t["yaw"])
    rate = (yaw[full[-1]] - yaw[full[0]]) / (t["t"][full[-1]] - t["t"][full[0]])
    assert abs(20.0 * THIN / rate) == pytest.approx(400.0 * THIN**2 / (G * tan(radians(limit_deg))), rel=0.01)


@pytest.mark.parametrize(("autopilot", "frame"), PLANES)
@pytest.mark.parametrize("speed", [15.0, 24.0])
@pytest.mark.parametrize("radius", [60.0, 150.0, -100.0])
def test_circles_have_their_radius_and_the_bank_of_it(autopilot, frame, speed, radius):
    circle = place(0, 800, 60, LOITER, (0, 0, radius, 0))
    craft = Craft(autopilot, frame, [place(0, 0, 60, TAKEOFF), airspeed(speed), circle]).start()
    craft.until(lambda flight: flight.sortie_s > 170.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.sortie_s > 250.0)
    t = craft.table()
    # ArduPlane's is as much wider as the air asks for at the same bank; PX4 banks more.
    flown = abs(radius) * (THIN**2 if autopilot == "ardupilot" else 1.0)
    assert np.hypot(t["e"], t["n"] - 800.0) == pytest.approx(flown, abs=0.3)
    assert np.degrees(t["bank"]) == pytest.approx(
        np.copysign(degrees(atan((speed * THIN) ** 2 / (G * flown))), radius), abs=0.1
    )


@pytest.mark.parametrize("amsl_m", [0.0, 2000.0, 4000.0])
@pytest.mark.parametrize(
    ("params", "radius"),
    [
        ({}, lambda asked, wider: asked * wider),
        # With the bank that circles may take only as wide as that needs: 18 m/s and 30 degrees are 57.2 m at the sea.
        ({"NAVL1_LIM_BANK": 30.0}, lambda asked, wider: max(18.0**2 / (G * tan(radians(30.0))) * wider, asked)),
        # Which cannot be flown at the sea: as without.
        ({"NAVL1_LIM_BANK": 15.0}, lambda asked, wider: asked * wider),
    ],
)
def test_circles_of_arduplane_widen_with_thin_air(amsl_m, params, radius):
    circle = place(0, 900, 60, LOITER, (0, 0, 70.0, 0))
    craft = Craft("ardupilot", "plane", [place(0, 0, 60, TAKEOFF), circle], params=params, home=(FRAME, amsl_m)).start()
    craft.until(lambda flight: flight.sortie_s > 150.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.sortie_s > 200.0)
    t, faster = craft.table(), thin(amsl_m + 60.0)
    assert np.hypot(t["ve"], t["vn"]) == pytest.approx(18.0 * faster, rel=2e-4)
    assert np.hypot(t["e"], t["n"] - 900.0) == pytest.approx(radius(70.0, faster**2), rel=3e-3)


@pytest.mark.parametrize("way", ["mission", "order", "orbit", "return"])
def test_a_circle_in_thin_air_is_come_to_as_one_at_the_sea(way):
    """The circle is begun where it is flown, so that the turn on to it cuts inside by no greater a share of it."""
    nearest = {}
    for amsl_m in (0.0, 4000.0):
        mission = [place(0, 0, 60, TAKEOFF), place(0, 1400, 60, LOITER, (0, 0, 150.0, 0))]
        params = {"WP_LOITER_RAD": 150.0, "RTL_ALTITUDE": 60.0}
        craft = Craft("ardupilot", "plane", mission, params=params, home=(FRAME, amsl_m)).start()
        flight, centre = craft.flight, 1400.0
        if way != "mission":
            craft.until(lambda flight: flight.body.u > 55.0)
            if way == "order":
                flight.course.go_to((0.0, centre, 60.0))
            elif way == "orbit":
                flight.course.orbit((0.0, centre, 60.0), 150.0, 18.0, faces=False)
            else:
                craft.until(lambda flight: flight.body.n > 800.0)
                flight.course.go_home()
                centre = 0.0
        craft.rows.clear()
        for _ in range(round(120.0 / STEP_S)):
            craft.step()
        t, flown_m = craft.table(), 150.0 * thin(amsl_m + 60.0) ** 2
        away = np.hypot(t["e"], t["n"] - centre)
        assert away[-1] == pytest.approx(flown_m, rel=0.03)
        nearest[amsl_m] = away.min() / flown_m
    assert nearest[4000.0] == pytest.approx(nearest[0.0], abs=0.05)


def test_a_circle_in_wind_stays_near():
    circle = place(0, 800, 60, LOITER, (0, 0, 100.0, 0))
    craft = Craft("ardupilot", "plane", [place(0, 0, 60, TAKEOFF), airspeed(20.0), circle], wind=Wind(8.0, 270.0))
    craft.start().until(lambda flight: flight.sortie_s > 150.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.sortie_s > 300.0)
    t = craft.table()
    assert np.hypot(t["e"], t["n"] - 800.0) == pytest.approx(100.0 * THIN**2, abs=6.0)
    ground, through = np.hypot(t["ve"], t["vn"]), 20.0 * THIN
    assert ground.min() == pytest.approx(through - 8.0, abs=0.3)
    assert ground.max() == pytest.approx(through + 8.0, abs=0.3)


@pytest.mark.parametrize(
    ("autopilot", "period", "damping", "slack"), [("ardupilot", 17.0, 0.75, 0.06), ("px4", 10.0, 0.7, 0.1)]
)
def test_a_line_is_met_as_a_damped_oscillator(autopilot, period, damping, slack):
    """Park's law about a line is d'' + 2 z w d' + w² d = 0; what is off is the half second of the roll."""
    craft = Craft(autopilot, "plane", [place(0, 0, 60, TAKEOFF), place(0, 6000, 60)]).start()
    craft.until(lambda flight: flight.run.index == 2 and flight.body.n > 800.0)
    off = 15.0
    craft.flight.body.e = off
    start = craft.flight.sortie_s
    craft.rows.clear()
    craft.until(lambda flight: flight.sortie_s > start + 40.0)
    t = craft.table()
    w = 2.0 * pi / period
    wd = w * sqrt(1.0 - damping**2)
    expected = [off * exp(-damping * w * s) * (cos(wd * s) + damping * w / wd * sin(wd * s)) for s in t["t"] - start]
    assert np.abs(t["e"] - expected).max() < slack * off
    assert abs(t["e"][-1]) < 0.01


@pytest.mark.parametrize("from_deg", [0.0, 90.0, 180.0, 225.0])
@pytest.mark.parametrize(("autopilot", "frame"), PLANES)
def test_time_and_energy_of_a_leg_in_wind(autopilot, frame, from_deg):
    """Wind triangle, and the power of the drag polar: drag of the equivalent airspeed, overcome at the true one."""
    power = PowerModel(capacity_wh=4000.0, cruise_w=400.0, cruise_mps=18.0, induced_share=0.25)
    mission = [place(0, 0, 60, TAKEOFF), airspeed(21.0), place(0, 6000, 60)]
    craft = Craft(autopilot, frame, mission, wind=Wind(9.0, from_deg), power=power).start()
    craft.until(lambda flight: flight.body.n > 3000.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.body.n > 5500.0)
    t = craft.table()
    took, far = t["t"][-1] - t["t"][0], t["n"][-1] - t["n"][0]
    east, north = -9.0 * sin(radians(from_deg)), -9.0 * cos(radians(from_deg))
    through = 21.0 * THIN
    assert took == pytest.approx(far / (sqrt(through**2 - east**2) + north), rel=1e-3)
    assert np.abs(t["e"]).max() < 0.5
    ratio = 21.0 / 18.0
    watts = 400.0 * THIN * (0.75 * ratio**3 + 0.25 / ratio)
    assert (t["used_j"][-1] - t["used_j"][0]) / took == pytest.approx(watts, rel=1e-3)
    # It points into the wind: the crab angle.
    assert t["yaw"][-1] == pytest.approx(-np.arcsin(east / through), abs=0.002)


def test_a_turn_costs_the_square_of_its_load():
    power = PowerModel(capacity_wh=4000.0, cruise_w=400.0, cruise_mps=18.0, induced_share=0.5)
    craft = Craft(
        "ardupilot", "plane", [place(0, 0, 60, TAKEOFF), place(0, 800, 60, LOITER, (0, 0, 60, 0))], power=power
    )
    craft.start().until(lambda flight: flight.sortie_s > 170.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.sortie_s > 200.0)
    t = craft.table()
    square = 1.0 + (18.0**2 / (G * 60.0)) ** 2  # in the wider circle too
    watts = (t["used_j"][-1] - t["used_j"][0]) / (t["t"][-1] - t["t"][0])
    assert watts == pytest.approx(400.0 * THIN * (0.5 + 0.5 * square), rel=2e-3)


@pytest.mark.parametrize(
    ("autopilot", "rate", "climb", "sink"),
    [("ardupilot", "TECS_CLMB_MAX", 5.0, 5.0), ("px4", "FW_T_CLMB_MAX", 8.0, 2.0)],
)
def test_climb_and_sink_have_their_rates_and_cost(autopilot, rate, climb, sink):
    """PX4 takes off as steeply as it can, and descends at FW_T_SINK_R_SP."""
    power = PowerModel(capacity_wh=4000.0)
    mission = [place(0, 0, 300, TAKEOFF), place(0, 3000, 300), place(0, 3200, 60), place(0, 6000, 60)]
    craft = Craft(autopilot, "plane", mission, power=power).start()
    assert craft.params[rate] == climb
    craft.until(lambda flight: flight.body.u > 100.0)
    craft.rows.clear()
    craft.until(lambda flight: flight.body.u > 250.0)
    t = craft.table()
    assert t["vu"] == pytest.approx(climb, abs=0.02)
    watts = (t["used_j"][-1] - t["used_j"][0]) / (t["t"][-1] - t["t"][0])
    # The wing carries the same; the way is a little steeper than the airspeed that is counted.
    assert watts == pytest.approx(power.power_w(18.0, climb, 1.0), rel=0.15)
    assert watts > power.power_w(18.0, 0.0, 1.0) + 0.95 * climb * power.climb_w_per_mps - 0.12 * power.cruise_w
    craft.until(lambda flight: flight.body.n > 5800.0)
    assert craft.table()["vu"].min() == pytest.approx(-sink, abs=0.05)
    assert craft.flight.body.u == pytest.approx(60.0, abs=0.5)


@pytest.mark.parametrize(
    ("autopilot", "late_s", "early_m"), [("ardupilot", 3.0, 0.0), ("px4", 0.7 * 5.0, 0.7 * 10.0 * 18.0 / pi)]
)
@pytest.mark.parametrize("rise_m", [120.0, -120.0])
def test_a_slope_is_flown_late_by_the_time_constant_of_its_autopilot(autopilot, late_s, early_m, rise_m):
    """A first-order filter comes after a ramp by its time constant; so does what makes 0.7 of it good in 5 s."""
    mission = [
        place(0, 0, 200, TAKEOFF),
        place(0, 1500, 200),
        place(0, 3500, 200 + rise_m),
        place(0, 6000, 200 + rise_m),
    ]
    craft = Craft(autopilot, "plane", mission).start()
    craft.until(lambda flight: flight.body.n > 2700.0)
    share = (craft.flight.body.n - 1500.0) / (2000.0 - early_m)
    rate = rise_m / (2000.0 - early_m) * 18.0
    assert craft.flight.body.u == pytest.approx(200.0 + share * rise_m - late_s * rate, abs=0.4)


@pytest.mark.parametrize(("autopilot", "frame"), PLANES)
def test_before_a_leg_begins_the_height_of_its_beginning_is_held(autopilot, frame):
    """A leg is turned to before its waypoint: until that is passed, nothing of its slope is flown."""
    mission = [place(0, 0, 200, TAKEOFF), place(0, 1500, 200), place(1500, 3000, 380), place(3000, 3000, 380)]
    craft = Craft(autopilot, frame, mission).start()
    craft.until(lambda flight: flight.run.index == 3)
    before = sqrt(0.5) * (craft.flight.body.e + craft.flight.body.n - 1500.0)
    assert before < -15.0
    craft.until(lambda flight: flight.body.e + flight.body.n > 1500.0)
    assert craft.flight.body.u == pytest.approx(200.0, abs=0.3)


@pytest.mark.parametrize(
    ("least", "rise_m", "at_once"), [(15.0, 14.0, True), (15.0, 16.0, False), (0.0, 60.0, True), (10.0, 14.0, False)]
)
def test_arduplane_flies_a_slope_where_the_height_changes_by_alt_slope_min(least, rise_m, at_once):
    mission = [
        place(0, 0, 100, TAKEOFF),
        place(0, 1500, 100),
        place(0, 4500, 100 + rise_m),
        place(0, 6000, 100 + rise_m),
    ]
    craft = Craft("ardupilot", "plane", mission, params={"ALT_SLOPE_MIN": least}).start()
    craft.until(lambda flight: flight.body.n > 2250.0)
    there = craft.flight.body.u - 100.0
    assert there == pytest.approx(rise_m if at_once else rise_m / 4.0, abs=0.12 * rise_m)


def test_arduplane_climbs_at_once_where_it_is_low():
    """Below 20 m above home no slope is climbed (``setup_alt_slope``)."""
    for start, at_once in ((18.0, True), (30.0, False)):
        mission = [
            place(0, 0, start, TAKEOFF),
            place(0, 1500, start),
            place(0, 4500, start + 60),
            place(0, 6000, start + 60),
        ]
        craft = Craft("ardupilot", "plane", mission).start()
        craft.until(lambda flight: flight.body.n > 2250.0)
        assert (craft.flight.body.u > start + 50.0) == at_once


def test_a_climb_that_is_above_its_slope_begins_anew_from_there():
    """ALT_SLOPE_MAXHGT: what comes to the leg 40 m too high goes on from there, and does not sink to the slope."""
    mission = [place(0, 0, 100, TAKEOFF), place(0, 1500, 100), place(0, 4500, 220), place(0, 6000, 220)]
    for most, lowest in ((5.0, 139.0), (0.0, 125.0)):
        craft = Craft("ardupilot", "plane", mission, params={"ALT_SLOPE_MAXHGT": most}).start()
        craft.until(lambda flight: flight.run.index == 3 and flight.body.n > 1550.0)
        craft.flight.body.u = 140.0
        craft.rows.clear()
        craft.until(lambda flight: flight.body.n > 4000.0)
        assert (craft.table()["u"].min() > lowest) == (most > 0.0)


@pytest.mark.parametrize("rise_m", [-50.0, 50.0])
def test_arduplane_returns_down_a_slope_and_up_at_once(rise_m):
    mission = [place(0, 0, 100, TAKEOFF), place(0, 4000, 100)]
    craft = Craft("ardupilot", "plane", mission, params={"RTL_ALTITUDE": 100.0 + rise_m}).start()
    craft.until(lambda flight: flight.body.n > 3000.0)
    assert craft.flight.set_mode(Mode.RTL)
    craft.until(lambda flight: flight.body.n < 1500.0)
    there = craft.flight.body.u - 100.0
    assert there == (pytest.approx(50.0, abs=0.5) if rise_m > 0.0 else pytest.approx(-25.0, abs=4.0))


@pytest.mark.parametrize(("autopilot", "frame"), PLANES)
def test_airspeed_stays_in_its_range_whatever_is_asked(autopilot, frame):
    """PX4 flies the nearest that it may; ArduPlane goes on as before, as the real one did."""
    fast, slow = (26.0, 12.0) if autopilot == "px4" else (18.0, 18.0)
    mission = [place(0, 0, 60, TAKEOFF), airspeed(99.0), place(0, 2500, 60), airspeed(1.0), place(0, 6000, 60)]
    craft = Craft(autopilot, frame, mission).start()
    craft.until(lambda flight: flight.body.n > 2000.0)
    assert craft.flight.body.airspeed == pytest.approx(fast * THIN, abs=0.01)
    craft.until(lambda flight: flight.body.n > 5500.0)
    assert craft.flight.body.airspeed == pytest.approx(slow * THIN, abs=0.01)


def test_plane_ignores_a_ground_speed_and_px4_takes_it_for_an_airspeed():
    for autopilot, expected in (("ardupilot", 18.0), ("px4", 23.0)):
        craft = Craft(autopilot, "plane", [place(0, 0, 60, TAKEOFF), action(SPEED, 1, 23.0, -1), place(0, 4000, 60)])
        craft.start().until(lambda flight: flight.body.n > 2500.0)
        assert craft.flight.body.airspeed == pytest.approx(expected * THIN, abs=0.01)


@pytest.mark.parametrize("turn_deg", [20.0, 60.0, 90.0, 140.0])
def test_a_corner_begins_at_the_turn_distance_of_ardupilot(turn_deg):
    """min(WP_RADIUS, L1) a right angle or more, in proportion below it; L1 = damping period v / pi.

    WP_RADIUS is widened as circles are.
    """
    c, s = cos(radians(turn_deg)), sin(radians(turn_deg))
    mission = [place(0, 0, 60, TAKEOFF), place(0, 2000, 60), place(3000 * s, 2000 + 3000 * c, 60)]
    craft = Craft("ardupilot", "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 3)
    l1 = 0.75 * 17.0 * 18.0 * THIN / pi
    expected = min(90.0 * THIN**2, l1) * min(1.0, turn_deg / 90.0)
    assert 2000.0 - craft.flight.body.n == pytest.approx(expected, abs=1.5)


def test_an_acceptance_radius_is_obeyed_by_plane_and_only_widens_on_px4():
    ways = [place(0, 0, 60, TAKEOFF), place(0, 2000, 60, 16, (0, 10, 0, 0)), place(2000, 2000, 60)]
    begun = {}
    for autopilot, frame in PLANES:
        craft = Craft(autopilot, frame, ways).start()
        craft.until(lambda flight: flight.run.index == 3)
        begun[autopilot] = 2000.0 - craft.flight.body.n
    assert begun["ardupilot"] == pytest.approx(10.0, abs=1.0)
    assert begun["px4"] == pytest.approx(0.7 * 10.0 * 18.0 * THIN / pi, abs=1.5)


@pytest.mark.parametrize(("autopilot", "frame"), PLANES)
@pytest.mark.parametrize("wind", [Wind(), Wind(6.0, 340.0, 1.0)], ids=["calm", "head wind, gusts"])
def test_takes_off_flies_and_lands(autopilot, frame, wind):
    mission = [
        place(0, 0, 60, TAKEOFF), place(0, 1500, 60), place(800, 1500, 80), place(800, -900, 80),
        place(0, -900, 60), action(LAND_START), place(0, -600, 60), place(0, 0, 0, LAND),
    ]  # fmt: skip
    craft = Craft(autopilot, frame, mission, wind=wind).start()
    t = craft.down()
    # ArduPlane says nothing of its landing.
    assert [seq for _, seq in craft.reached] == [1, 2, 3, 4, 5, 6, 7, *([8] if autopilot == "px4" else [])]
    run = t["u"] == 0.0
    first = int(np.flatnonzero(~run)[0])
    # It leaves the ground at 0.8 of cruise, as it is measured, and not before: v²/2a of runway in still air.
    if wind.speed_mps == 0.0:
        assert t["n"][first] == pytest.approx((0.8 * 18.0 * thin(HOME_AMSL_M)) ** 2 / (2 * 2.5), rel=0.05)
    assert hypot(t["e"][-1], t["n"][-1]) < 40.0
    touch = np.flatnonzero(~run)[-1]
    assert -1.0 < t["vu"][touch] < 0.0
    assert not any("Crash" in text for text in craft.texts)
    assert t["airspeed"][first:touch].min() > 11.0


def test_loiter_commands_end_when_they_say():
    mission = [
        place(0, 0, 60, TAKEOFF), place(0, 900, 60, TURNS, (2, 0, 80, 0)),
        place(0, 1800, 60, LOITER_TIME, (30, 0, 80, 0)), place(0, 2700, 120, TO_ALT, (0, 80, 0, 0)),
        place(0, 6000, 120),
    ]  # fmt: skip
    craft = Craft("ardupilot", "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 5)
    t, times = craft.table(), {seq: s for s, seq in craft.reached}
    on_circle = (t["item"] == 2) & (np.abs(np.hypot(t["e"], t["n"] - 900.0) - 80.0 * THIN**2) < 10.0)
    bearing = np.unwrap(np.arctan2(t["e"][on_circle], t["n"][on_circle] - 900.0))
    assert bearing[-1] - bearing[0] == pytest.approx(4.0 * pi, abs=0.5)
    # It counts from a tenth and a metre outside of its circle.
    there = t["t"][(t["item"] == 3) & (np.hypot(t["e"], t["n"] - 1800.0) < 88.0 * THIN**2 + 1.0)][0]
    assert times[3] - there == pytest.approx(30.0, abs=1.0)
    assert craft.flight.body.u == pytest.approx(120.0, abs=1.5)


def test_return_of_a_plane_circles_unless_there_is_a_way_in():
    out = [place(0, 0, 60, TAKEOFF), place(0, 1500, 60), action(RTL)]
    craft = Craft("ardupilot", "plane", out).start()
    craft.until(lambda flight: flight.sortie_s > 900.0)
    assert craft.modes[-1] == Mode.RTL
    assert craft.flight.body.u == pytest.approx(100.0, abs=0.5)  # RTL_ALTITUDE
    assert hypot(craft.flight.body.e, craft.flight.body.n) == pytest.approx(
        60.0 * thin(HOME_AMSL_M + 100.0) ** 2, abs=0.5
    )

    craft = Craft("px4", "plane", out).start()
    craft.until(lambda flight: flight.sortie_s > 900.0)
    assert craft.flight.body.u == pytest.approx(100.0, abs=0.5)  # RTL_RETURN_ALT
    assert hypot(craft.flight.body.e, craft.flight.body.n) == pytest.approx(80.0, abs=0.5)

    # Over a rally point too, at the height of return above that of the point.
    craft = Craft("px4", "plane", out).start()
    craft.flight.course.rally_items = [place(0, 900, 20, 5100)]
    craft.until(lambda flight: flight.sortie_s > 900.0)
    assert craft.flight.body.u == pytest.approx(120.0, abs=0.5)
    assert hypot(craft.flight.body.e, craft.flight.body.n - 900.0) == pytest.approx(80.0, abs=0.5)

    craft = Craft("px4", "plane", out, params={"RTL_LAND_DELAY": 0.0, "RTL_DESCEND_ALT": 30.0}).start()
    t = craft.down()
    assert hypot(t["e"][-1], t["n"][-1]) < 150.0
    # On the ground PX4 leaves the mode in which it came home.
    assert craft.modes == [Mode.AUTO, Mode.RTL, Mode.AUTO]


def test_px4_goes_round_a_place_until_it_is_near_it_in_height():
    """Seen on PX4 main of May 2026; ArduPlane flies on (120 m up on 400 m at 3 m/s are not to be had)."""
    mission = [place(0, 0, 60, TAKEOFF), place(0, 1000, 60), place(0, 1400, 180), place(0, 3000, 180), action(RTL)]
    craft = Craft("px4", "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 4)
    t = craft.table()
    last = t["item"] == 3
    assert t["u"][last][-1] == pytest.approx(170.0, abs=1.0)  # NAV_FW_ALT_RAD, 10 m
    turned = np.abs(np.diff(np.unwrap(t["yaw"][last]))).sum()
    assert turned > pi
    away = np.hypot(t["e"], t["n"] - 1400)[last]
    assert away[len(away) // 2 :].max() < 110.0  # NAV_LOITER_RAD, 80 m
    craft = Craft("ardupilot", "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 4)
    t = craft.table()
    assert np.abs(np.diff(np.unwrap(t["yaw"][t["item"] == 3]))).sum() < 0.5


@pytest.mark.parametrize(("north_m", "circles"), [(1500, True), (-1500, False)])
def test_a_plane_of_px4_returns_to_its_landing_or_a_rally_point_whichever_is_nearer(north_m, circles):
    """Where it has a rally point to circle over that is nearer than its landing, it never lands (rtl.cpp)."""
    mission = [place(0, 0, 60, TAKEOFF), place(0, 1500, 60), action(RTL), action(LAND_START), place(0, -900, 40),
               place(0, 0, 0, LAND)]  # fmt: skip
    craft = Craft("px4", "plane", mission).start()
    craft.flight.course.rally_items = [place(0, north_m, 0, 5100)]
    craft.until(lambda flight: flight.sortie_s > 1200.0 or not flight.armed)
    assert craft.flight.armed is circles


@pytest.mark.parametrize(
    ("autopilot", "params", "modes", "by_home"),
    [
        # To ArduPilot the return lasts no step of its own, where it does not go home first.
        ("ardupilot", {"RTL_AUTOLAND": 2.0}, [Mode.AUTO], False),
        ("ardupilot", {"RTL_AUTOLAND": 1.0, "RTL_ALTITUDE": 90.0}, [Mode.AUTO, Mode.RTL, Mode.AUTO], True),
        ("px4", {}, [Mode.AUTO, Mode.RTL, Mode.AUTO], False),
    ],
)
def test_return_goes_on_with_the_landing_of_the_mission(autopilot, params, modes, by_home):
    mission = [
        place(0, 0, 60, TAKEOFF), place(0, 2500, 60), place(900, 2500, 60), action(LAND_START),
        place(0, -700, 60), place(0, 0, 0, LAND),
    ]  # fmt: skip
    craft = Craft(autopilot, "plane", mission, params=params).start()
    craft.until(lambda flight: flight.run.index == 2 and flight.body.n > 1000.0)
    assert craft.flight.set_mode(Mode.RTL)
    t = craft.down()
    assert craft.modes == modes
    assert t["n"].max() < 1300.0
    assert hypot(t["e"][-1], t["n"][-1]) < 40.0
    # Over home, at the height of the return, before the landing.
    returned = (t["n"] < 150.0) & (t["u"] > 85.0) & (np.abs(t["e"]) < 150.0)
    assert returned.any() == by_home


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_it_goes_on_with_its_landing_when_it_is_told(autopilot):
    mission = [
        place(0, 0, 60, TAKEOFF), place(0, 2500, 60), place(900, 2500, 60), action(LAND_START),
        place(0, -700, 60), place(0, 0, 0, LAND),
    ]  # fmt: skip
    craft = Craft(autopilot, "plane", mission).start()
    craft.until(lambda flight: flight.run.index == 2 and flight.body.n > 1000.0)
    assert craft.flight.land_by_mission()
    t = craft.down()
    assert craft.modes == [Mode.AUTO]
    assert t["n"].max() < 1300.0
    assert hypot(t["e"][-1], t["n"][-1]) < 40.0
    without = Craft(autopilot, "plane", mission[:3]).start()
    without.until(lambda flight: flight.run.index == 2)
    assert not without.flight.land_by_mission()


@pytest.mark.parametrize(
    ("autopilot", "params"), [("ardupilot", {"Q_RTL_MODE": 1.0}), ("px4", {})], ids=["ardupilot", "px4"]
)
def test_vtol_goes_over_to_wings_and_back(autopilot, params):
    mission = [
        place(0, 0, 60, VTOL_TAKEOFF), airspeed(20.0), place(0, 1500, 60), place(800, 1500, 80), action(RTL),
    ]  # fmt: skip
    craft = Craft(autopilot, "vtol", mission, params=params, wind=Wind(4.0, 90.0)).start()
    t = craft.down()
    on_wings = t["load"] > 0.0
    first, last = np.flatnonzero(on_wings)[[0, -1]]
    assert on_wings[first : last + 1].all()
    # Straight up first; over to wings at height, as soon as they carry.
    assert hypot(t["e"][:first].max(), t["n"][:first].max()) < 60.0
    assert t["u"][first] == pytest.approx(60.0, abs=2.5)
    assert t["airspeed"][first] == pytest.approx(12.0 * THIN, abs=0.5)
    # Back over home, then straight down.
    # The wings leave room to brake at 2 m/s² (more in the wind from behind), and home is not overrun.
    stop = (18.0 * THIN) ** 2 / (2 * 2.0)
    assert stop < hypot(t["e"][last], t["n"][last]) < stop + 60.0
    assert np.diff(np.hypot(t["e"][last:], t["n"][last:])).max() < 0.15
    low = t["t"] > t["t"][last] + 60.0
    assert np.hypot(t["e"][low], t["n"][low]).max() < 2.0
    assert craft.modes == [Mode.AUTO, Mode.RTL, Mode.HOVER_RTL if autopilot == "ardupilot" else Mode.AUTO]
    assert not any("Crash" in text for text in craft.texts)


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_vtol_lands_in_its_mission(autopilot):
    mission = [place(0, 0, 60, VTOL_TAKEOFF), place(0, 1500, 60), place(300, 900, 0, VTOL_LAND)]
    craft = Craft(autopilot, "vtol", mission).start()
    t = craft.down()
    assert hypot(t["e"][-1] - 300.0, t["n"][-1] - 900.0) < 1.0
    assert (t["load"] > 0.0).any()
    assert t["load"][t["u"] < 40.0].max() == 0.0


def test_plain_take_off_leaves_px4_on_its_rotors_and_ardupilot_goes_over():
    """NAV_TAKEOFF: PX4 flies the mission as a multirotor until a transition; ArduPilot goes to places on wings."""
    mission = [place(0, 0, 60, TAKEOFF), place(0, 900, 60), action(RTL)]
    wings = {}
    for autopilot in ("ardupilot", "px4"):
        craft = Craft(autopilot, "vtol", mission, params={"Q_RTL_MODE": 1.0} if autopilot == "ardupilot" else {})
        wings[autopilot] = bool((craft.start().down()["load"] > 0.0).any())
    assert wings == {"ardupilot": True, "px4": False}


def test_transitions_in_a_mission_are_obeyed():
    mission = [
        place(0, 0, 40, TAKEOFF), place(0, 300, 40), action(TRANSITION, 4), place(1200, 300, 40), action(TRANSITION, 3),
        place(1500, 300, 40), action(RTL),
    ]  # fmt: skip
    craft = Craft("px4", "vtol", mission).start()
    t = craft.down()
    by_item = {int(k): t["load"][t["item"] == k] for k in (1, 2, 4, 6)}
    assert by_item[1].max() == by_item[2].max() == by_item[6][40:].max() == 0.0
    assert by_item[4][-1] > 0.0
    used = {k: np.diff(t["used_j"][t["item"] == k]).mean() / STEP_S for k in (2, 4)}
    assert used[4] > craft.power.power_w(18.0, 0.0, 1.0) * 0.8
    assert used[2] > craft.power.hover_w


def test_wings_in_the_wind_of_the_moment_are_carried_by_it():
    """Ground velocity is velocity through the air plus wind, gusts too, at every step."""
    craft = Craft("ardupilot", "plane", [place(0, 0, 60, TAKEOFF), place(0, 3000, 60)], wind=Wind(6.0, 200.0, 2.0))
    craft.start().until(lambda flight: flight.body.u > 50.0)
    flight = craft.flight
    for _ in range(400):
        craft.step()
        gust = flight.wind.gust(flight.sortie_s)
        air = (flight.body.ve - flight.wind.mean_e_mps - gust[0], flight.body.vn - flight.wind.mean_n_mps - gust[1])
        assert hypot(*air, flight.body.vu) == pytest.approx(flight.body.airspeed, abs=1e-6)


@given(
    st.floats(-400, 400), st.floats(-400, 400), st.floats(-pi, pi), st.floats(12, 30), st.booleans(), st.floats(50, 200)
)
@settings(max_examples=few(60), deadline=None)
def test_guidance_comes_on_to_any_circle_from_anywhere(e, n, yaw, speed, clockwise, radius):
    """A point that obeys the guidance without limits or lag ends on the circle, on the right side round."""
    radius = max(radius, speed**2 / G)
    law = L1(17.0, 0.75)
    for _ in range(int(300 / 0.05)):
        velocity = (speed * sin(yaw), speed * cos(yaw))
        lateral = law.circle((e, n), velocity, (0.0, 0.0), radius, clockwise=clockwise)
        yaw += max(-15.0, min(15.0, lateral)) / speed * 0.05
        e, n = e + velocity[0] * 0.05, n + velocity[1] * 0.05
    assert hypot(e, n) == pytest.approx(radius, rel=0.02)
    turn = (e * velocity[1] - n * velocity[0]) / (hypot(e, n) * speed)
    assert turn == pytest.approx(-1.0 if clockwise else 1.0, abs=0.02)


def test_time_of_a_flight_does_not_depend_on_the_order_of_looking():
    """Two of one seed fly the same path to the last bit; another seed does not."""
    mission = [place(0, 0, 60, TAKEOFF), place(0, 1200, 60), place(500, 1200, 60)]
    paths = []
    for _ in range(2):
        craft = Craft("px4", "plane", mission, wind=Wind(5.0, 30.0, 1.5)).start()
        craft.until(lambda flight: flight.run.index == 3)
        paths.append([row[:4] for row in craft.rows])
    assert paths[0] == paths[1]
    assert all(b[0] > a[0] for a, b in pairwise(paths[0]))


def turned(rows, since_s):
    """Which way round it has gone since a time: positive clockwise."""
    t, yaw = np.array([row[0] for row in rows]), np.unwrap([row[12] for row in rows])
    late = t > since_s
    return float(np.sign(yaw[late][-1] - yaw[late][0]))


@pytest.mark.parametrize(
    ("autopilot", "params", "by_item", "by_mode"),
    [
        ("px4", {"NAV_LOITER_RAD": -80.0}, 1.0, -1.0),
        ("px4", {"NAV_LOITER_RAD": 80.0}, 1.0, 1.0),
        ("ardupilot", {"WP_LOITER_RAD": -60.0}, -1.0, -1.0),
    ],
)
def test_the_side_on_which_wings_go_round(autopilot, params, by_item, by_mode):
    """An item without a radius is flown round clockwise by PX4, whatever its parameter says (mission_block.cpp)."""
    out = [place(0, 0, 60, 22), place(0, 600, 60), place(0, 900, 60, 19, (60.0,)), place(0, 1200, 60), action(20)]
    craft = Craft(autopilot, "plane", out, params=params).start()
    craft.until(lambda flight: flight.body.n > 750.0)
    began = craft.flight.sortie_s
    craft.until(lambda flight: flight.sortie_s > began + 40.0)
    assert turned(craft.rows, began + 20.0) == by_item
    assert craft.flight.set_mode(Mode.LOITER)
    craft.until(lambda flight: flight.sortie_s > began + 100.0)
    assert turned(craft.rows, began + 80.0) == by_mode


@pytest.mark.parametrize(("autopilot", "most"), [("ardupilot", "AIRSPEED_MAX"), ("px4", "FW_AIRSPD_MAX")])
@pytest.mark.parametrize("most_m_s", [24.1, 26.1, 27.3])
def test_its_greatest_airspeed_is_flown_as_the_mission_brings_it(autopilot, most, most_m_s):
    """A mission and a parameter come in 32 bits: there 26.1 is a little more than 26.1."""
    items = [place(0, 0, 60, TAKEOFF), airspeed(float(np.float32(most_m_s))), place(0, 2500, 60)]
    craft = Craft(autopilot, "plane", items, params={most: most_m_s}).start()
    craft.until(lambda flight: flight.body.n > 2000.0)
    assert craft.flight.body.airspeed == pytest.approx(most_m_s * THIN, abs=0.01)
