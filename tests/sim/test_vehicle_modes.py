"""Arming rules, streams, parameters, commands and whole flights, over real sockets."""

import csv
import itertools
import socket
import time

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.mav_client import (
    ACCEPTED,
    HOME,
    LAND,
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

FAILED, UNSUPPORTED = 4, 3
ARM, SET_MODE, START = 400, 176, 300
STABILIZE, AUTO, GUIDED, LOITER, BRAKE = 0, 3, 4, 5, 17
FAST = {"speedup": 400.0}


def record(folder, sysid=1, sortie=1):
    with (folder / f"vehicle-{sysid}-sortie-{sortie}.csv").open() as file:
        return list(csv.DictReader(file))


def test_nothing_streams_unasked_but_heartbeats():
    with vehicle(speedup=50.0) as client:
        unasked = client.silent(0.7)
        assert {"HEARTBEAT"} <= unasked <= {"HEARTBEAT", "TIMESYNC", "HOME_POSITION", "GPS_GLOBAL_ORIGIN"}
        client.stream(33)
        assert "GLOBAL_POSITION_INT" in client.silent(0.3)
        client.stream(33, interval_s=-1e-6)
        client.silent(0.1)
        assert "GLOBAL_POSITION_INT" not in client.silent(0.3)


def test_streams_are_capped_by_the_wall_clock():
    with vehicle(speedup=500.0, stream_hz=20.0) as client:
        client.stream(30, interval_s=0.1)
        begin = time.monotonic()
        count = sum(m.get_type() == "ATTITUDE" for m in client.messages(1.0))
        assert 0 < count <= 20.0 * (time.monotonic() - begin) + 2


def test_each_peer_has_streams_of_its_own():
    with fleet(speedup=50.0) as endpoints, Client(endpoints[0]) as first, Client(endpoints[0], sysid=250) as second:
        first.stream(30)
        first.wait("ATTITUDE")
        assert "ATTITUDE" not in second.silent(0.3)


def test_data_stream_groups_and_one_shot_messages():
    with vehicle(speedup=50.0) as client:
        client.send(mav.MAVLink_request_data_stream_message(1, 1, 0, 4, 1))
        wanted = {"SYS_STATUS", "GPS_RAW_INT", "GLOBAL_POSITION_INT", "ATTITUDE", "VFR_HUD", "BATTERY_STATUS"}
        wanted |= {"MISSION_CURRENT", "EXTENDED_SYS_STATE", "SYSTEM_TIME", "MOUNT_STATUS"}
        while wanted:
            wanted.remove(client.wait(*wanted).get_type())
        client.send(mav.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0))
        capabilities = client.wait("AUTOPILOT_VERSION").capabilities
        assert capabilities & mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
        assert capabilities & mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
        assert client.wait("COMMAND_ACK").result == ACCEPTED
        assert client.command(512, 9999) == FAILED
        assert client.command(31999) == UNSUPPORTED


def test_parameters_are_listed_read_and_set():
    with vehicle() as client:
        client.send(mav.MAVLink_param_request_list_message(1, 1))
        seen = {}
        for message in client.messages(30.0):
            if message.get_type() == "PARAM_VALUE":
                seen[message.param_id] = message.param_value
                if len(seen) == message.param_count:
                    break
        else:
            pytest.fail(f"only {len(seen)} parameters came")
        assert seen["WP_SPD"] == 10.0
        assert seen["MAV_GCS_SYSID"] == 255.0
        assert "SYSID_MYGCS" not in seen
        assert client.set_param("WP_SPD", 12.5) == 12.5
        client.send(mav.MAVLink_param_request_read_message(1, 1, b"WP_SPD", -1))
        assert client.wait("PARAM_VALUE").param_value == 12.5
    with vehicle(legacy_names=True) as client:
        assert client.set_param("SYSID_MYGCS", 42.0) == 42.0


