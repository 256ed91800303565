"""Camera poses out of MAVLink telemetry: the autopilot's position and attitude with the gimbal's angles.

Frames, as the messages define them: ATTITUDE is the airframe's, NED. A gimbal's roll and pitch are against the horizon,
never against the airframe; its yaw is against the airframe's heading (GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME,
MOUNT_ORIENTATION) or against north (YAW_IN_EARTH_FRAME). Where neither flag is set YAW_LOCK tells, as the message
says. MOUNT_STATUS is not read: autopilots differ in its frames. GLOBAL_POSITION_INT tells heights AMSL.

Times are those of the vehicle (``time_boot_ms``), laid on UTC by its SYSTEM_TIME, else by the stamps of the ground
station. The notes say which, and how far the two clocks are apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymavlink.dialects.v20 import ardupilotmega as mav
from scipy.spatial.transform import Rotation

from geo import Altitude, CameraPose, Datum, PoseSigma, attitude_from_rotation
from vision.errors import MetadataError
from vision.pose import POSE_SIGMAS, PoseSample

__all__ = ["EARLIEST_US", "LATEST_US", "Heard", "poses_of", "zero_of"]

Floats = NDArray[np.float64]

EARLIEST_US, LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000
"""2000 to 2100: what a clock says beyond is no time."""

_MAX_GAP_S = 2.0
_RESTART_MS = 1000
_NO_HEADING = 65_535


@dataclass(slots=True)
class Heard:
    """Messages of one vehicle by its own time, milliseconds since its start.

    Parameters
    ----------
    position, attitude, device, mount
        GLOBAL_POSITION_INT, ATTITUDE, GIMBAL_DEVICE_ATTITUDE_STATUS, MOUNT_ORIENTATION.
    clock, stamps
        The vehicle's time with UTC as its SYSTEM_TIME tells, and as the ground station received; microseconds.
    newest_ms
        The vehicle's time of the newest message.
    """

    position: dict[int, Any] = field(default_factory=dict)
    attitude: dict[int, Any] = field(default_factory=dict)
    device: dict[int, Any] = field(default_factory=dict)
    mount: dict[int, Any] = field(default_factory=dict)
    clock: list[tuple[int, int]] = field(default_factory=list)
    stamps: list[tuple[int, int]] = field(default_factory=list)
    newest_ms: int = 0

    @property
    def gimbal(self) -> bool:
        """Whether a gimbal told its angles."""
        return bool(self.device or self.mount)

    def take(self, message: Any, stamp_us: int) -> bool:
        """Keep a message if it is of use. False, and not kept, where the vehicle was started anew since the last."""
        kind = message.get_type()
        if kind not in _KEPT and kind != "SYSTEM_TIME":
            return True
        ms = int(message.time_boot_ms)
        if kind == "SYSTEM_TIME":
            if EARLIEST_US <= message.time_unix_usec <= LATEST_US:
                self.clock.append((ms, int(message.time_unix_usec)))
            return True
        if ms < self.newest_ms - _RESTART_MS and kind in {"GLOBAL_POSITION_INT", "ATTITUDE"}:
            return False
        self.newest_ms = max(ms, self.newest_ms)
        if kind == "GLOBAL_POSITION_INT" and message.lat == 0 and message.lon == 0:
            return True  # what a vehicle says that has no position yet
        getattr(self, _KEPT[kind])[ms] = message
        self.stamps.append((ms, stamp_us))
        return True

    def between(self, first_ms: float, last_ms: float) -> Heard:
        """What was heard within a span of the vehicle's time; of its clock all."""

        def within(kept: Mapping[int, Any]) -> dict[int, Any]:
            return {ms: message for ms, message in kept.items() if first_ms <= ms <= last_ms}

        return Heard(
            within(self.position),
            within(self.attitude),
            within(self.device),
            within(self.mount),
            list(self.clock),
            list(self.stamps),
            self.newest_ms,
        )

    def forget(self, before_ms: int, clocks: int) -> None:
        """Let go of messages of before a time, and of all but the newest stamps of the clocks."""
        for kept in (getattr(self, name) for name in _KEPT.values()):
            for ms in [ms for ms in kept if ms < before_ms]:
                del kept[ms]
        del self.clock[:-clocks], self.stamps[:-clocks]


