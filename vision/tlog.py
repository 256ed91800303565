"""Poses from a MAVLink telemetry log (``.tlog``): the autopilot's position and attitude with the gimbal's angles.

Frames, as the messages define them: ATTITUDE is the airframe's, NED. A gimbal's roll and pitch are against the horizon,
never against the airframe; its yaw is against the airframe's heading (GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME,
MOUNT_ORIENTATION) or against north (YAW_IN_EARTH_FRAME). Where neither flag is set YAW_LOCK tells, as the message
says. MOUNT_STATUS is not read: autopilots differ in its frames. GLOBAL_POSITION_INT tells heights AMSL.

Times are those of the vehicle (``time_boot_ms``), laid on UTC by its SYSTEM_TIME, else by the stamps of the ground
station. The notes of the track say which, and how far the two clocks are apart.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymavlink.dialects.v20 import ardupilotmega as mav
from scipy.spatial.transform import Rotation

from geo import Altitude, CameraPose, Datum, PoseSigma, attitude_from_rotation
from vision.errors import MetadataError
from vision.pose import POSE_SIGMAS, PoseSample, PoseTrack

__all__ = ["read_tlog"]

Floats = NDArray[np.float64]

_STAMP = struct.Struct(">Q")
_EARLIEST_US, _LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000  # 2000 to 2100
_MAX_GAP_S = 2.0
_RESTART_MS = 1000
_NO_HEADING = 65_535


def read_tlog(
    path: str | Path,
    *,
    attitude: tuple[float, float, float] | None = None,
    system: int | None = None,
    sigma: PoseSigma | None = None,
) -> PoseTrack:
    """Read a telemetry log.

    Parameters
    ----------
    path
        The file, of any ground station.
    attitude
        Yaw, pitch, roll of a camera that is fixed to the airframe, relative to it, degrees: for a log without gimbal
        angles; never guessed.
    system
        MAVLink system of the vehicle, where the log has several.
    sigma
        One-sigma errors; None takes `POSE_SIGMAS`.

    Returns
    -------
    PoseTrack
        UTC times; no pose where position or angles are missing for more than two seconds.

    Raises
    ------
    MetadataError
        When the file is no log, has no position or no attitude, several vehicles and none chosen, a restart of the
        vehicle within, or no gimbal angles and no `attitude`.
    """
    heard = _of_one(path, _hear(path), system)
    if not heard.position:
        raise MetadataError(f"{path}: has no GLOBAL_POSITION_INT: log the vehicle's position")
    zero_us, notes = _zero(path, heard)
    place = _Series.of(heard.position, lambda m: (m.lat / 1e7, m.lon / 1e7, m.alt / 1000.0))
    frame = _airframe(path, heard, need_all=not heard.gimbal)
    if heard.gimbal:
        axis = _gimbal(path, heard, frame)
    elif attitude is not None:
        mount = Rotation.from_euler("ZYX", attitude, degrees=True)
        axis = {ms: turn * mount for ms, turn in frame.items()}
        notes.append("The log has no gimbal angles: the camera is taken as fixed to the airframe as given.")
    else:
        raise MetadataError(
            f"{path}: has no gimbal angles (GIMBAL_DEVICE_ATTITUDE_STATUS, MOUNT_ORIENTATION): give the camera's yaw, "
            "pitch and roll on the airframe (attitude)"
        )
    samples = []
    for ms in sorted(axis):
        at = place.at(ms)
        pose = None
        if at is not None:
            yaw, pitch, roll = attitude_from_rotation(axis[ms].as_matrix())
            lon = float(at[1])
            pose = CameraPose(
                float(at[0]), lon, Altitude(float(at[2]), Datum.AMSL), yaw, pitch, roll, sigma or POSE_SIGMAS["tlog"]
            )
        samples.append(PoseSample(zero_us + ms * 1000, pose))
    if not any(sample.pose for sample in samples):
        raise MetadataError(f"{path}: positions and angles are nowhere within {_MAX_GAP_S:g} s: the log has holes")
    return PoseTrack(samples, absolute=True, origin="tlog", notes=tuple(notes))


@dataclass(slots=True)
class _Heard:
    """Messages of one vehicle by its own time, milliseconds since its start."""

    position: dict[int, Any] = field(default_factory=dict)
    attitude: dict[int, Any] = field(default_factory=dict)
    device: dict[int, Any] = field(default_factory=dict)
    mount: dict[int, Any] = field(default_factory=dict)
    clock: list[tuple[int, int]] = field(default_factory=list)
    stamps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def gimbal(self) -> bool:
        """Whether a gimbal told its angles."""
        return bool(self.device or self.mount)


_KEPT: Mapping[str, str] = {
    "GLOBAL_POSITION_INT": "position",
    "ATTITUDE": "attitude",
    "GIMBAL_DEVICE_ATTITUDE_STATUS": "device",
    "MOUNT_ORIENTATION": "mount",
}


def _hear(path: str | Path) -> dict[int, _Heard]:
    by_system: dict[int, _Heard] = {}
    newest: dict[int, int] = {}
    for stamp_us, message in _messages(path):
        kind, system = message.get_type(), message.get_srcSystem()
        if kind not in _KEPT and kind != "SYSTEM_TIME":
            continue
        heard = by_system.setdefault(system, _Heard())
        ms = int(message.time_boot_ms)
        if kind == "SYSTEM_TIME":
            if _EARLIEST_US <= message.time_unix_usec <= _LATEST_US:
                heard.clock.append((ms, int(message.time_unix_usec)))
            continue
        if ms < newest.get(system, 0) - _RESTART_MS and kind in {"GLOBAL_POSITION_INT", "ATTITUDE"}:
            raise MetadataError(f"{path}: vehicle {system} was restarted within the log: cut the log there")
        newest[system] = max(ms, newest.get(system, 0))
        if kind == "GLOBAL_POSITION_INT" and message.lat == 0 and message.lon == 0:
            continue  # what a vehicle says that has no position yet
        getattr(heard, _KEPT[kind])[ms] = message
        heard.stamps.append((ms, stamp_us))
    return by_system


def _messages(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Time of the ground station, microseconds UTC, and message; bytes that are no record are passed over."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error.strerror}): give a .tlog file") from error
    parser = mav.MAVLink(None)
    at, end = 0, len(data)
    while at + _STAMP.size + 8 <= end:
        (stamp_us,) = _STAMP.unpack_from(data, at)
        begin = at + _STAMP.size
        length = _length(data, begin)
        if length is None or begin + length > end or not _EARLIEST_US <= stamp_us <= _LATEST_US:
            at += 1
            continue
        try:
            message = parser.decode(bytearray(data[begin : begin + length]))
        except (mav.MAVError, struct.error, UnicodeError):
            # Wrong checksum, or a message that the dialect lacks: the next record begins behind it, or a byte on.
            behind = begin + length + _STAMP.size
            at = begin + length if behind < end and data[behind] in {0xFD, 0xFE} else at + 1
            continue
        at = begin + length
        yield stamp_us, message


def _length(data: bytes, begin: int) -> int | None:
    """Length of the frame that begins there, of MAVLink 1 or 2, signed or not."""
    if data[begin] == 0xFE:
        return 8 + data[begin + 1]
    if data[begin] == 0xFD:
        return 12 + data[begin + 1] + (13 if data[begin + 2] & 1 else 0)
    return None


def _of_one(path: str | Path, by_system: Mapping[int, _Heard], system: int | None) -> _Heard:
    flying = {number: heard for number, heard in by_system.items() if heard.position or number == system}
    if system is not None and system in flying:
        return flying[system]
    if len(flying) == 1 and system is None:
        return next(iter(flying.values()))
    if not flying:
        raise MetadataError(f"{path}: has no GLOBAL_POSITION_INT of a vehicle: give a telemetry log of a flight")
    raise MetadataError(f"{path}: has the vehicles {', '.join(map(str, sorted(flying)))}: choose one (system)")


def _zero(path: str | Path, heard: _Heard) -> tuple[int, list[str]]:
    """UTC of the vehicle's start, microseconds, and how it is known."""
    by_station = min(stamp - ms * 1000 for ms, stamp in heard.stamps)  # the one that was least on the way
    if not heard.clock:
        note = (
            "the vehicle tells no time of day (SYSTEM_TIME): times are the ground station's, late by the link's delay"
        )
        return by_station, [f"{path}: {note}"]
    zero = int(np.median([unix - ms * 1000 for ms, unix in heard.clock]))
    apart = f"the ground station's clock is {(by_station - zero) / 1e6:+.3f} s from it"
    return zero, [f"{path}: times are the vehicle's (SYSTEM_TIME); {apart}"]