def test_unknown_parameter_in_a_configuration_is_an_error():
    with pytest.raises(sim.ConfigError, match="WPNAV_SPED"):
        sim.run_fleet(sim.FleetConfig(home=HOME, params={"WPNAV_SPED": 1.0}))


def test_arming_waits_for_health_then_for_position():
    boot = sim.Boot(1.0, 20.0, 70.0)
    with vehicle(boot=boot, speedup=40.0) as client:
        assert client.command(ARM, 1) == FAILED
        assert any("Arm: " in text for text in client.texts)
        client.stream(1, 193)
        healthy = mav.MAV_SYS_STATUS_PREARM_CHECK
        client.wait("SYS_STATUS", where=lambda m: m.onboard_control_sensors_health & healthy)
        # The pre-arm bit is not readiness: there is no position yet.
        assert not client.wait("EKF_STATUS_REPORT").flags & 0x10
        assert client.command(SET_MODE, 1, GUIDED) == FAILED
        assert client.command(ARM, 1) == ACCEPTED
        assert client.command(ARM, 0) == ACCEPTED
        client.ready()
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED


def test_auto_can_not_be_armed_and_does_not_take_off_by_itself():
    with vehicle(speedup=20.0) as client:
        assert client.command(SET_MODE, 1, AUTO) == FAILED  # no mission yet
        assert client.upload(small_mission()) == 0
        assert client.command(SET_MODE, 1, AUTO) == ACCEPTED
        assert client.command(ARM, 1) == FAILED
        assert client.command(SET_MODE, 1, STABILIZE) == ACCEPTED
        assert client.command(START) == FAILED  # not armed
        assert client.command(ARM, 1) == ACCEPTED
        assert client.command(SET_MODE, 1, AUTO) == ACCEPTED
        client.stream(245)
        for message in client.messages(0.3):
            assert message.get_type() != "EXTENDED_SYS_STATE" or message.landed_state == 1
        assert client.command(START) == ACCEPTED
        client.wait("EXTENDED_SYS_STATE", where=lambda m: m.landed_state == 2)


def test_mission_whose_first_item_is_eaten_has_no_takeoff():
    with vehicle() as client:
        assert client.upload([takeoff(30.0), waypoint(31.341, -110.94, 30.0)]) == 0
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(ARM, 1) == ACCEPTED
        assert client.command(START) == FAILED
        assert any("Missing Takeoff" in text for text in client.texts)


def test_small_mission_flies_to_landing_and_leaves_its_record(tmp_path):
    with vehicle(record_dir=tmp_path, **FAST) as client:
        assert client.upload(small_mission()) == 0
        client.stream(33, 42, 1, 285)
        client.arm_and_start()
        client.wait_text("Disarming")
        assert client.reached == [3, 5, 6, 8]  # of items that are done at once the last
        assert client.wait("SYS_STATUS").battery_remaining == 100  # the crew has put in a full one
    rows = record(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["vehicle-1-sortie-1.csv"]
    times = [float(r["t_s"]) for r in rows]
    assert times[0] == 0.0
    assert {round(b - a, 6) for a, b in itertools.pairwise(times)} == {0.2}
    heights = [float(r["amsl_m"]) for r in rows]
    assert max(heights) == pytest.approx(HOME[2] + 30.0, abs=0.5)
    assert heights[-1] == HOME[2]
    assert float(rows[-1]["lat_deg"]) == pytest.approx(HOME[0], abs=2e-6)
    assert float(rows[-1]["lon_deg"]) == pytest.approx(HOME[1], abs=2e-6)
    on_leg = [r for r in rows if r["item"] == "6"]
    assert {(r["gimbal_yaw_deg"], r["gimbal_pitch_deg"]) for r in on_leg} == {("90.0000", "-57.0000")}
    # Two seconds on the ground, then it disarms.
    on_ground = [t for t, h in zip(times, heights, strict=True) if t > 20.0 and h == HOME[2]]
    assert on_ground[-1] - on_ground[0] == pytest.approx(2.0, abs=0.4)


def test_two_vehicles_fly_at_once_with_a_sortie_each_and_a_second(tmp_path):
    with (
        fleet(vehicles=2, record_dir=tmp_path, **FAST) as endpoints,
        Client(endpoints[0]) as first,
        Client(endpoints[1]) as second,
    ):
        for client in (first, second):
            assert client.upload(small_mission()) == 0
            client.arm_and_start()
        for client in (first, second):
            client.wait_text("Disarming")
        first.arm_and_start()
        first.wait_text("Disarming")
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"vehicle-1-sortie-1.csv", "vehicle-2-sortie-1.csv", "vehicle-1-sortie-2.csv"}
    assert record(tmp_path, 1, 1) == record(tmp_path, 1, 2)


