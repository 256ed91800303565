"""A run told again as MAVLink: the telemetry of every vehicle out of its true record, for a map client or a log.

What a vehicle believed is not in the record: where its satellite navigation was led astray, the replay shows where it
was. A client sees vehicles that it can watch and not command.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import ardupilotmega as mav

from geo import LocalFrame, write_bytes
from sim.dialects import dialect_for
from sim.errors import ExerciseError
from sim.exercise_record import ExerciseRecord
from sim.truth_record import VehicleTruth

__all__ = ["replay", "write_replay_log"]

_STAMP = struct.Struct(">Q")
_STATUS_EVERY = 4  # moments of half a second
_LONGEST_WAIT_S = 0.2


def replay(
    record: ExerciseRecord,
    address: tuple[str, int],
    speedup: float,
    *,
    told: Callable[[float], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Send the telemetry of a run by UDP, at the pace of the run times `speedup`.

    Parameters
    ----------
    record
        The run.
    address
        Host and port of whoever listens, as a ground station does on 14550.
    speedup
        Seconds of the run a second.
    told
        Called as the run goes by, with its seconds.
    wait, clock
        For tests: waiting, and monotonic seconds.

    Returns
    -------
    int
        Packets sent.

    Raises
    ------
    ExerciseError
        When the speed-up is not positive, or the address is none.
    """
    if not speedup > 0:
        raise ExerciseError(f"replay: speedup is {speedup}: give a figure above 0")
    sent, begin = 0, clock()
    first_s: float | None = None
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as link:
            for time_s, packet in _packets(record):
                first_s = time_s if first_s is None else first_s
                while (ahead := (time_s - first_s) / speedup - (clock() - begin)) > 0:
                    wait(min(ahead, _LONGEST_WAIT_S))
                    told(time_s)
                link.sendto(packet, where)
                sent += 1
    except (OSError, OverflowError) as error:
        raise ExerciseError(f"replay to {address[0]}:{address[1]}: {error}: give udp:HOST:PORT") from error
    return sent


def write_replay_log(record: ExerciseRecord, path: Path) -> None:
    """Write the same telemetry as a ``.tlog``, at the times of the exercise. Raises FileWriteError."""
    epoch_us = record.exercise.played_world.epoch_us
    write_bytes(
        path, b"".join(_STAMP.pack(epoch_us + round(time_s * 1e6)) + packet for time_s, packet in _packets(record))
    )


def _packets(record: ExerciseRecord) -> Iterator[tuple[float, bytes]]:
    """Every packet with its time, in order of time."""
    fleet = record.exercise.fleet
    tellers = [_Teller(truth, record.exercise.frame, fleet.autopilot) for truth in record.truth.values()]
    for row in range(max(len(teller.truth.time_s) for teller in tellers)):
        for teller in tellers:
            if row < len(teller.truth.time_s):
                time_s = float(teller.truth.time_s[row])
                for message in teller.messages(row):
                    yield time_s, bytes(message.pack(teller.packer))


class _Teller:
    """One vehicle."""

    def __init__(self, truth: VehicleTruth, frame: LocalFrame, autopilot: str) -> None:
        self.truth = truth
        self.packer: Any = mav.MAVLink(None, srcSystem=truth.sysid, srcComponent=mav.MAV_COMP_ID_AUTOPILOT1)
        self._dialect = dialect_for(autopilot, "quad")
        self._specs = {spec.name: spec for spec in self._dialect.modes}
        east, north, up = frame.to_enu(truth.lat_deg, truth.lon_deg, truth.amsl_m)
        self._velocity = [_rate(truth.time_s, axis) for axis in (east, north, up)]

    def messages(self, row: int) -> Iterator[Any]:
        truth = self.truth
        boot_ms = round(float(truth.time_s[row]) * 1000)
        if row % _STATUS_EVERY == 0:
            spec = self._specs[truth.mode[row]]
            base = spec.flags | (mav.MAV_MODE_FLAG_SAFETY_ARMED if truth.armed[row] else 0)
            state = mav.MAV_STATE_ACTIVE if truth.airborne[row] else mav.MAV_STATE_STANDBY
            yield mav.MAVLink_heartbeat_message(
                mav.MAV_TYPE_QUADROTOR, self._dialect.autopilot, base, spec.number, state, 3
            )
            charge = round(float(truth.battery_pct[row]))
            yield mav.MAVLink_sys_status_message(0, 0, 0, 0, 65535, -1, charge, 0, 0, 0, 0, 0, 0)
        ve, vn, vu = (float(axis[row]) for axis in self._velocity)
        yield mav.MAVLink_global_position_int_message(
            boot_ms,
            round(float(truth.lat_deg[row]) * 1e7),
            round(float(truth.lon_deg[row]) * 1e7),
            round(float(truth.amsl_m[row]) * 1000),
            round(float(truth.amsl_m[row] - truth.amsl_m[0]) * 1000),
            _centi(vn),
            _centi(ve),
            _centi(-vu),
            round(float(truth.yaw_deg[row]) * 100) % 36000,
        )
        yaw = radians((float(truth.yaw_deg[row]) + 180.0) % 360.0 - 180.0)
        roll, pitch = radians(float(truth.roll_deg[row])), radians(float(truth.nose_deg[row]))
        yield mav.MAVLink_attitude_message(boot_ms, roll, pitch, yaw, 0.0, 0.0, 0.0)


def _rate(time_s: Any, metres: Any) -> Any:
    """Speed along an axis, metres a second; where the crew carries a vehicle back to its pad it is no flight."""
    if len(time_s) < 2:
        return np.zeros(len(time_s))
    rate = np.gradient(metres, time_s)
    return np.where(np.abs(rate) < 100.0, rate, 0.0)


def _centi(metres_a_second: float) -> int:
    return max(-32767, min(32767, round(metres_a_second * 100)))
