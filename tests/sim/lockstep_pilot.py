"""A ground station for a vehicle in lock-step: everything that was said, with the simulated time of it."""

from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.mav_client import HOME

BOOT = sim.Boot(0.0, 0.0, 0.0)


class Pilot:
    """One peer of one vehicle of a `LockstepFleet`; `heard` are its messages as (time, message)."""

    def __init__(self, fleet, sysid=1, *, as_sysid=255, compid=190):
        self.fleet, self.target = fleet, sysid
        self.link = fleet.connect(sysid)
        self._mav = mav.MAVLink(None, srcSystem=as_sysid, srcComponent=compid)
        self._mav.robust_parsing = True
        self.heard, self.raw = [], []

    def send(self, message):
        self.link.write(message.pack(self._mav))
        self._mav.seq = (self._mav.seq + 1) % 256
        self.listen()

    def listen(self):
        for data in self.link.read():
            self.raw.append((self.fleet.time_s, self.target, data))
            self.heard += [(self.fleet.time_s, message) for message in self._mav.parse_buffer(data) or ()]

    def advance(self, seconds, slice_s=None):
        """Let time pass, in slices that each message is timed by."""
        left = round(seconds / (slice_s or seconds))
        for _ in range(left):
            self.fleet.advance(slice_s or seconds)
            self.listen()

    def until(self, what, most_s=600.0, slice_s=0.5):
        """Let time pass until something is so; the time."""
        end = self.fleet.time_s + most_s
        while not what():
            assert self.fleet.time_s < end, f"not within {most_s} s; texts: {self.texts}"
            self.advance(slice_s)
        return self.fleet.time_s

    def said(self, kind):
        return [message for _, message in self.heard if message.get_type() == kind]

    def last(self, kind):
        return self.said(kind)[-1]

    @property
    def texts(self):
        return [message.text for message in self.said("STATUSTEXT")]

    def heartbeat(self):
        self.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 0, 3))

    def order(self, command, *params):
        p = (*params, *[0.0] * 7)[:7]
        self.send(mav.MAVLink_command_long_message(self.target, 1, command, 0, *p))

    def order_int(self, command, *params, frame=3, lat=0.0, lon=0.0, z=0.0):
        p = (*params, *[0.0] * 4)[:4]
        place = (round(lat * 1e7), round(lon * 1e7), z)
        self.send(mav.MAVLink_command_int_message(self.target, 1, frame, command, 0, 0, *p, *place))

    def command(self, command, *params):
        """MAV_RESULT of an order that nothing delays."""
        self.order(command, *params)
        return next(m.result for m in reversed(self.said("COMMAND_ACK")) if m.command == command)

    def command_int(self, command, *params, **place):
        self.order_int(command, *params, **place)
        return next(m.result for m in reversed(self.said("COMMAND_ACK")) if m.command == command)

    def request(self, kind):
        """The message that REQUEST_MESSAGE brings."""
        assert self.command(512, kind) == 0
        return self.heard[-2][1]

    def set_param(self, name, value):
        self.send(mav.MAVLink_param_set_message(self.target, 1, name.encode(), value, 9))
        return self.last("PARAM_VALUE").param_value

    def stream(self, *kinds, interval_s=0.2):
        for kind in kinds:
            assert self.command(511, kind, interval_s * 1e6) == 0

    def upload(self, items, kind=0):
        """The MAV_MISSION_RESULT of an upload that nothing delays; no time passes."""
        self.send(mav.MAVLink_mission_count_message(self.target, 1, len(items), kind))
        for seq, (frame, command, *rest) in enumerate(items):
            head = (self.target, 1, seq, frame, command, 0, 1)
            self.send(mav.MAVLink_mission_item_int_message(*head, *rest, kind))
        return self.last("MISSION_ACK").type

    def arm_and_start(self):
        assert [self.command(176, 1, 4), self.command(400, 1), self.command(176, 1, 3), self.command(300)] == [0] * 4


def lockstep(**changes):
    """A fleet in lock-step that is ready at once."""
    return sim.LockstepFleet(sim.FleetConfig(**({"home": HOME, "boot": BOOT, "clock": "lockstep"} | changes)))