@pytest.mark.parametrize("gusts", [0.0, 1.5])
def test_the_record_does_not_depend_on_the_wall_clock(tmp_path, gusts):
    contents = []
    for number, (pause_s, speedup) in enumerate([(0.0, 400.0), (0.15, 250.0)]):
        folder = tmp_path / str(number)
        wind = sim.Wind(4.0, 250.0, gusts)
        with vehicle(record_dir=folder, speedup=speedup, seed=7, wind=wind) as client:
            time.sleep(pause_s)
            assert client.upload(small_mission()) == 0
            assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
            time.sleep(pause_s)
            assert client.command(ARM, 1) == ACCEPTED
            time.sleep(pause_s)
            assert client.command(START) == ACCEPTED
            client.wait_text("Disarming")
        contents.append((folder / "vehicle-1-sortie-1.csv").read_bytes())
    assert contents[0] == contents[1]


def test_guided_flight_by_command():
    with vehicle(**FAST) as client:
        client.stream(33, 24)
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(22, 0, 0, 0, 0, 0, 0, 20) == FAILED  # not armed
        assert client.command(ARM, 1) == ACCEPTED
        assert client.command(22, 0, 0, 0, 0, 0, 0, 20) == ACCEPTED
        client.wait("GLOBAL_POSITION_INT", where=lambda m: abs(m.relative_alt - 20000) < 500)
        goal = (313412000, -1109390000)
        client.send(mav.MAVLink_command_int_message(1, 1, 6, 192, 0, 0, -1, 0, 0, 0, *goal, 25.0))
        assert client.wait("COMMAND_ACK", where=lambda m: m.command == 192).result == ACCEPTED
        there = client.wait(
            "GLOBAL_POSITION_INT", where=lambda m: abs(m.lat - goal[0]) < 50 and abs(m.lon - goal[1]) < 50
        )
        assert there.relative_alt == pytest.approx(25000, abs=600)
        assert client.command(ARM, 0) == FAILED  # in the air
        assert client.command(SET_MODE, 1, LOITER) == ACCEPTED
        assert client.command(SET_MODE, 1, BRAKE) == ACCEPTED
        assert client.command(LAND) == ACCEPTED
        client.wait_text("Disarming")


def test_pause_continue_and_speed():
    with vehicle(speedup=50.0) as client:
        assert client.upload(small_mission()) == 0
        client.stream(33, 42, 74)
        client.arm_and_start()
        client.wait("MISSION_CURRENT", where=lambda m: m.seq == 5)
        client.wait("VFR_HUD", where=lambda m: m.groundspeed > 11.0)
        assert client.command(193, 0) == ACCEPTED
        client.wait("VFR_HUD", where=lambda m: m.groundspeed < 0.1)
        assert client.command(178, 1, 6.0) == ACCEPTED
        assert client.command(193, 1) == ACCEPTED
        client.wait("VFR_HUD", where=lambda m: m.groundspeed > 5.5)
        assert max(client.wait("VFR_HUD").groundspeed for _ in range(10)) < 6.5


