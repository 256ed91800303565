"""Poses from a MAVLink telemetry log (``.tlog``), as any ground station keeps it; see `vision.mavlink_pose`."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

from geo import PoseSigma
from vision.errors import MetadataError
from vision.mavlink_pose import EARLIEST_US, LATEST_US, Heard, poses_of
from vision.pose import PoseTrack

__all__ = ["read_tlog"]

_STAMP = struct.Struct(">Q")


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
    samples, notes = poses_of(str(path), heard, attitude, sigma)
    return PoseTrack(samples, absolute=True, origin="tlog", notes=tuple(notes))


def _hear(path: str | Path) -> dict[int, Heard]:
    by_system: dict[int, Heard] = {}
    for stamp_us, message in _messages(path):
        system = message.get_srcSystem()
        if not by_system.setdefault(system, Heard()).take(message, stamp_us):
            raise MetadataError(f"{path}: vehicle {system} was restarted within the log: cut the log there")
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
        if length is None or begin + length > end or not EARLIEST_US <= stamp_us <= LATEST_US:
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


def _of_one(path: str | Path, by_system: Mapping[int, Heard], system: int | None) -> Heard:
    flying = {number: heard for number, heard in by_system.items() if heard.position or number == system}
    if system is not None and system in flying:
        return flying[system]
    if len(flying) == 1 and system is None:
        return next(iter(flying.values()))
    if not flying:
        raise MetadataError(f"{path}: has no GLOBAL_POSITION_INT of a vehicle: give a telemetry log of a flight")
    raise MetadataError(f"{path}: has the vehicles {', '.join(map(str, sorted(flying)))}: choose one (system)")
