"""What fence, battery and silence of the ground station do, by the values that each autopilot's manual gives them."""

from math import hypot

import pytest

from sim.errors import ConfigError
from sim.flight_by_hand import Sticks
from sim.flight_fence import Fence
from sim.flight_items import Item
from sim.flight_power import PowerModel
from sim.flight_state import Mode
from sim.protocol_params import from_wire, parameter_table, to_wire
from tests.sim.crafts import KINDS, every_kind
from tests.sim.wing_flights import FRAME, Craft, action, place

FAR = [place(0, 0, 60, 22), place(0, 9000, 60), action(20)]
FALLS, STAYS = "falls", "stays"


def fence(*shapes, inclusion=True):
    """Items of polygons of (east, north) corners."""
    items = []
    for shape in shapes:
        for corner in shape:
            lat, lon = FRAME.to_geodetic(*corner)
            number = 5001 if inclusion else 5002
            items.append(Item(number, 0, (float(len(shape)), 0, 0, 0), round(lat * 1e7), round(lon * 1e7), 0.0))
    return items


def square(e, n, half):
    return [(e - half, n - half), (e + half, n - half), (e + half, n + half), (e - half, n + half)]


def outcome(craft, most_s=60.0):
    """The mode that a failsafe has led to, or whether it falls or nothing happens."""
    begun = craft.flight.mode
    until = craft.flight.sortie_s + most_s
    # PX4 holds for some seconds before.
    while craft.flight.sortie_s < until and (craft.flight.mode == begun or craft.flight.demanded is not None):
        craft.step()
        if craft.flight.body.vu < -9.0:
            return FALLS
    return STAYS if craft.flight.mode == begun else craft.flight.mode


@pytest.mark.parametrize(
    ("autopilot", "frame", "params", "expected"),
    [
        ("ardupilot", "copter", {"FENCE_ACTION": 0}, STAYS),
        ("ardupilot", "copter", {"FENCE_ACTION": 1}, Mode.RTL),
        ("ardupilot", "copter", {"FENCE_ACTION": 2}, Mode.LAND),
        ("ardupilot", "copter", {"FENCE_ACTION": 4}, Mode.BRAKE),
        ("ardupilot", "plane", {"FENCE_ACTION": 0}, STAYS),
        ("ardupilot", "plane", {"FENCE_ACTION": 1}, Mode.RTL),
        ("ardupilot", "plane", {"FENCE_ACTION": 6}, Mode.GUIDED),
        ("ardupilot", "vtol", {"FENCE_ACTION": 7}, Mode.GUIDED),
        ("px4", "copter", {"GF_ACTION": 0}, STAYS),
        ("px4", "copter", {"GF_ACTION": 1}, STAYS),
        ("px4", "copter", {"GF_ACTION": 2}, Mode.LOITER),
        ("px4", "plane", {"GF_ACTION": 3}, Mode.RTL),
        ("px4", "vtol", {"GF_ACTION": 5}, Mode.LAND),
        ("px4", "copter", {"GF_ACTION": 4}, Mode.TERMINATION),  # terminated: told below
    ],
)
def test_leaving_the_fence(autopilot, frame, params, expected):
    enable = {"FENCE_ENABLE": 1.0, "FENCE_TYPE": 4.0} if autopilot == "ardupilot" else {}
    craft = Craft(autopilot, frame, FAR, params={**enable, **params})
    craft.flight.guard.load(fence(square(0, 0, 700.0)))
    craft.start().until(lambda flight: flight.body.n > 650.0)
    assert not any("fence breached" in text for text in craft.texts)
    assert outcome(craft, 30.0) == expected
    told = any("Polygon fence breached" in text for text in craft.texts)
    assert told is (params != {"GF_ACTION": 0})
    if params == {"GF_ACTION": 4}:
        craft.until(lambda flight: flight.landed, 60.0)
        assert any("Crash" in text for text in craft.texts)
    if expected == Mode.GUIDED:
        craft.until(lambda flight: hypot(flight.body.e, flight.body.n) < 120.0, 200.0)


def test_a_planes_return_from_the_fence_stays_in_it():
    craft = Craft("ardupilot", "plane", FAR, params={"FENCE_ENABLE": 1.0})
    craft.flight.guard.load(fence(square(0, 0, 700.0)))
    craft.start().until(lambda flight: flight.mode == Mode.RTL)
    out = craft.flight.body.n
    craft.until(lambda flight: hypot(flight.body.e, flight.body.n) < 100.0, 200.0)
    # Half a turn at the guidance's leisure before it is inside again.
    assert max(row[2] for row in craft.rows) - out < 120.0


