"""What faults do to vehicles, seen on the wire by an independent client, and in the record of what truly happened."""

import csv
import itertools
import time
from math import cos, radians, sqrt

import pytest

import sim
from sim.dialect_ardupilot import ARDUCOPTER
from sim.flight_body import Body
from sim.flight_estimate import Estimate
from sim.flight_frame import FlightFrame
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import (
    ACCEPTED,
    HOME,
    RTL,
    Client,
    fleet,
    home_item,
    item,
    small_mission,
    takeoff,
    vehicle,
    waypoint,
)

FAILED = 4
ARM, SET_MODE, START, RETURN = 400, 176, 300, 20
STABILIZE, AUTO, GUIDED, LOITER, RTL_MODE, LAND_MODE = 0, 3, 4, 5, 6, 9
POSITION, EKF, GPS_RAW, SYS_STATUS, BATTERY, BOOT_TIME, ATTITUDE, HUD = 33, 193, 24, 1, 147, 2, 30, 74
NORTH_M_PER_E7 = 110_890.0 / 1e7


def far_mission(lat=31.37):
    return [home_item(), takeoff(30.0), waypoint(31.341, -110.94, 30.0), waypoint(lat, -110.94, 30.0), item(RTL)]


def faulty(*faults, **changes):
    return vehicle(faults=sim.Faults(listed=faults), **changes)


def rows_of(folder, sysid=1):
    with (folder / f"vehicle-{sysid}-sortie-1.csv").open() as file:
        return [{k: v if k == "mode" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def mode_is(mode):
    return lambda m: m.custom_mode == mode


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_cut_link_is_silent_for_its_time_and_only_for_the_vehicle_named():
    cut = sim.LinkCut(vehicles=(1,), event="item 2", from_s=5.0, to_s=35.0)
    with (
        fleet(vehicles=2, faults=sim.Faults(listed=(cut,)), speedup=20.0) as endpoints,
        Client(endpoints[0]) as cut_off,
        Client(endpoints[1]) as other,
    ):
        assert cut_off.upload(far_mission()) == 0
        cut_off.stream(POSITION)
        other.stream(POSITION)
        cut_off.arm_and_start()
        cut_off.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == 2)
        heard = {cut_off: [], other: []}  # when each was where it says, by its own clock
        end = time.monotonic() + 30.0
        while not (gaps := [(a, b) for a, b in itertools.pairwise(heard[cut_off]) if b > a + 5_000]):
            assert time.monotonic() < end, "it was never silent, or for ever"
            for client, times in heard.items():
                at = [m.time_boot_ms for m in client.messages(0.05) if m.get_type() == "GLOBAL_POSITION_INT"]
                times.extend(at)
        ((last, after),) = gaps
        # A fleet that was stopped makes up for a quarter of a second of the wall, in which nobody hears of it.
        assert after - last == pytest.approx(30_000, abs=11_000)
        assert [at for at in heard[other] if last + 5_000 < at < after - 5_000]


def test_orders_that_are_sent_into_a_cut_are_lost():
    with faulty(sim.LinkCut(direction="up", from_s=20.0, to_s=100.0), speedup=20.0) as client:
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 21_000)
        client.timeout_s = 0.4
        with pytest.raises(AssertionError, match="COMMAND_ACK"):
            client.command(SET_MODE, 1, LOITER)
        client.timeout_s = 10.0
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 101_000)
        assert client.command(SET_MODE, 1, LOITER) == ACCEPTED


def test_delay_is_the_round_trip_in_simulated_time():
    with faulty(sim.Delay(delay_s=2.0), speedup=10.0) as client:
        begin = time.monotonic()
        assert client.command(SET_MODE, 1, LOITER) == ACCEPTED
        assert time.monotonic() - begin >= 0.4  # a busy machine adds its own


