"""A minimal ground station for tests: plain sockets and pymavlink's message definitions."""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pymavlink.dialects.v20 import ardupilotmega as mav

import sim

HOME = (31.34, -110.94, 1180.0)
WAYPOINT, TAKEOFF, RTL, LAND = 16, 22, 20, 21
ACCEPTED = 0
_AT_MOST = 1000


def item(command, *, frame=0, params=(0.0, 0.0, 0.0, 0.0), lat=0.0, lon=0.0, z=0.0):
    """One item as a tuple of what MISSION_ITEM_INT wants after the sequence number."""
    p = (*params, 0.0, 0.0, 0.0, 0.0)[:4]
    return frame, command, *p, round(lat * 1e7), round(lon * 1e7), z


def home_item():
    return item(WAYPOINT)


def takeoff(up_m):
    return item(TAKEOFF, frame=6, z=up_m)


def waypoint(lat, lon, up_m, hold_s=0.0):
    return item(WAYPOINT, frame=6, params=(hold_s,), lat=lat, lon=lon, z=up_m)


def small_mission(up_m=30.0):
    return [
        home_item(),
        takeoff(up_m),
        item(178, params=(1.0, 12.0, -1.0)),
        item(205, frame=2, params=(-57.0, 0.0, 90.0), z=2.0),
        item(2500, frame=2),
        waypoint(31.342, -110.94, up_m),
        waypoint(31.342, -110.937, up_m),
        item(2501, frame=2),
        item(RTL),
    ]