def test_one_of_two_inclusions_is_not_enough():
    """Not for ArduPilot, and not for PX4 since 2025."""
    two = fence(square(0, 0, 100.0), square(150, 0, 100.0))
    params = {"FENCE_TYPE": 4.0}
    both, one, none = (75.0, 0.0), (-50.0, 0.0), (0.0, 500.0)
    held = Fence(two, FRAME)
    assert [held.breach(*at, 10.0, params)[0] for at in (both, one, none)] == [None, "Polygon", "Polygon"]
    # An exclusion keeps out whatever else there is.
    holed = Fence([*two, *fence(square(75, 0, 10.0), inclusion=False)], FRAME)
    assert holed.breach(*both, 10.0, params)[0] == "Polygon"


def test_a_fence_that_is_set_in_flight_acts():
    """A real PX4 (main of May 2026) beyond a new GF_MAX_HOR_DIST held at once, and returned after 5 s."""
    craft = Craft("px4", "copter", FAR, params={"GF_ACTION": 3.0})
    craft.start().until(lambda flight: flight.body.n > 100.0)
    craft.params["GF_MAX_HOR_DIST"] = 60.0
    since = craft.flight.sortie_s
    assert craft.until(lambda flight: flight.mode == Mode.LOITER) - since < 2.0
    assert craft.until(lambda flight: flight.mode == Mode.RTL) - since == pytest.approx(5.5, abs=1.0)


def test_distances_of_px4s_fence_are_off_at_zero():
    craft = Craft("px4", "copter", FAR, params={"GF_ACTION": 3.0, "GF_MAX_HOR_DIST": 400.0})
    craft.start().until(lambda flight: flight.mode == Mode.LOITER)
    assert craft.flight.body.n == pytest.approx(400.0, abs=5.0)
    craft = Craft("px4", "copter", FAR, params={"GF_ACTION": 3.0, "GF_MAX_VER_DIST": 40.0})
    craft.start().until(lambda flight: flight.mode == Mode.LOITER)
    assert craft.flight.body.u == pytest.approx(40.0, abs=1.0)
    craft = Craft("px4", "copter", FAR, params={"GF_ACTION": 3.0})
    assert outcome(craft.start(), 200.0) == STAYS


@pytest.mark.parametrize(
    ("autopilot", "frame", "params", "expected"),
    [
        ("ardupilot", "plane", {"BATT_FS_LOW_ACT": 0, "BATT_FS_CRT_ACT": 0}, STAYS),
        ("ardupilot", "plane", {"BATT_FS_LOW_ACT": 1}, Mode.RTL),
        ("ardupilot", "vtol", {"BATT_FS_LOW_ACT": 4}, Mode.LAND),
        ("px4", "copter", {"COM_LOW_BAT_ACT": 0}, STAYS),
        ("px4", "copter", {"COM_LOW_BAT_ACT": 2}, Mode.LAND),
        ("px4", "plane", {"COM_LOW_BAT_ACT": 3}, Mode.RTL),
    ],
)
def test_low_battery(autopilot, frame, params, expected):
    power = PowerModel(capacity_wh=60.0, low_pct=70.0, critical_pct=10.0)
    craft = Craft(autopilot, frame, FAR, params=params, power=power)
    assert outcome(craft.start(), 200.0) == expected
    if autopilot == "px4":
        # A warning comes first and does nothing.
        assert [text for text in craft.texts if "battery" in text][:2] == [
            "Low battery level",
            "Critical battery level",
        ]


def test_emergency_of_the_battery_ends_a_return_of_px4():
    power = PowerModel(capacity_wh=60.0, low_pct=70.0, critical_pct=55.0)
    craft = Craft("px4", "copter", FAR, params={"COM_LOW_BAT_ACT": 3.0, "MPC_XY_CRUISE": 10.0}, power=power).start()
    craft.until(lambda flight: flight.mode == Mode.LAND, 300.0)
    assert craft.modes[-2:] == [Mode.AUTO, Mode.RTL] or Mode.RTL in craft.modes
    assert "Emergency battery level" in craft.texts


