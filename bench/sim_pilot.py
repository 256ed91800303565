"""As little of a ground station as starts a mission, over sockets; what does not come in time is asked for again."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.rows import BenchError
from sim import Endpoint

__all__ = ["STREAMS", "Pilot"]

STREAMS = (1, 2, 24, 30, 33, 42, 74, 147, 193, 245)
"""What is asked for: status, time, GPS, attitude, position, mission, speeds, battery, filter, landed state."""

_ANSWER_S = 2.0
_WAIT_S = 30.0


class Pilot:
    """A ground station of one vehicle.

    Parameters
    ----------
    endpoint
        The vehicle.
    home
        Latitude and longitude, degrees, and elevation: it flies due north from there, for a day.
    """

    def __init__(self, endpoint: Endpoint, home: tuple[float, float, float]) -> None:
        self._target = endpoint.sysid
        self._home = home
        self._mav = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self._mav.robust_parsing = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((endpoint.host, endpoint.port))

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def take_off(self) -> None:
        """Upload a mission to a point a day away, start it and ask for telemetry."""
        self._upload([(16, 0, 0.0, 0), (22, 3, 60.0, 0), (16, 3, 60.0, 9)])
        for command, params in ((176, (1.0, 4.0)), (400, (1.0, 0.0)), (300, (0.0, 0.0))):
            self._command(command, *params)
        for message in STREAMS:
            self._command(511, float(message), 250000.0)

    def drop_backlog(self) -> None:
        """Throw away what has come."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(2048)
        except BlockingIOError:
            return

    def boot_s(self) -> float:
        """Simulated seconds since power-on in the next SYSTEM_TIME."""
        self.drop_backlog()
        return float(self._ask(lambda: None, {"SYSTEM_TIME"}).time_boot_ms) / 1000.0

    def _upload(self, places: list[tuple[int, int, float, int]]) -> None:
        """Each item as it is asked for, however often that is; begun anew where the vehicle has given up."""

        def begin() -> None:
            self._send(mav.MAVLink_mission_count_message(self._target, 1, len(places), 0))

        send: Callable[[], object] = begin
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end:
            message = self._ask(send, {"MISSION_REQUEST", "MISSION_ACK"})
            if message.get_type() == "MISSION_ACK":
                if message.type == mav.MAV_MISSION_ACCEPTED:
                    return
                send = begin
            else:
                send = partial(self._send, self._item(message.seq, places[message.seq]))
        raise BenchError("the simulated vehicle took no mission: run the tests of sim")

    def _item(self, seq: int, row: tuple[int, int, float, int]) -> Any:
        command, frame, up_m, far = row
        place = (int((self._home[0] + far) * 1e7), int(self._home[1] * 1e7)) if far else (0, 0)
        head = (self._target, 1, seq, frame, command, 0, 1, 0.0, 0.0, 0.0, 0.0)
        return mav.MAVLink_mission_item_int_message(*head, *place, up_m, 0)

    def _command(self, command: int, first: float, second: float) -> None:
        order = mav.MAVLink_command_long_message(self._target, 1, command, 0, first, second, 0, 0, 0, 0, 0)
        answer = self._ask(lambda: self._send(order), {"COMMAND_ACK"}, lambda m: bool(m.command == command))
        if answer.result != mav.MAV_RESULT_ACCEPTED:
            raise BenchError(f"the simulated vehicle refused command {command}: run the tests of sim")

    def _ask(self, send: Callable[[], object], kinds: set[str], where: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of some kinds after sending, again every two seconds."""
        end = time.monotonic() + _WAIT_S
        while time.monotonic() < end:
            send()
            for message in self._heard(min(end, time.monotonic() + _ANSWER_S)):
                if message.get_type() in kinds and where(message):
                    return message
        names = " or ".join(sorted(kinds))
        raise BenchError(
            f"no {names} came from vehicle {self._target} within {_WAIT_S:g} s: "
            "run `python -m bench sim` on a machine that has time for it"
        )

    def _heard(self, end: float) -> Iterator[Any]:
        while (left := end - time.monotonic()) > 0.0:
            self._socket.settimeout(left)
            try:
                yield from self._mav.parse_buffer(self._socket.recv(2048)) or ()
            except (TimeoutError, ConnectionRefusedError):
                return

    def _send(self, message: Any) -> None:
        try:
            self._socket.send(message.pack(self._mav))
        except ConnectionRefusedError:  # of an earlier datagram: who is asked again answers or is told of
            return