def test_duplicates_carry_the_same_sequence_number():
    with faulty(sim.Duplication(probability=1.0, direction="down"), speedup=100.0) as client:
        client.stream(ATTITUDE)
        seen = [m.get_seq() for m in itertools.islice(client.messages(30.0), 40)]
    assert len(seen) == 40
    assert all(a == b for a, b in zip(seen[2:-2:2], seen[3:-1:2], strict=False)) or all(
        a == b for a, b in zip(seen[3:-2:2], seen[4:-1:2], strict=False)
    )


def test_reordered_datagrams_come_late_but_come():
    with faulty(sim.Reordering(probability=0.3, by=2, direction="down"), speedup=100.0) as client:
        client.stream(ATTITUDE)
        seen = [m.get_seq() for m in itertools.islice(client.messages(30.0), 40)][:-5]
    turns = sum((b - a) % 256 > 128 for a, b in itertools.pairwise(seen))
    assert turns > 0
    assert len(set(seen)) >= max(seen) - min(seen) - 4


# --- position --------------------------------------------------------------------------------------------------------


def test_lost_gps_is_bridged_then_lands_with_the_wind(tmp_path):
    lost = sim.GpsLoss(event="item 2", from_s=10.0)
    wind = sim.Wind(4.0, 270.0)
    with faulty(lost, speedup=20.0, wind=wind, record_dir=tmp_path) as client:
        assert client.upload(far_mission()) == 0
        client.stream(POSITION, EKF, GPS_RAW)
        client.arm_and_start()
        client.wait("GPS_RAW_INT", where=lambda m: m.fix_type == 1)
        # The filter bridges it: there is still a position.
        assert client.wait("EKF_STATUS_REPORT").flags & 0x10
        gone = client.wait("EKF_STATUS_REPORT", where=lambda m: not m.flags & 0x10)
        assert gone.flags & 0x80
        client.wait("HEARTBEAT", where=mode_is(LAND_MODE))
        assert {"EKF variance", "EKF Failsafe: changed to LAND Mode"} <= {*client.texts}
        stale = client.wait("GLOBAL_POSITION_INT")
        assert stale.lat > 313400000
        assert client.command(SET_MODE, 1, RTL_MODE) == FAILED
        still = client.wait("GLOBAL_POSITION_INT")
        assert (still.lat, still.lon) == (stale.lat, stale.lon)
        assert still.relative_alt < stale.relative_alt
        client.wait_text("Disarming")
    rows = rows_of(tmp_path)
    landing = [r for r in rows if r["mode"] == "LAND"]
    # With the wind from the west it lands east of its line; no crash.
    east_m = (landing[-1]["lon_deg"] - landing[0]["lon_deg"]) * 111_320.0 * cos(radians(31.35))
    down_s = next(r["t_s"] for r in landing if r["amsl_m"] == HOME[2]) - landing[0]["t_s"]
    assert east_m == pytest.approx(4.0 * down_s, rel=0.1)
    assert not any("Crash" in text for text in client.texts)


def test_a_short_loss_of_gps_costs_nothing():
    with faulty(sim.GpsLoss(event="item 2", from_s=2.0, to_s=11.0), speedup=100.0) as client:
        assert client.upload(far_mission(31.345)) == 0
        client.stream(GPS_RAW)
        client.arm_and_start()
        client.wait("GPS_RAW_INT", where=lambda m: m.fix_type == 1)
        client.wait("GPS_RAW_INT", where=lambda m: m.fix_type == 6)
        client.wait_text("Disarming")
    assert client.reached[-1] == 4
    assert not any("EKF" in text for text in client.texts)


def test_gps_that_comes_back_gives_a_position_again():
    with faulty(sim.GpsLoss(from_s=5.0, to_s=80.0), speedup=20.0) as client:
        client.stream(EKF)
        client.wait("EKF_STATUS_REPORT", where=lambda m: not m.flags & 0x10)
        assert client.command(SET_MODE, 1, GUIDED) == FAILED
        client.ready()
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED


