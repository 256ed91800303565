"""How much faster than the wall clock simulated vehicles fly on one core, with telemetry on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from bench.rows import BenchError, Row, wanted
from sim import Boot, Endpoint, FleetConfig, PowerModel, Wind, run_fleet

HOME = (31.34, -110.94, 1180.0)
FLEETS = (1, 2, 10)
GOAL_OF_TWO = 150.0
_WINDOW_S = 2.0
_WAIT_S = 20.0


def rows(data: Path | None, only: str | None) -> Iterator[Row]:  # noqa: ARG001 (one signature for all rooms)
    """Yield simulated seconds per CPU second for fleets of several sizes, all vehicles in the air."""
    for count in FLEETS:
        name = f"speed/{count}"
        if wanted(name, only):
            speed = _speed(count)
            goal = f">= {GOAL_OF_TWO:g}" if count == 2 else ""
            yield Row(name, speed, "sim s per CPU s", goal=goal, met=speed >= GOAL_OF_TWO if goal else None)


def _speed(count: int) -> float:
    config = FleetConfig(
        home=HOME,
        vehicles=count,
        speedup=10000.0,
        boot=Boot(0.0, 0.0, 0.0),
        power=PowerModel(capacity_wh=1e6),
        wind=Wind(5.0, 250.0, 1.0),
    )
    stop, started = threading.Event(), threading.Event()
    endpoints: list[Endpoint] = []

    def ready(found: list[Endpoint]) -> None:
        endpoints.extend(found)
        started.set()

    thread = threading.Thread(target=run_fleet, args=(config,), kwargs={"ready": ready, "stop": stop})
    thread.start()
    try:
        if not started.wait(_WAIT_S):
            raise BenchError("the simulated fleet did not start: run `python -m bench sim` alone to see why")
        pilots = [_Pilot(endpoint) for endpoint in endpoints]
        for pilot in pilots:
            pilot.take_off()
        return _measure(pilots[0])
    finally:
        stop.set()
        thread.join()


def _measure(pilot: _Pilot) -> float:
    """Simulated over CPU seconds of this process, whose other work is to drop the telemetry."""
    pilot.drop_backlog()
    begin_ms, cpu_s = pilot.wait("SYSTEM_TIME").time_boot_ms, time.process_time()
    time.sleep(_WINDOW_S)
    pilot.drop_backlog()
    end_ms = pilot.wait("SYSTEM_TIME").time_boot_ms
    return float((end_ms - begin_ms) / 1000.0 / (time.process_time() - cpu_s))


class _Pilot:
    """As little of a ground station as starts a mission."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._target = endpoint.sysid
        self._mav = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(_WAIT_S)
        self._socket.connect((endpoint.host, endpoint.port))

    def take_off(self) -> None:
        """Upload a mission to a point a day away, start it and ask for telemetry."""
        places = [(16, 0, 0.0, 0), (22, 3, 60.0, 0), (16, 3, 60.0, 9)]
        self._send(mav.MAVLink_mission_count_message(self._target, 1, len(places), 0))
        for seq, (command, frame, up_m, far) in enumerate(places):
            self.wait("MISSION_REQUEST")
            place = (int((HOME[0] + far) * 1e7), int(HOME[1] * 1e7)) if far else (0, 0)
            head = (self._target, 1, seq, frame, command, 0, 1, 0.0, 0.0, 0.0, 0.0)
            self._send(mav.MAVLink_mission_item_int_message(*head, *place, up_m, 0))
        self.wait("MISSION_ACK")
        for command, params in ((176, (1.0, 4.0)), (400, (1.0, 0.0)), (300, (0.0, 0.0))):
            self._command(command, *params)
        for message in (1, 2, 24, 30, 33, 42, 74, 147, 193, 245):
            self._command(511, float(message), 250000.0)

    def drop_backlog(self) -> None:
        """Throw away what has come."""
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(2048)
        except BlockingIOError:
            self._socket.settimeout(_WAIT_S)

    def wait(self, kind: str) -> Any:
        """The next message of a kind."""
        while True:
            for message in self._mav.parse_buffer(self._socket.recv(2048)) or ():
                if message.get_type() == kind:
                    return message

    def _command(self, command: int, first: float, second: float) -> None:
        self._send(mav.MAVLink_command_long_message(self._target, 1, command, 0, first, second, 0, 0, 0, 0, 0))
        if self.wait("COMMAND_ACK").result != mav.MAV_RESULT_ACCEPTED:
            raise BenchError(f"the simulated vehicle refused command {command}: run the tests of sim")

    def _send(self, message: Any) -> None:
        self._socket.send(message.pack(self._mav))