def _airframe(path: str | Path, heard: _Heard, *, need_all: bool) -> dict[int, Rotation]:
    """Attitude of the airframe; from the heading alone where there is no ATTITUDE and a gimbal needs no more."""
    if heard.attitude:
        return {ms: Rotation.from_euler("ZYX", (m.yaw, m.pitch, m.roll)) for ms, m in sorted(heard.attitude.items())}
    headings = {ms: m.hdg for ms, m in sorted(heard.position.items()) if m.hdg != _NO_HEADING}
    if need_all or not headings:
        raise MetadataError(f"{path}: has no ATTITUDE: log the vehicle's attitude")
    return {ms: Rotation.from_euler("Z", hdg / 100.0, degrees=True) for ms, hdg in headings.items()}


def _gimbal(path: str | Path, heard: _Heard, frame: Mapping[int, Rotation]) -> dict[int, Rotation]:
    """Attitude of the optical axis in NED at each report of the gimbal."""
    heading = _Series.of(frame, lambda turn: tuple(_heading(turn)))
    found: dict[int, Rotation] = {}
    reports = heard.device or heard.mount
    for ms, message in sorted(reports.items()):
        turn, earth = _report(message)
        if turn is None:
            continue
        if not earth:
            at = heading.at(ms)
            if at is None:
                continue
            turn = Rotation.from_euler("Z", math.atan2(at[1], at[0])) * turn
        found[ms] = turn
    if not found:
        raise MetadataError(f"{path}: no report of the gimbal gives angles beside an attitude of the vehicle")
    return found