def test_a_mode_that_needs_no_position_goes_on_without():
    with faulty(sim.GpsLoss(event="item 2", from_s=2.0), speedup=20.0) as client:
        assert client.upload(far_mission()) == 0
        client.arm_and_start()
        client.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == 2)
        assert client.command(SET_MODE, 1, STABILIZE) == ACCEPTED
        client.wait_text("EKF variance")
        client.wait_text("Disarming")
    assert not any("Failsafe" in text for text in client.texts)


def test_a_glitch_is_not_believed_at_first_then_flown_by(tmp_path):
    glitch = sim.GpsGlitch(event="item 2", from_s=5.0, north_m=0.0, east_m=80.0)
    with faulty(glitch, speedup=25.0, record_dir=tmp_path) as client:
        assert client.upload(far_mission(31.35)) == 0
        client.stream(POSITION, GPS_RAW)
        client.arm_and_start()
        raw = client.wait("GPS_RAW_INT", where=lambda m: abs(m.lon + 1109400000) > 4000)
        believed = client.wait("GLOBAL_POSITION_INT")
        assert abs(believed.lon + 1109400000) < 200
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.lon - believed.lon > 4000)
        # It believes itself 80 m too far east and flies back to its line.
        client.wait("GLOBAL_POSITION_INT", where=lambda m: abs(m.lon + 1109400000) < 200)
        client.wait_text("Disarming", timeout_s=60.0)
    assert (raw.lon + 1109400000) * 1e-7 * 111_320.0 * cos(radians(31.35)) == pytest.approx(80.0, abs=1.0)
    landed = rows_of(tmp_path)[-1]
    west_m = (-110.94 - landed["lon_deg"]) * 111_320.0 * cos(radians(31.34))
    assert west_m == pytest.approx(80.0, abs=0.5)


def test_belief_and_truth_differ_by_the_error_and_nothing_else():
    body, estimate = Body(), Estimate(ARDUCOPTER)
    frame = FlightFrame(31.0, -110.0)
    truth = estimate.true_place(body, frame)
    estimate.glitch = (30.0, -40.0)
    for _ in range(99):
        estimate.step(0.1, body)
    assert (body.e, body.n) == (0.0, 0.0)
    for _ in range(5):
        estimate.step(0.1, body)
    assert (body.e, body.n) == (30.0, -40.0)
    assert estimate.true_place(body, frame) == pytest.approx(truth, abs=1e-12)
    estimate.glitch = (0.0, 0.0)
    for _ in range(105):
        estimate.step(0.1, body)
    assert (body.e, body.n, estimate.error) == (0.0, 0.0, (0.0, 0.0))


# --- airframe --------------------------------------------------------------------------------------------------------


def test_a_gust_pushes_and_dies(tmp_path):
    gust = sim.WindGust(event="item 2", from_s=5.0, to_s=15.0, speed_mps=15.0, from_deg=270.0)
    with faulty(gust, speedup=200.0, record_dir=tmp_path) as client:
        assert client.upload(far_mission(31.36)) == 0
        client.arm_and_start()
        client.wait_text("Disarming")
    rows = [r for r in rows_of(tmp_path) if r["item"] == 3]
    off_m = [(r["lon_deg"] + 110.94) * 111_320.0 * cos(radians(31.35)) for r in rows]
    begin_s = rows[0]["t_s"]
    before = [abs(o) for o, r in zip(off_m, rows, strict=True) if r["t_s"] < begin_s + 4.5]
    during = [o for o, r in zip(off_m, rows, strict=True) if begin_s + 5 < r["t_s"] < begin_s + 16]
    assert max(before) < 0.1
    assert max(during) > 0.5  # pushed east by a wind from the west
    assert abs(off_m[-1]) < 0.1