class Client:
    """Talks to one simulated vehicle; every wait has an end."""

    def __init__(self, endpoint, *, sysid=255, compid=190, timeout_s=20.0, estimator=193):
        self.target = endpoint.sysid
        self.timeout_s = timeout_s
        self.estimator = estimator
        self.texts = []
        self.reached = []
        self.last = {}
        self._texts_told = 0
        self._address = (endpoint.host, endpoint.port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mav = mav.MAVLink(None, srcSystem=sysid, srcComponent=compid)
        self._mav.robust_parsing = True
        self._waiting = []
        self.heartbeat()

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        self._socket.sendto(message.pack(self._mav), self._address)
        self._mav.seq = (self._mav.seq + 1) % 256

    def heartbeat(self):
        self.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 0, 3))

    def messages(self, timeout_s) -> Iterator:
        """Messages until the timeout, which ends the iteration once all that had come by then is told.

        A machine that stood still for longer than the timeout loses none.
        """
        end, over = time.monotonic() + timeout_s, False
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                self.last[message.get_type()] = message
                if message.get_type() == "STATUSTEXT":
                    self.texts.append(message.text)
                # PX4 says it again and again.
                if message.get_type() == "MISSION_ITEM_REACHED" and message.seq not in self.reached[-1:]:
                    self.reached.append(message.seq)
                yield message
            if over:
                return
            left = end - time.monotonic()
            over = left <= 0
            self._socket.settimeout(max(left, 0.0))
            with suppress(TimeoutError, BlockingIOError):
                self._waiting += self._mav.parse_buffer(self._socket.recv(2048)) or []
                while over and len(self._waiting) < _AT_MOST:
                    self._waiting += self._mav.parse_buffer(self._socket.recv(2048)) or []

    def wait(self, *kinds, where: Callable = lambda _: True, timeout_s=None):
        """The next message of a kind."""
        for message in self.messages(timeout_s or self.timeout_s):
            if message.get_type() in kinds and where(message):
                return message
        raise AssertionError(f"no {kinds} came; texts: {self.texts}")

    def wait_text(self, part, timeout_s=None):
        """Wait for a text after the last one that was waited for, told while something else was or since."""
        for message in itertools.chain([None], self.messages(timeout_s or self.timeout_s)):
            if message is None or message.get_type() == "STATUSTEXT":
                found = [at for at, text in enumerate(self.texts) if at >= self._texts_told and part in text]
                if found:
                    self._texts_told = found[0] + 1
                    return
        raise AssertionError(f"{part!r} was not told; texts: {self.texts}")

    def silent(self, seconds):
        """Names of what came in a while."""
        return {m.get_type() for m in self.messages(seconds)}

    def command(self, command, *params):
        """MAV_RESULT of a COMMAND_LONG."""
        p = (*params, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)[:7]
        self.send(mav.MAVLink_command_long_message(self.target, 1, command, 0, *p))
        return self.wait("COMMAND_ACK", where=lambda m: m.command == command).result

    def stream(self, *kinds, interval_s=0.2):
        for kind in kinds:
            assert self.command(511, kind, interval_s * 1e6) == ACCEPTED

    def set_param(self, name, value):
        self.send(mav.MAVLink_param_set_message(self.target, 1, name.encode(), value, 9))
        return self.wait("PARAM_VALUE", where=lambda m: m.param_id == name).param_value

    def send_param_read(self, name):
        self.send(mav.MAVLink_param_request_read_message(self.target, 1, name.encode(), -1))

    def send_list_request(self, kind=0):
        self.send(mav.MAVLink_mission_request_list_message(self.target, 1, kind))

    def ready(self):
        """Wait for a position."""
        self.stream(self.estimator, interval_s=0.5)
        kinds = ("EKF_STATUS_REPORT", "ESTIMATOR_STATUS")
        # PX4 says 0x80 of one at rest, too, and 0x200 beside it where it measures its place.
        self.wait(*kinds, where=lambda m: m.flags & 0x10 and (not m.flags & 0x80 or m.flags & 0x200), timeout_s=30.0)

    def count(self, count, kind=0):
        self.send(mav.MAVLink_mission_count_message(self.target, 1, count, kind))

    def item(self, seq, values, kind=0):
        frame, command, *rest = values
        self.send(mav.MAVLink_mission_item_int_message(self.target, 1, seq, frame, command, 0, 1, *rest, kind))

    def upload(self, items, kind=0):
        """The MAV_MISSION_RESULT of an upload."""
        self.count(len(items), kind)
        while True:
            kinds = ("MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK")
            asked = self.wait(*kinds, where=lambda m: m.mission_type == kind)
            if asked.get_type() == "MISSION_ACK":
                return asked.type
            self.item(asked.seq, items[asked.seq], kind)

    def download(self, kind=0):
        """The items of a store, as messages."""
        self.send_list_request(kind)
        count = self.wait("MISSION_COUNT", where=lambda m: m.mission_type == kind).count
        items = []
        for seq in range(count):
            self.send(mav.MAVLink_mission_request_int_message(self.target, 1, seq, kind))
            items.append(self.wait("MISSION_ITEM_INT", where=lambda m, s=seq: m.seq == s and m.mission_type == kind))
        if count:
            self.send(mav.MAVLink_mission_ack_message(self.target, 1, 0, kind))
        return items

    def arm_and_start(self):
        assert self.command(176, 1, 4) == ACCEPTED
        assert self.command(400, 1) == ACCEPTED
        assert self.command(176, 1, 3) == ACCEPTED
        assert self.command(300) == ACCEPTED


@contextmanager
def fleet(**changes):
    """A fleet in a thread; yields its endpoints."""
    values = {"home": HOME, "boot": sim.Boot(0.0, 0.0, 0.0), "speedup": 100.0, "start_time_us": 0} | changes
    config = sim.FleetConfig(**values)
    stop, started = threading.Event(), threading.Event()
    endpoints = []

    def ready(found):
        endpoints.extend(found)
        started.set()

    thread = threading.Thread(target=sim.run_fleet, args=(config,), kwargs={"ready": ready, "stop": stop})
    thread.start()
    try:
        assert started.wait(10.0)
        yield endpoints
    finally:
        stop.set()
        thread.join(10.0)
        assert not thread.is_alive()


@contextmanager
def vehicle(**changes):
    """One vehicle in a thread and a client of it."""
    with fleet(**changes) as endpoints, Client(endpoints[0]) as client:
        yield client