@pytest.mark.parametrize(
    ("autopilot", "frame", "params", "expected"),
    [
        ("ardupilot", "copter", {"FS_GCS_ENABLE": 5}, Mode.LAND),
        ("ardupilot", "copter", {"FS_GCS_ENABLE": 7}, Mode.BRAKE),
        ("ardupilot", "plane", {"FS_GCS_ENABL": 1, "FS_LONG_ACTN": 0}, Mode.AUTO),
        ("ardupilot", "plane", {"FS_GCS_ENABL": 1, "FS_LONG_ACTN": 1}, Mode.RTL),
        ("px4", "vtol", {"NAV_DLL_ACT": 2}, Mode.RTL),
        ("px4", "copter", {"NAV_DLL_ACT": 1}, Mode.LOITER),
    ],
)
def test_lost_ground_station(autopilot, frame, params, expected):
    craft = Craft(autopilot, frame, FAR, params=params).start()
    craft.until(lambda flight: flight.body.n > 50.0)
    craft.flight.gcs_lost()
    craft.until(lambda flight: flight.demanded is None, 6.0)
    assert craft.flight.mode == expected


@pytest.mark.parametrize("chosen", [None, Mode.AUTO])
def test_px4_holds_before_it_returns_and_another_mode_may_be_chosen_then(chosen):
    """Seen on its main of May 2026: "entering Hold for 5 seconds", and then home; what lands goes on landing."""
    craft = Craft("px4", "copter", FAR, params={"GF_ACTION": 3.0, "GF_MAX_HOR_DIST": 400.0}).start()
    craft.until(lambda flight: flight.mode == Mode.LOITER)
    begun = craft.flight.sortie_s
    if chosen is not None:
        craft.until(lambda flight: flight.sortie_s > begun + 2.0)
        assert craft.flight.set_mode(chosen)
        craft.until(lambda flight: flight.sortie_s > begun + 8.0)
        assert craft.flight.mode == chosen
        return
    craft.until(lambda flight: flight.mode == Mode.RTL)
    assert craft.flight.sortie_s - begun == pytest.approx(5.0, abs=0.3)
    craft.flight.gcs_lost()
    assert craft.flight.demanded is None


@every_kind
def test_every_mode_that_a_failsafe_names_can_be_flown(kind):
    """In the air every mode of a dialect begins without an error and is flown for a minute."""
    craft = Craft(kind.autopilot, kind.frame, FAR).start()
    craft.until(lambda flight: flight.body.u > 50.0)
    craft.flight.steering.heard = True  # as if setpoints came, for OFFBOARD
    craft.flight.hands.sticks = Sticks()  # and somebody were at the sticks, for PX4's modes of them
    for row in craft.dialect.modes:
        if not row.chosen:
            assert craft.dialect.mode_of(row.number) is None
            continue
        assert craft.flight.set_mode(row.mode)
        assert craft.dialect.mode_of(row.number) == row.mode
        until = craft.flight.sortie_s + 5.0
        craft.until(lambda flight, end=until: flight.sortie_s > end or flight.landed)
    assert not any("Crash" in text for text in craft.texts)


@every_kind
def test_every_figure_that_a_flight_reads_comes_from_a_parameter_that_exists(kind):
    craft = Craft(kind.autopilot, kind.frame, FAR)
    figures = craft.flight.params
    assert all(isinstance(float(figures[name]), float) for name in figures)
    for level in craft.dialect.failsafes.battery:
        assert figures[level.charge] >= 0.0
        assert figures[level.action] >= 0.0
    if craft.dialect.idle_figure:
        assert figures[craft.dialect.idle_figure] > 0.0
    with pytest.raises(ConfigError, match="not simulated"):
        parameter_table(1, PowerModel(), {"WPNAV_SPED": 1.0}, craft.dialect)


@every_kind
def test_parameters_come_back_from_the_wire_as_they_went(kind):
    dialect = Craft(kind.autopilot, kind.frame, FAR).dialect
    for name, row in dialect.params.items():
        for value in (row.default, 7.0, -1.0):
            assert from_wire(to_wire(value, row.kind, dialect), row.kind, dialect) == pytest.approx(value), name
    assert from_wire(float("nan"), 9, dialect) is None


def test_the_kinds_of_the_tests_are_all_there_are():
    from sim.dialects import AUTOPILOTS, FRAMES

    assert {(kind.autopilot, kind.frame) for kind in KINDS} == {
        (autopilot, frame) for autopilot in AUTOPILOTS for frame in FRAMES if frame not in {"quad", "hexa", "octo"}
    }