def test_a_storm_draws_more_current_than_a_message_holds_and_the_vehicle_speaks_on():
    """The largest 16 bits hold: 327.67 A. In the strongest gust there is a vehicle still speaks, and comes down."""
    gust = sim.WindGust(event="item 2", from_s=2.0, to_s=12.0, speed_mps=40.0, from_deg=0.0)
    with faulty(gust, speedup=20.0) as client:
        assert client.upload(far_mission(31.36)) == 0
        client.stream(BATTERY)
        client.arm_and_start()
        most = client.wait("BATTERY_STATUS", where=lambda m: m.current_battery == 32767)
        assert most.battery_remaining >= 0
        client.wait_text("Disarming")


def test_a_quad_without_a_motor_falls_and_stays_a_wreck(tmp_path):
    with faulty(sim.MotorFailure(event="item 2", from_s=5.0), speedup=100.0, record_dir=tmp_path) as client:
        assert client.upload(far_mission()) == 0
        client.stream(POSITION)
        client.arm_and_start()
        client.wait_text("Crash: Disarming")
        client.wait("HEARTBEAT", where=lambda m: not m.base_mode & 128)
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(ARM, 1) == FAILED
        assert any("wrecked" in text for text in client.texts)
        down = client.wait("GLOBAL_POSITION_INT")
        assert down.relative_alt == 0
        assert down.lat > 313410000
    rows = rows_of(tmp_path)
    heights = [r["amsl_m"] for r in rows]
    falling = [r["t_s"] for r in rows if r["mode"] == "LAND" and r["amsl_m"] > HOME[2]]
    assert heights[-1] < HOME[2] + 3.1  # the last fifth of a second of the fall
    assert falling[-1] - falling[0] < 10.0


def test_orders_do_not_stop_a_fall():
    mission = [home_item(), takeoff(90.0), waypoint(31.36, -110.94, 90.0), item(RTL)]
    with faulty(sim.MotorFailure(event="item 1", from_s=5.0), speedup=10.0, params={"WPNAV_SPEED_UP": 2000}) as client:
        assert client.upload(mission) == 0
        client.stream(POSITION)
        client.arm_and_start()
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.vz > 300)
        for mode in (RTL_MODE, LOITER, AUTO):
            client.command(SET_MODE, 1, mode)
        client.wait_text("Crash: Disarming")


def test_a_hexa_without_a_motor_flies_home_on_more_power():
    fault = sim.MotorFailure(event="item 2", from_s=20.0)
    pilot = Pilot(lockstep(frame="hexa", faults=sim.Faults(listed=(fault,))))
    assert pilot.upload(far_mission(31.36)) == 0
    pilot.stream(BATTERY)
    pilot.arm_and_start()
    pilot.until(lambda: any("Disarming" in text for text in pilot.texts))
    # Amperes/100 on the level way to item 3. Loss of thrust is told a while after it: the middle of either counts.
    whole, weak, reached, told = [], [], [], False
    for _, message in pilot.heard:
        kind = message.get_type()
        if kind == "MISSION_ITEM_REACHED":
            reached.append(message.seq)
        elif kind == "BATTERY_STATUS" and reached[-1:] == [2]:
            (weak if told else whole).append(message.current_battery)
        told = told or (kind == "STATUSTEXT" and "Potential Thrust Loss" in message.text)
    assert reached == [1, 2, 3, 4]
    assert not any("Crash" in text for text in pilot.texts)
    assert weak[len(weak) // 2] / whole[len(whole) // 2] == pytest.approx(sqrt(6 / 4), rel=0.1)


def test_sudden_loss_of_charge_returns():
    fault = sim.BatteryFailure(event="item 2", from_s=10.0, left_pct=15.0)
    with faulty(fault, speedup=100.0) as client:
        assert client.upload(far_mission()) == 0
        client.stream(SYS_STATUS)
        client.arm_and_start()
        client.wait("SYS_STATUS", where=lambda m: m.battery_remaining <= 15)
        client.wait("HEARTBEAT", where=mode_is(RTL_MODE))
        assert "Battery 1 is low" in client.texts
        client.wait_text("Disarming")
    assert 3 not in client.reached


def test_a_battery_that_is_gone_falls():
    with faulty(sim.BatteryFailure(event="take-off", from_s=20.0, left_pct=0.0), speedup=100.0) as client:
        assert client.upload(far_mission()) == 0
        client.arm_and_start()
        client.wait_text("Battery 1 is empty")
        client.wait_text("Crash: Disarming")


def test_a_dead_cell_shows_in_voltage_and_current():
    fault = sim.BatteryFailure(event="item 2", from_s=15.0, cells_lost=3, cells=12)
    with faulty(fault, speedup=50.0) as client:
        assert client.upload(far_mission()) == 0
        client.stream(SYS_STATUS)
        client.arm_and_start()
        client.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == 2)
        before, after = None, client.wait("SYS_STATUS")
        while after.voltage_battery >= 40_000:
            before, after = after, client.wait("SYS_STATUS")
    assert (before.voltage_battery, after.voltage_battery) == (44_400, 33_300)
    assert after.current_battery / before.current_battery == pytest.approx(4 / 3, rel=0.05)
    assert after.battery_remaining == pytest.approx(before.battery_remaining, abs=2)


