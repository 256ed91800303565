"""Metadata of a frame as a MISB ST 0601 packet (UAS Datalink Local Set), written from a table of its tags.

Layout of a packet: the 16-byte universal key, a BER length, then tag, BER length and value of each item, the checksum
last. Numbers are fixed point over a range (ST 0601, section 8); the code that leaves the range becomes the error code
of signed items and is refused for the others.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from geo import (
    CameraModel,
    CameraPose,
    FlatTerrain,
    LocalFrame,
    PoseSigma,
    attitude_from_rotation,
    footprint,
    intersect,
    rotation_ned_from_frd,
)
from sim.errors import WorldError

__all__ = ["KEY", "TAGS", "Platform", "Scaled", "encode_packet", "frame_packet", "frame_values", "standard_deviations"]

KEY = bytes.fromhex("060E2B34020B01010E01030101000000")
"""Universal key of the UAS Datalink Local Set."""

_VERSION = 19
_LONGEST_TEXT = 127


@dataclass(frozen=True, slots=True)
class Scaled:
    """A number in fixed point.

    Parameters
    ----------
    octets
        Length of the value, bytes.
    low, high
        Range. Where `low` is `-high` the code is signed, symmetric, and its lowest value means "out of range".
    """

    octets: int
    low: float
    high: float

    @property
    def signed(self) -> bool:
        """Whether the code is signed."""
        return self.low == -self.high

    @property
    def step(self) -> float:
        """The resolution: difference between neighbouring codes."""
        codes = (1 << 8 * self.octets) - (2 if self.signed else 1)
        return (self.high - self.low) / codes


_METRES_A_DEGREE = 111_132.0

TAGS: Mapping[int, tuple[str, Scaled | int | type[str]]] = MappingProxyType(
    {
        2: ("precision time stamp, UTC microseconds", 8),
        3: ("mission id", str),
        4: ("platform tail number", str),
        5: ("platform heading, degrees", Scaled(2, 0, 360)),
        6: ("platform pitch, degrees", Scaled(2, -20, 20)),
        7: ("platform roll, degrees", Scaled(2, -50, 50)),
        10: ("platform designation", str),
        11: ("image source sensor", str),
        12: ("image coordinate system", str),
        13: ("sensor latitude, degrees", Scaled(4, -90, 90)),
        14: ("sensor longitude, degrees", Scaled(4, -180, 180)),
        15: ("sensor true altitude, metres MSL", Scaled(2, -900, 19000)),
        16: ("horizontal field of view, degrees", Scaled(2, 0, 180)),
        17: ("vertical field of view, degrees", Scaled(2, 0, 180)),
        18: ("sensor relative azimuth, degrees", Scaled(4, 0, 360)),
        19: ("sensor relative elevation, degrees", Scaled(4, -180, 180)),
        20: ("sensor relative roll, degrees", Scaled(4, 0, 360)),
        21: ("slant range, metres", Scaled(4, 0, 5_000_000)),
        22: ("target width, metres", Scaled(2, 0, 10_000)),
        23: ("frame centre latitude, degrees", Scaled(4, -90, 90)),
        24: ("frame centre longitude, degrees", Scaled(4, -180, 180)),
        25: ("frame centre elevation, metres MSL", Scaled(2, -900, 19000)),
        26: ("offset corner latitude 1, degrees", Scaled(2, -0.075, 0.075)),
        27: ("offset corner longitude 1, degrees", Scaled(2, -0.075, 0.075)),
        28: ("offset corner latitude 2, degrees", Scaled(2, -0.075, 0.075)),
        29: ("offset corner longitude 2, degrees", Scaled(2, -0.075, 0.075)),
        30: ("offset corner latitude 3, degrees", Scaled(2, -0.075, 0.075)),
        31: ("offset corner longitude 3, degrees", Scaled(2, -0.075, 0.075)),
        32: ("offset corner latitude 4, degrees", Scaled(2, -0.075, 0.075)),
        33: ("offset corner longitude 4, degrees", Scaled(2, -0.075, 0.075)),
        65: ("version of ST 0601", 1),
        90: ("platform pitch, full, degrees", Scaled(4, -90, 90)),
        91: ("platform roll, full, degrees", Scaled(4, -90, 90)),
    }
)
"""Name and form of each tag that can be written: fixed point, an unsigned integer of so many bytes, or text."""

_STATED = (5, 6, 7, 90, 91, 13, 14, 15, 16, 17, 18, 19, 20)
"""Items whose standard deviations are stated, in the order in which they stand before tag 102."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The vehicle that carries the camera.

    Parameters
    ----------
    name
        Its designation, such as "vehicle-1".
    heading_deg, pitch_deg, roll_deg
        Attitude of the airframe, degrees.
    sensor
        Name of the image source.
    mission
        Name of the mission.
    """

    name: str
    heading_deg: float
    pitch_deg: float
    roll_deg: float
    sensor: str = "LWIR"
    mission: str = "patrol"


def frame_packet(
    time_us: int,
    camera: CameraModel,
    pose: CameraPose,
    platform: Platform,
    ground_amsl_m: float,
    *,
    sigma: PoseSigma | None = None,
) -> bytes:
    """The packet of one frame. Arguments and errors are those of `frame_values`.

    With `sigma` it states how sure the pose is (tag 102, MISB ST 1010): all of the attitude's error is put on the
    gimbal's angles, none on the airframe's.
    """
    values = frame_values(time_us, camera, pose, platform, ground_amsl_m)
    if sigma is None:
        return encode_packet(values)
    before = {tag: values.pop(tag) for tag in _STATED}
    north = sigma.horizontal_m / _METRES_A_DEGREE
    deviations = dict.fromkeys(_STATED, 0.0) | {
        13: north,
        14: north / max(math.cos(math.radians(pose.lat_deg)), 1e-6),
        15: sigma.vertical_m,
        18: sigma.yaw_deg,
        19: sigma.pitch_deg,
        20: sigma.roll_deg,
    }
    first = {tag: values.pop(tag) for tag in (2, 3)}  # the time stands first
    return encode_packet(first | before | {102: standard_deviations([deviations[t] for t in _STATED])} | values)


def standard_deviations(values: Sequence[float]) -> bytes:
    """A pack of MISB ST 1010.3 without correlations: rows, parse control of mode 2, floats of four bytes."""
    return bytes([len(values), 0x80, 0x04]) + struct.pack(f">{len(values)}f", *values)


def frame_values(
    time_us: int, camera: CameraModel, pose: CameraPose, platform: Platform, ground_amsl_m: float
) -> dict[int, float | int | str]:
    """Values by tag of one frame.

    Parameters
    ----------
    time_us
        When it was exposed, UTC microseconds since the Unix epoch.
    camera, pose
        What took it, and from where by its own measurement.
    platform
        What carries it; the pose of the camera relative to it becomes tags 18 to 20.
    ground_amsl_m
        Elevation of the ground, metres AMSL, for the slant range and the frame's centre and corners.

    Returns
    -------
    dict
        In the order in which they are written. Centre and corners are left out where they do not meet the ground.
    """
    altitude_m = pose.altitude.amsl_m(ground_amsl_m=ground_amsl_m)
    from_platform = rotation_ned_from_frd(platform.heading_deg, platform.pitch_deg, platform.roll_deg)
    from_camera = rotation_ned_from_frd(pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
    azimuth, elevation, roll = attitude_from_rotation(from_platform.T @ from_camera)
    values: dict[int, float | int | str] = {
        2: time_us,
        3: platform.mission,
        5: platform.heading_deg % 360.0,
        6: platform.pitch_deg,
        7: platform.roll_deg,
        10: platform.name,
        11: platform.sensor,
        12: "Geodetic WGS84",
        13: pose.lat_deg,
        14: pose.lon_deg,
        15: altitude_m,
        16: camera.horizontal_fov_deg,
        17: camera.vertical_fov_deg,
        18: azimuth,
        19: elevation,
        20: roll % 360.0,
    }
    values.update(_ground_values(camera, pose, ground_amsl_m))
    values.update({65: _VERSION, 90: platform.pitch_deg, 91: platform.roll_deg})
    return values


def _ground_values(camera: CameraModel, pose: CameraPose, ground_amsl_m: float) -> dict[int, float | int | str]:
    """Slant range, frame centre and corner offsets (tags 21 to 33) on flat ground."""
    terrain = FlatTerrain(ground_amsl_m)
    frame = LocalFrame(pose.lat_deg, pose.lon_deg, pose.altitude.amsl_m(ground_amsl_m=ground_amsl_m))
    axis = pose.rotation_enu_from_camera()[:, 2]
    centre = intersect(frame, (0.0, 0.0, 0.0), axis, terrain)[0]
    if not np.isfinite(centre).all():
        return {}
    slant_m = float(np.linalg.norm(centre))
    lat, lon, _ = (float(v) for v in frame.to_geodetic(*centre))
    values: dict[int, float | int | str] = {
        21: slant_m,
        22: slant_m * camera.width_px / camera.focal_px,
        23: lat,
        24: lon,
        25: ground_amsl_m,
    }
    offsets = footprint(camera, pose, terrain) - (lat, lon)
    if np.isfinite(offsets).all() and np.abs(offsets).max() <= 0.075:
        values.update(dict(zip(range(26, 34), offsets.ravel().tolist(), strict=True)))
    return values


def encode_packet(values: Mapping[int, float | int | str | bytes]) -> bytes:
    """A packet with the given values by tag, in the order given, and the checksum; bytes are written as they are.

    Raises
    ------
    WorldError
        When a tag is unknown, a value is of the wrong type, or an unsigned one lies outside its range.
    """
    body = b"".join(
        _item(tag, value if isinstance(value, bytes) else _value(tag, value)) for tag, value in values.items()
    )
    head = KEY + _ber_length(len(body) + 4) + body + bytes([1, 2])
    return head + _checksum(head).to_bytes(2, "big")


def _item(tag: int, value: bytes) -> bytes:
    return bytes([tag]) + _ber_length(len(value)) + value


def _value(tag: int, value: float | str) -> bytes:
    if tag not in TAGS:
        raise WorldError(f"tag {tag} of ST 0601 cannot be written: use one of {', '.join(map(str, TAGS))}")
    name, form = TAGS[tag]
    if isinstance(form, type):
        text = str(value).encode()
        if len(text) > _LONGEST_TEXT:
            raise WorldError(f"tag {tag} ({name}) is {len(text)} bytes long: give {_LONGEST_TEXT} or fewer")
        return text
    if isinstance(value, str) or not math.isfinite(value):
        raise WorldError(f"tag {tag} ({name}) is {value!r}: give a finite number")
    if isinstance(form, int):
        if not 0 <= value < 2 ** (8 * form):
            raise WorldError(f"tag {tag} ({name}) is {value}, which does not fit {form} bytes")
        return int(value).to_bytes(form, "big")
    if form.signed:
        inside = abs(value) <= form.high
        code = round(value / form.step) if inside else -(2 ** (8 * form.octets - 1))
        return code.to_bytes(form.octets, "big", signed=True)
    if not form.low <= value <= form.high:
        raise WorldError(f"tag {tag} ({name}) is {value}, outside {form.low:g} to {form.high:g}")
    return round((value - form.low) / form.step).to_bytes(form.octets, "big")


def _ber_length(length: int) -> bytes:
    """A length in the basic encoding rules: one byte below 128, else a count of bytes and the bytes."""
    if length < 128:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _checksum(data: bytes) -> int:
    """Sum of big-endian 16-bit words, an odd last byte as a high one, modulo 65536 (ST 0601, tag 1)."""
    padded = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2")
    return int(padded.sum(dtype=np.uint64) & 0xFFFF)
