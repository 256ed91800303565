"""Faults of the other kinds of vehicles: PX4 and wings."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import KINDS, every_kind, px4_kinds
from tests.sim.mav_client import HOME, item, vehicle

COPTERS = [kind for kind in KINDS if kind.frame == "copter"]
WINGS = [kind for kind in KINDS if kind.frame != "copter"]
FENCE = [item(5003, params=(5000.0,), lat=HOME[0], lon=HOME[1])]


def of(kind, *faults, **changes):
    return vehicle(faults=sim.Faults(listed=faults), **kind.config, **changes)


def item_of(kind, number):
    """The event of a mission's item, counted from its take-off."""
    return f"item {number + kind.first}"


@pytest.mark.parametrize("kind", COPTERS, ids=str)
def test_a_copter_without_gps_lands_without_a_position(kind):
    with of(kind, sim.GpsLoss(event=item_of(kind, 1), from_s=20.0), speedup=100.0) as client:
        assert client.upload(kind.mission()) == 0
        client.stream(24)
        kind.arm_and_start(client)
        client.wait("GPS_RAW_INT", where=lambda m: m.fix_type == 1, timeout_s=20.0)
        land = kind.numbers["LAND"]
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == land)
        client.wait("HEARTBEAT", where=lambda m: not m.base_mode & 128)
    assert kind.first + 3 not in client.reached
    assert not any("Crash" in text for text in client.texts)


@pytest.mark.parametrize("kind", WINGS, ids=str)
def test_wings_fly_on_by_airspeed_and_wind(kind):
    with of(kind, sim.GpsLoss(event=item_of(kind, 0), from_s=10.0), speedup=200.0) as client:
        assert client.upload(kind.mission()) == 0
        client.stream(24)
        kind.arm_and_start(client)
        client.wait("GPS_RAW_INT", where=lambda m: m.fix_type == 1, timeout_s=20.0)
        client.wait("MISSION_ITEM_REACHED", where=lambda m: m.seq == kind.first + 4, timeout_s=30.0)


@every_kind
def test_every_kind_keeps_what_it_stored_over_a_reboot(kind):
    # Late enough that a busy machine has sent it all before, and has heard of the time both before and after.
    with of(kind, sim.Reboot(from_s=180.0, silent_s=4.0), speedup=30.0) as client:
        assert (client.upload(kind.mission()), client.upload(FENCE, 1)) == (0, 0)
        client.stream(2)
        old = client.wait("SYSTEM_TIME", where=lambda m: m.time_boot_ms > 90_000, timeout_s=60.0)
        assert any(began_anew(client, old) for _ in range(120))
        assert len(client.download()) == len(kind.mission())
        assert [m.command for m in client.download(1)] == [5003]
        kind.arm_and_start(client)


def began_anew(client, old):
    """Whether it tells an earlier time since its start; it has forgotten what it was asked to send."""
    client.send(mav.MAVLink_command_long_message(client.target, 1, 511, 0, 2, 0.2e6, 0, 0, 0, 0, 0))
    said = client.messages(0.5)
    return any(m.get_type() == "SYSTEM_TIME" and m.time_boot_ms < old.time_boot_ms for m in said)


@every_kind
def test_every_kind_refuses_what_it_is_told_to(kind):
    with of(kind, sim.MissionRejected(result=4, what="fence")) as client:
        assert client.upload(kind.mission()) == 0
        assert client.upload(FENCE, 1) == 4


@px4_kinds
def test_a_second_station_changes_the_mode_by_its_number(kind):
    mode = kind.numbers["LOITER" if kind.ready != "LOITER" else "RTL"]
    with of(kind, sim.SecondStation(does="mode", mode=mode, event=item_of(kind, 0), from_s=10.0)) as client:
        assert client.upload(kind.mission()) == 0
        kind.arm_and_start(client)
        client.wait("MISSION_ITEM_REACHED", timeout_s=20.0)
        client.wait("HEARTBEAT", where=lambda m: m.custom_mode == mode)


@pytest.mark.parametrize("kind", WINGS, ids=str)
def test_motors_of_wings_do_not_fail(kind):
    with pytest.raises(sim.ConfigError, match="motor_failure is not simulated for frame"):
        sim.FleetConfig(home=HOME, faults=sim.Faults(listed=(sim.MotorFailure(),)), **kind.config)