# --- the autopilot ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "kind"), [("mission", 0), ("fence", 1), ("rally", 2)])
def test_only_the_list_named_is_refused_and_only_for_its_time(what, kind):
    items = {
        0: small_mission(),
        1: [item(5003, params=(500.0,), lat=HOME[0], lon=HOME[1])],
        2: [item(5100, frame=3, lat=HOME[0], lon=HOME[1], z=30.0)],
    }
    with faulty(sim.MissionRejected(result=4, what=what, to_s=100.0), speedup=40.0) as client:
        assert {k: client.upload(v, k) for k, v in items.items()} == {0: 0, 1: 0, 2: 0} | {kind: 4}
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 101_000)
        assert client.upload(items[kind], kind) == 0


def test_a_reboot_on_the_ground_keeps_what_is_stored_and_nothing_else():
    boot = sim.Boot(1.0, 2.0, 3.0)
    fence = [item(5003, params=(500.0,), lat=HOME[0], lon=HOME[1])]
    with faulty(sim.Reboot(event="arming", from_s=30.0, silent_s=10.0), boot=boot, speedup=20.0) as client:
        client.ready()
        assert client.upload(small_mission()) == 0
        assert client.upload(fence, 1) == 0
        assert client.set_param("RTL_ALT_M", 2222.0) == 2222.0
        client.stream(BOOT_TIME)
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED
        old = [m for m in client.messages(2.2) if m.get_type() == "SYSTEM_TIME"][-1]
        # Streams that were asked for are gone, the mode is that of a start, nothing is armed, the clock begins anew.
        beat = client.wait("HEARTBEAT", where=mode_is(STABILIZE))
        assert not beat.base_mode & 128
        assert "SYSTEM_TIME" not in client.silent(0.3)
        client.stream(BOOT_TIME)
        new = client.wait("SYSTEM_TIME")
        assert new.time_boot_ms < old.time_boot_ms
        assert new.time_unix_usec > old.time_unix_usec
        client.ready()
        assert [m.command for m in client.download()] == [m[1] for m in small_mission()]
        assert [m.command for m in client.download(1)] == [5003]
        client.send_param_read("RTL_ALT_M")
        assert client.wait("PARAM_VALUE").param_value == 2222.0
        client.arm_and_start()


