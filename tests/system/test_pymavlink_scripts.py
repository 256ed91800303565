"""Scripts as pymavlink's examples and ArduPilot's and PX4's guides have them, against every kind of vehicle.

A script knows pymavlink alone: connect, wait for a heartbeat, change the mode by its name, arm, take off, go somewhere,
upload a mission by MISSION_ITEM_INT, fly it, come down.
"""

import os
import time
from contextlib import closing

import pytest

import sim
from tests.sim.crafts import KINDS, every_kind
from tests.sim.mav_client import HOME, item

os.environ.setdefault("MAVLINK20", "1")
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav

SPEEDUP = 20.0
WITHIN_S = 240.0
CALM = sim.Wind(0.0, 0.0, 0.0)
METRE = 1.0 / 110_900.0
ROTORS = [kind for kind in KINDS if kind.frame == "copter"]


class Script:
    """What scripts of pymavlink do, each by the library's own functions."""

    def __init__(self, end):
        self.master = mavutil.mavlink_connection(f"udpout:{end.host}:{end.port}", source_system=255)
        self.until(self._beat, "a heartbeat")
        # All streams, as the guides ask for them.
        self.master.mav.request_data_stream_send(
            self.master.target_system, self.master.target_component, mav.MAV_DATA_STREAM_ALL, 10, 1
        )

    def _beat(self):
        self.master.mav.heartbeat_send(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 0)
        return self.master.wait_heartbeat(timeout=0.5)

    def until(self, what, words):
        end = time.monotonic() + WITHIN_S
        while not (found := what()):
            assert time.monotonic() < end, f"{words} never came"
        return found

    def recv(self, *kinds):
        return self.master.recv_match(type=list(kinds), blocking=True, timeout=0.5)

    def mode(self, name):
        """`set_mode` takes a name; PX4's triple it finds itself."""
        self.master.set_mode(name)
        self.until(lambda: self.recv("HEARTBEAT") and self.master.flightmode == name, f"mode {name}")

    def arm(self):
        def try_it():
            self.master.arducopter_arm()
            self.recv("HEARTBEAT")
            return self.master.motors_armed()

        self.until(try_it, "armed")

    def command(self, command, *params):
        params = (*params, *[0.0] * 7)[:7]
        self.master.mav.command_long_send(self.master.target_system, self.master.target_component, command, 0, *params)
        ack = self.until(
            lambda: (m := self.recv("COMMAND_ACK")) and m.command == command and m, f"an answer to {command}"
        )
        return ack.result

    def height_m(self):
        return self.until(lambda: self.recv("GLOBAL_POSITION_INT"), "a height").relative_alt / 1000.0

    def place(self):
        m = self.until(lambda: self.recv("GLOBAL_POSITION_INT"), "a position")
        return m.lat / 1e7, m.lon / 1e7

    def upload(self, items):
        """The loop of the guides: a count, an item for each request, the acknowledgement."""
        master = self.master
        master.mav.mission_count_send(master.target_system, master.target_component, len(items), 0)
        while True:
            m = self.until(lambda: self.recv("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK"), "a request")
            if m.get_type() == "MISSION_ACK":
                return m.type
            frame, command, *rest = items[m.seq]
            master.mav.mission_item_int_send(
                master.target_system, master.target_component, m.seq, frame, command, 0, 1, *rest, 0
            )

    def download(self):
        """The same the other way round."""
        master = self.master
        master.mav.mission_request_list_send(master.target_system, master.target_component, 0)
        count = self.until(lambda: self.recv("MISSION_COUNT"), "a count").count
        items = []
        for seq in range(count):
            master.mav.mission_request_int_send(master.target_system, master.target_component, seq, 0)
            items.append(
                self.until(lambda seq=seq: (m := self.recv("MISSION_ITEM_INT")) and m.seq == seq and m, f"item {seq}")
            )
        master.mav.mission_ack_send(master.target_system, master.target_component, 0, 0)
        return items

    def close(self):
        self.master.close()

    def down(self):
        self.until(lambda: self.recv("HEARTBEAT") and not self.master.motors_armed(), "disarmed")


def script_for(kind, fleet):
    script = Script(fleet.endpoints[0])
    assert script.master.mav_type == kind.mav_type
    return script