def _heading(turn: Rotation) -> tuple[float, float]:
    """North and east of the airframe's nose, so that headings interpolate across north."""
    yaw, _, _ = turn.as_euler("ZYX")
    return math.cos(yaw), math.sin(yaw)


def _report(message: Any) -> tuple[Rotation | None, bool]:
    """What a gimbal says, roll and pitch against the horizon, and whether its yaw is against north."""
    if message.get_type() == "MOUNT_ORIENTATION":
        yaw, earth = (message.yaw, False) if math.isfinite(message.yaw) else (message.yaw_absolute, True)
        angles = (yaw, message.pitch, message.roll)
        if not all(map(math.isfinite, angles)):
            return None, earth
        return Rotation.from_euler("ZYX", angles, degrees=True), earth
    flags = message.flags
    earth = bool(flags & mav.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME)
    if not earth and not flags & mav.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME:
        earth = bool(flags & mav.GIMBAL_DEVICE_FLAGS_YAW_LOCK)
    w, x, y, z = message.q
    length = math.sqrt(w * w + x * x + y * y + z * z)
    if not math.isfinite(length) or abs(length - 1) > 0.05:
        return None, earth
    return Rotation.from_quat((x, y, z, w)), earth


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """Values over the vehicle's time, to interpolate; nothing across a hole."""

    times: Floats
    values: Floats

    @classmethod
    def of(cls, messages: Mapping[int, Any], values: Callable[[Any], Sequence[float]]) -> _Series:
        times = sorted(messages)
        return cls(np.array(times, dtype=float), np.array([values(messages[t]) for t in times]))

    def at(self, ms: float) -> Floats | None:
        """The value at a time, or None."""
        i = int(np.searchsorted(self.times, ms))
        if i < len(self.times) and self.times[i] == ms:
            return np.asarray(self.values[i])
        if i in {0, len(self.times)} or self.times[i] - self.times[i - 1] > _MAX_GAP_S * 1000:
            return None
        share = (ms - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        return np.asarray(self.values[i - 1] + share * (self.values[i] - self.values[i - 1]))