def fence_square(half_deg):
    lat, lon, _ = HOME
    corners = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
    return [item(5001, params=(4.0,), lat=lat + a * half_deg, lon=lon + b * half_deg) for a, b in corners]


def test_leaving_the_fence_returns_home(tmp_path):
    mission = [home_item(), takeoff(30.0), waypoint(31.36, -110.94, 30.0), item(RTL)]
    with vehicle(record_dir=tmp_path, **FAST) as client:
        assert client.upload(mission) == 0
        assert client.upload(fence_square(0.003), 1) == 0
        client.set_param("FENCE_TYPE", 4)
        client.set_param("FENCE_ENABLE", 1)
        client.arm_and_start()
        client.wait_text("Polygon fence breached")
        client.wait_text("Disarming")
    rows = record(tmp_path)
    assert {r["mode"] for r in rows} == {"AUTO", "RTL"}
    beyond_m = (max(float(r["lat_deg"]) for r in rows) - HOME[0] - 0.003) * 110_900
    assert 0.0 < beyond_m < 40.0  # it brakes from 10 m/s
    assert float(rows[-1]["lat_deg"]) == pytest.approx(HOME[0], abs=2e-6)


def test_entering_an_exclusion_returns_home(tmp_path):
    mission = [home_item(), takeoff(30.0), waypoint(31.36, -110.94, 30.0), item(RTL)]
    lat, lon, _ = HOME
    corners = [(0.003, -0.001), (0.0035, 0.002), (0.006, 0.0005)]
    zone = [item(5002, params=(3.0,), lat=lat + a, lon=lon + b) for a, b in corners]
    with vehicle(record_dir=tmp_path, **FAST) as client:
        assert client.upload(mission) == 0
        assert client.upload([*fence_square(0.05), *zone], 1) == 0
        assert [m.command for m in client.download(1)] == [5001] * 4 + [5002] * 3
        client.set_param("FENCE_TYPE", 4)
        client.set_param("FENCE_ENABLE", 1)
        client.arm_and_start()
        client.wait_text("Polygon fence breached")
        client.wait_text("Disarming")
    rows = record(tmp_path)
    assert {r["mode"] for r in rows} == {"AUTO", "RTL"}
    # The edge towards home, a third of the way from its first corner.
    edge = lat + 0.003 + 0.0005 / 3
    beyond_m = (max(float(r["lat_deg"]) for r in rows) - edge) * 110_900
    assert 0.0 < beyond_m < 40.0  # it brakes from 10 m/s
    assert float(rows[-1]["lat_deg"]) == pytest.approx(lat, abs=2e-6)


def test_rally_point_and_landing_there():
    mission = [home_item(), takeoff(30.0), waypoint(31.345, -110.94, 30.0), item(RTL)]
    rally = [item(5100, frame=3, lat=31.3445, lon=-110.94, z=25.0)]
    with vehicle(turnaround_s=200.0, speedup=200.0) as client:
        assert client.upload(mission) == 0
        assert client.upload(rally, 2) == 0
        client.stream(33)
        client.arm_and_start()
        client.wait_text("Returning to rally point")
        client.wait_text("Disarming")
        landed = client.wait("GLOBAL_POSITION_INT", where=lambda m: m.relative_alt == 0)
        assert (landed.lat, landed.lon) == (pytest.approx(313445000, abs=50), pytest.approx(-1109400000, abs=50))
        # The crew is on its way with a battery: not ready to arm until it has been.
        assert client.command(SET_MODE, 1, GUIDED) == ACCEPTED
        assert client.command(ARM, 1) == FAILED
        assert any("Battery is being changed" in text for text in client.texts)
        client.wait("GLOBAL_POSITION_INT", where=lambda m: abs(m.lat - 313400000) < 5)
        assert client.command(ARM, 1) == ACCEPTED