def fleet_of(kind):
    return sim.start_fleet(
        sim.FleetConfig(**kind.config, home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=SPEEDUP, wind=CALM)
    )


def mission_of(kind):
    """Rotors fly a small one: to wings it would be too tight."""
    if kind.frame != "copter":
        return kind.mission(40.0)
    places = ((120, 0), (120, 90), (-40, 90), (-40, 0))
    ways = [item(16, frame=6, lat=HOME[0] + n * METRE, lon=HOME[1] + e * METRE, z=40.0) for n, e in places]
    ends = [item(command, frame=6, lat=HOME[0], lon=HOME[1], z=up) for command, up in ((22, 40.0), (21, 0.0))]
    return [*([] if kind.px4 else [item(16)]), ends[0], *ways, ends[1]]


@every_kind
def test_a_mission_is_sent_read_back_and_flown(kind):
    meant = mission_of(kind)
    with fleet_of(kind) as fleet, closing(script_for(kind, fleet)) as script:
        assert script.upload(meant) == mav.MAV_MISSION_ACCEPTED
        read = script.download()
        assert [one.command for one in read] == [command for _, command, *_ in meant]
        if kind.px4:
            script.mode("MISSION")
            script.arm()
        else:
            script.mode(kind.ready)
            script.arm()
            script.mode("AUTO")
            if kind.frame == "copter":
                assert script.command(mav.MAV_CMD_MISSION_START) == mav.MAV_RESULT_ACCEPTED
        seen = set()

        def flown():
            m = script.recv("MISSION_ITEM_REACHED", "HEARTBEAT")
            if m and m.get_type() == "MISSION_ITEM_REACHED":
                seen.add(m.seq)
            return seen and not script.master.motors_armed()

        script.until(flown, "the end of the mission")
        assert {kind.first + n for n in range(1, 5)} <= seen
        lat, lon = script.place()
        assert abs(script.height_m()) < 1.0
        assert (lat, lon) == pytest.approx(HOME[:2], abs=60.0 * METRE)


@pytest.mark.parametrize("kind", ROTORS, ids=str)
def test_up_to_a_place_and_down(kind):
    """GUIDED of ArduPilot by a target, HOLD of PX4 by a reposition."""
    with fleet_of(kind) as fleet, closing(script_for(kind, fleet)) as script:
        if kind.px4:
            assert script.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, HOME[2] + 20) == 0
            script.arm()
        else:
            script.mode("GUIDED")
            script.arm()
            assert script.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 20) == 0
        script.until(lambda: script.height_m() > 19.0, "20 m")
        lat = HOME[0] + 80.0 * METRE
        master = script.master
        if kind.px4:
            script.mode("LOITER")
            master.mav.command_int_send(
                1, 1, mav.MAV_FRAME_GLOBAL, mav.MAV_CMD_DO_REPOSITION, 0, 0, -1, 1, 0, float("nan"),
                round(lat * 1e7), round(HOME[1] * 1e7), HOME[2] + 30,
            )  # fmt: skip
        else:
            master.mav.set_position_target_global_int_send(
                0, 1, 1, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT, 0xDF8, round(lat * 1e7), round(HOME[1] * 1e7), 30,
                *[0.0] * 8,
            )  # fmt: skip
        script.until(lambda: abs(script.place()[0] - lat) < 2.0 * METRE and script.height_m() > 29.0, "there")
        script.mode("RTL")
        script.down()
        assert script.place() == pytest.approx(HOME[:2], abs=3.0 * METRE)


@every_kind
def test_parameters_are_fetched_and_set_by_pymavlink(kind):
    name = "RTL_RETURN_ALT" if kind.px4 else {"copter": "RTL_ALT_M"}.get(kind.frame, "RTL_ALTITUDE")
    with fleet_of(kind) as fleet, closing(script_for(kind, fleet)) as script:
        script.master.param_fetch_all()
        found, count = {}, None
        end = time.monotonic() + WITHIN_S
        while count is None or len(found) < count:
            assert time.monotonic() < end
            m = script.recv("PARAM_VALUE")
            if m:
                found[m.param_id], count = m.param_value, m.param_count
        assert name in found
        script.master.param_set_send(name, 77.0)
        script.until(
            lambda: (m := script.recv("PARAM_VALUE")) and m.param_id == name and m.param_value == 77.0, "its new value"
        )