def test_a_reboot_ends_an_upload_half_way():
    # An upload that nobody goes on with would end by itself after eight seconds.
    with faulty(sim.Reboot(from_s=12.0, silent_s=0.0), speedup=4.0) as client:
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 6_000)
        client.count(5)
        client.wait("MISSION_REQUEST")
        kinds = [m.get_type() for m in client.messages(3.0) if m.get_type().startswith("MISSION")]
        assert "MISSION_ACK" not in kinds
        client.send_list_request()
        assert client.wait("MISSION_COUNT", "MISSION_ACK").get_type() == "MISSION_COUNT"


def test_a_reboot_in_flight_falls_and_comes_back_disarmed():
    fault = sim.Reboot(event="item 2", from_s=5.0)
    with faulty(fault, speedup=40.0, boot=sim.Boot(0.0, 0.0, 5.0)) as client:
        client.ready()
        assert client.upload(far_mission()) == 0
        client.stream(POSITION, BOOT_TIME)
        client.arm_and_start()
        client.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == 2)
        last = client.last["SYSTEM_TIME"]  # of before: on a machine that stood still the next one may not come
        beat = client.wait("HEARTBEAT", where=mode_is(STABILIZE))
        assert not beat.base_mode & 128
        client.stream(POSITION, BOOT_TIME)
        assert client.wait("SYSTEM_TIME").time_boot_ms < last.time_boot_ms
        down = client.wait("GLOBAL_POSITION_INT", where=lambda m: m.lat > 0 and m.relative_alt == 0)
        assert down.lat > 313410000  # where it fell, not on its pad
        assert len(client.download()) == len(far_mission())
        assert client.command(ARM, 1) == FAILED


# --- a second ground station -----------------------------------------------------------------------------------------


def test_a_second_station_uploads_its_own_mission_over_ours():
    with faulty(sim.SecondStation(does="upload", from_s=30.0), speedup=20.0) as client:
        assert client.upload(small_mission()) == 0
        assert len(client.download()) == len(small_mission())
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 33_000)
        assert [m.command for m in client.download()] == [16, 22, 16, 20]


@pytest.mark.parametrize(("what", "left"), [("mission", (0, 1)), ("fence", (9, 0)), ("all", (0, 0))])
def test_a_second_station_clears(what, left):
    fence = [item(5003, params=(500.0,), lat=HOME[0], lon=HOME[1])]
    with faulty(sim.SecondStation(does="clear", what=what, from_s=30.0), speedup=20.0) as client:
        assert (client.upload(small_mission()), client.upload(fence, 1)) == (0, 0)
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 33_000)
        assert (len(client.download()), len(client.download(1))) == left


@pytest.mark.parametrize(
    ("does", "seen"),
    [("mode", mode_is(LOITER)), ("return", mode_is(RTL_MODE)), ("disarm", lambda m: m.custom_mode == LAND_MODE)],
)
def test_a_second_station_interferes_in_flight(does, seen):
    with faulty(sim.SecondStation(does=does, event="item 2", from_s=5.0), speedup=50.0) as client:
        assert client.upload(far_mission()) == 0
        client.arm_and_start()
        client.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == 2)
        client.wait("HEARTBEAT", where=seen)


def test_a_second_station_does_it_again_and_again_until_it_leaves():
    fault = sim.SecondStation(does="mode", from_s=10.0, to_s=60.0, every_s=5.0)
    with faulty(fault, speedup=20.0) as client:
        client.wait("HEARTBEAT", where=mode_is(LOITER))
        for _ in range(2):
            assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
            client.wait("HEARTBEAT", where=mode_is(LOITER))
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 65_000)
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        client.silent(0.7)
        assert client.wait("HEARTBEAT").custom_mode == GUIDED


def test_an_upload_that_a_second_station_lets_stall_keeps_others_out_until_it_times_out():
    with faulty(sim.SecondStation(does="stall", from_s=20.0), speedup=10.0) as client:
        client.stream(BOOT_TIME)
        client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 21_000)
        client.count(3)
        assert client.wait("MISSION_ACK").type == 14
        client.wait_text("Mission upload timeout")
        assert client.upload(small_mission()) == 0
