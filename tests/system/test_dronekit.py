"""Our vehicle over a connection of DroneKit's, to the simulator."""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import dronekit
import pytest

import sim
from autopilot import LinkError, MissionKind, Orders, Place, RejectedError, Timing, VehicleState, enable_fence
from autopilot.dronekit import DroneKitVehicle, over_dronekit
from tests.autopilot.scripted import HOME, line_mission

SPEEDUP = 20.0
TIMING = Timing(time_scale=SPEEDUP)


@contextlib.contextmanager
def drone(**more):
    """A connected DroneKit vehicle."""
    config = sim.FleetConfig(home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP, **more)
    with sim.start_fleet(config) as fleet:
        endpoint = fleet.endpoints[0]
        connected = dronekit.connect(f"udpout:{endpoint.host}:{endpoint.port}", heartbeat_timeout=20)
        try:
            yield connected
        finally:
            connected.close()


def test_a_program_without_an_event_loop_flies_a_mission_that_was_proved():
    with drone() as connected, DroneKitVehicle(connected, timing=TIMING) as ours:
        proved = ours.upload(line_mission(2))
        assert [(one.kind, one.items) for one in proved] == [
            (MissionKind.FENCE, 4),
            (MissionKind.RALLY, 1),
            (MissionKind.MISSION, 6),
        ]
        ours.do(lambda vehicle: enable_fence(vehicle, line_mission(2)))
        ours.do(lambda vehicle: vehicle.wait_ready())
        ours.do(lambda vehicle: vehicle.start_mission())
        assert ours.vehicle.telemetry.armed is True
        assert ours.do(lambda vehicle: vehicle.wait_until(lambda t: t.item == 3, 120.0)) is not None
        # DroneKit's own view goes on over the same connection.
        until = time.monotonic() + 60.0
        while connected.mode.name != "AUTO" and time.monotonic() < until:
            time.sleep(0.05)
        assert connected.mode.name == "AUTO"
        assert connected.armed
        assert ours.do(lambda vehicle: vehicle.wait_until(lambda t: t.armed is False, 600.0)) is not None
        packets = ours.vehicle.link.statistics(1)
        assert packets.received > 100
        assert packets.lost == packets.late == 0
    with pytest.raises(LinkError, match="inside its with block"):
        ours.upload(line_mission(2))


@pytest.mark.parametrize(
    ("autopilot", "frame"), [("ardupilot", "plane"), ("ardupilot", "vtol"), ("px4", "copter"), ("px4", "vtol")]
)
def test_wings_and_px4_are_flown_through_it(autopilot, frame):
    params = (
        {"MIS_TKO_LAND_REQ": 0.0} if autopilot == "px4" else {}
    )  # with wings PX4 flies no mission else that returns
    drones = drone(autopilot=autopilot, frame=frame, params=params)
    with drones as connected, DroneKitVehicle(connected, timing=TIMING) as ours:
        mission = line_mission(3, dialect=autopilot)
        assert ours.vehicle.dialect.name == autopilot
        assert [(one.kind, one.items) for one in ours.upload(mission)][-1] == (MissionKind.MISSION, len(mission.items))
        ours.do(lambda vehicle: enable_fence(vehicle, mission, ceiling_m=120.0))
        ours.do(lambda vehicle: vehicle.wait_ready())
        ours.do(lambda vehicle: vehicle.start_mission())
        third = 4 if autopilot == "ardupilot" else 3
        assert ours.do(lambda vehicle: vehicle.wait_until(lambda t: t.item == third, 300.0)) is not None
        assert ours.vehicle.telemetry.above_home_m > 60.0
        ours.do(lambda vehicle: vehicle.return_home())
        # DroneKit's own view goes on over the same connection.
        until = time.monotonic() + 60.0
        while connected.mode.name != "RTL" and time.monotonic() < until:
            time.sleep(0.05)
        assert connected.mode.name == "RTL"
        assert connected.armed


def test_a_mission_that_the_vehicle_refuses_is_an_error():
    """DroneKit itself never reads the answer."""
    refused = sim.Faults(reject_mission=4)
    with drone(faults=refused) as connected, DroneKitVehicle(connected, timing=TIMING) as ours:
        with pytest.raises(RejectedError) as caught:
            ours.upload(line_mission(2))
        assert caught.value.result == 4
        assert caught.value.state in (VehicleState.KEPT, VehicleState.CLEARED)  # by file first, where it offers that
        # And it is still there for orders.
        assert ours.do(lambda vehicle: vehicle.parameter("WP_SPD")) == 10.0


def test_orders_go_the_same_way():
    with drone() as connected, DroneKitVehicle(connected, timing=TIMING) as ours:
        ours.upload(line_mission(2))
        ours.do(lambda vehicle: enable_fence(vehicle, line_mission(2)))
        ours.do(lambda vehicle: vehicle.wait_ready())
        orders = Orders(ours.vehicle)
        ours.do(lambda _: orders.take_off(30.0))
        ours.do(lambda _: orders.go_to(Place(HOME[0], HOME[1] + 0.002, 30.0)))
        assert ours.vehicle.telemetry.mode == "GUIDED"


def test_a_connection_that_dronekit_closes_ends_every_wait():
    before = threading.active_count()
    with drone() as connected:
        with DroneKitVehicle(connected, timing=TIMING) as ours:
            threading.Timer(0.5, connected.close).start()
            began = time.monotonic()
            with pytest.raises(LinkError, match="DroneKit's connection has ended"):
                ours.do(lambda vehicle: vehicle.wait_until(lambda t: t.armed is True, 3600.0 * SPEEDUP))
            assert time.monotonic() - began < 60.0
        with (
            pytest.raises(LinkError, match="connection is closed: connect it again"),
            DroneKitVehicle(connected, timing=TIMING),
        ):
            pass
        assert not connected._message_listeners.get("*")
    with drone() as connected:
        with pytest.raises(ZeroDivisionError), DroneKitVehicle(connected, timing=TIMING) as ours:
            ours.do(lambda vehicle: vehicle.wait_until(lambda _: 1 / 0, 1.0))
        assert not connected._message_listeners.get("*")
    assert threading.active_count() <= before + 1


def test_in_an_event_loop():
    async def seen(connected):
        async with over_dronekit(connected, timing=TIMING, streams=False) as vehicle:
            assert vehicle.dialect.name == "ardupilot"
            assert await vehicle.wait_until(lambda t: t.lat_deg is not None, 60.0)
            await vehicle.set_mode("GUIDED")
            return vehicle.telemetry.mode

    with drone() as connected:
        assert asyncio.run(seen(connected)) == "GUIDED"


def test_a_program_that_knows_dronekit_alone_flies_a_simulated_vehicle():
    """As DroneKit's guide has it: connect, arm, take off, go to, mission, home."""
    config = sim.FleetConfig(home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP / 2)
    with sim.start_fleet(config) as fleet:
        end = fleet.endpoints[0]
        command = [sys.executable, Path(__file__).with_name("pilot_dronekit.py"), f"udpout:{end.host}:{end.port}"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.stdout.splitlines() == ["up", "there", "holds [16, 16, 16]", "flown", "down 0"], ran