_KEPT: Mapping[str, str] = {
    "GLOBAL_POSITION_INT": "position",
    "ATTITUDE": "attitude",
    "GIMBAL_DEVICE_ATTITUDE_STATUS": "device",
    "MOUNT_ORIENTATION": "mount",
}


def poses_of(
    name: str, heard: Heard, attitude: tuple[float, float, float] | None, sigma: PoseSigma | None
) -> tuple[list[PoseSample], list[str]]:
    """Poses of what was heard at UTC times, and notes.

    Parameters
    ----------
    name
        Of the log or the link, for messages.
    heard
        Messages of one vehicle.
    attitude
        Yaw, pitch, roll of a camera that is fixed to the airframe, relative to it, degrees; None for a gimbal's.
    sigma
        One-sigma errors; None takes `POSE_SIGMAS`.

    Raises
    ------
    MetadataError
        When there is no position or no attitude, or no gimbal angles and no `attitude`.
    """
    if not heard.position:
        raise MetadataError(f"{name}: has no GLOBAL_POSITION_INT: log the vehicle's position")
    zero_us, notes = zero_of(name, heard)
    place = _Series.of(heard.position, lambda m: (m.lat / 1e7, m.lon / 1e7, m.alt / 1000.0))
    frame = _airframe(name, heard, need_all=not heard.gimbal)
    if heard.gimbal:
        axis = _gimbal(name, heard, frame)
    elif attitude is not None:
        mount = Rotation.from_euler("ZYX", attitude, degrees=True)
        axis = {ms: turn * mount for ms, turn in frame.items()}
        notes.append("The log has no gimbal angles: the camera is taken as fixed to the airframe as given.")
    else:
        raise MetadataError(
            f"{name}: has no gimbal angles (GIMBAL_DEVICE_ATTITUDE_STATUS, MOUNT_ORIENTATION): give the camera's yaw, "
            "pitch and roll on the airframe (--attitude)"
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
        raise MetadataError(f"{name}: positions and angles are nowhere within {_MAX_GAP_S:g} s: the log has holes")
    return samples, notes


def zero_of(name: str, heard: Heard) -> tuple[int, list[str]]:
    """UTC of the vehicle's start, microseconds, and how it is known."""
    by_station = min(stamp - ms * 1000 for ms, stamp in heard.stamps)  # the one that was least on the way
    if not heard.clock:
        note = (
            "the vehicle tells no time of day (SYSTEM_TIME): times are the ground station's, late by the link's delay"
        )
        return by_station, [f"{name}: {note}"]
    zero = int(np.median([unix - ms * 1000 for ms, unix in heard.clock]))
    apart = f"the ground station's clock is {(by_station - zero) / 1e6:+.3f} s from it"
    return zero, [f"{name}: times are the vehicle's (SYSTEM_TIME); {apart}"]


def _airframe(name: str, heard: Heard, *, need_all: bool) -> dict[int, Rotation]:
    """Attitude of the airframe; from the heading alone where there is no ATTITUDE and a gimbal needs no more."""
    if heard.attitude:
        return {ms: Rotation.from_euler("ZYX", (m.yaw, m.pitch, m.roll)) for ms, m in sorted(heard.attitude.items())}
    headings = {ms: m.hdg for ms, m in sorted(heard.position.items()) if m.hdg != _NO_HEADING}
    if need_all or not headings:
        raise MetadataError(f"{name}: has no ATTITUDE: log the vehicle's attitude")
    return {ms: Rotation.from_euler("Z", hdg / 100.0, degrees=True) for ms, hdg in headings.items()}


def _gimbal(name: str, heard: Heard, frame: Mapping[int, Rotation]) -> dict[int, Rotation]:
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
        raise MetadataError(f"{name}: no report of the gimbal gives angles beside an attitude of the vehicle")
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