def test_a_ground_station_that_is_told_hears_without_asking():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        station.settimeout(30.0)
        with fleet(gcs=station.getsockname()):
            # Where its home is it says first, as it boots.
            parser = mav.MAVLink(None)
            while parser.parse_buffer(station.recv(2048))[0].get_type() != "HEARTBEAT":
                pass


def test_noise_on_the_socket_does_no_harm():
    with fleet() as endpoints, Client(endpoints[0]) as client:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
            for data in (b"", b"\xfd", bytes(range(256)), b"\xfd\x09\x00\x00\x00\x01\x01\x00\x00\x00" + bytes(11)):
                noise.sendto(data, (endpoints[0].host, endpoints[0].port))
        assert client.upload(small_mission()) == 0


def test_default_fence_types_hold_a_ceiling_and_a_circle():
    mission = [home_item(), takeoff(120.0), item(RTL)]
    with vehicle(params={"FENCE_ENABLE": 1.0}, **FAST) as client:
        assert client.upload(mission) == 0
        client.arm_and_start()
        client.wait_text("Max Alt fence breached")


def test_arming_outside_the_fence_is_refused():
    with vehicle(params={"FENCE_ENABLE": 1.0, "FENCE_TYPE": 4.0}) as client:
        lat, lon = HOME[0] + 0.1, HOME[1]
        far = [item(5001, params=(3.0,), lat=lat + a, lon=lon + b) for a, b in [(0, 0), (0.01, 0), (0, 0.01)]]
        assert client.upload(far, 1) == 0
        assert client.command(ARM, 1) == FAILED
        assert any("outside fence" in text for text in client.texts)


def test_low_battery_returns():
    power = sim.PowerModel(capacity_wh=12.0, low_pct=50.0)
    mission = [home_item(), takeoff(20.0), waypoint(31.38, -110.94, 20.0), item(RTL)]
    with vehicle(power=power, **FAST) as client:
        assert client.upload(mission) == 0
        client.arm_and_start()
        client.wait_text("Battery 1 is low")
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == 6)
        client.wait_text("Disarming")


def test_lost_ground_station_returns_only_where_asked():
    mission = [home_item(), takeoff(20.0), waypoint(31.40, -110.94, 20.0), item(RTL)]
    with vehicle(params={"FS_GCS_ENABLE": 1.0, "FS_GCS_TIMEOUT": 1.0}, speedup=20.0) as client:
        assert client.upload(mission) == 0
        client.heartbeat()
        client.arm_and_start()
        client.wait_text("GCS Failsafe")
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == 6)


def test_a_fleet_in_a_process_of_its_own_ends_with_its_context(tmp_path):
    config = sim.FleetConfig(home=HOME, vehicles=2, speedup=100.0, boot=sim.Boot(0, 0, 0), record_dir=tmp_path)
    with sim.start_fleet(config) as running:
        assert [e.sysid for e in running.endpoints] == [1, 2]
        with Client(running.endpoints[1]) as client:
            assert client.wait("HEARTBEAT").get_srcSystem() == 2
            assert client.upload(small_mission()) == 0
        busy = sim.FleetConfig(home=HOME, base_port=running.endpoints[0].port)
        with pytest.raises(sim.FleetError, match="cannot be bound"), sim.start_fleet(busy):
            pass
    with Client(running.endpoints[0]) as client, pytest.raises((AssertionError, ConnectionError)):
        client.wait("HEARTBEAT", timeout_s=0.3)


@pytest.mark.parametrize(
    "changes",
    [
        {"vehicles": 0},
        {"speedup": 0.0},
        {"speedup": float("nan")},
        {"frame": "balloon"},
        {"autopilot": "pixhawk"},
        {"step_s": 1.0},
    ],
)
def test_configuration_that_cannot_be_simulated(changes):
    with pytest.raises(sim.ConfigError, match="give"):
        sim.FleetConfig(**({"home": HOME} | changes))
