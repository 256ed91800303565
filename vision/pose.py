"""Camera poses over time: from KLV packets or a sidecar, interpolated to the moment of exposure."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from geo import (
    Altitude,
    CameraModel,
    CameraPose,
    Datum,
    LocalFrame,
    PoseSigma,
    attitude_from_rotation,
    compose_attitude,
    rotation_ned_from_frd,
)
from vision.errors import MetadataError
from vision.klv import FIELDS, KlvPacket

__all__ = [
    "POSE_SIGMAS",
    "PoseSample",
    "PoseTrack",
    "Poses",
    "axis_error_deg",
    "camera_from_klv",
    "interpolate",
    "pose_from_klv",
    "sample_from_klv",
    "sigma_from_klv",
]

POSE_SIGMAS: Mapping[str, PoseSigma] = {
    "klv": PoseSigma(),
    "csv": PoseSigma(),
    "tlog": PoseSigma(horizontal_m=1.5, vertical_m=3.0, yaw_deg=3.0, pitch_deg=1.0, roll_deg=1.0),
    "srt": PoseSigma(horizontal_m=3.0, vertical_m=5.0, yaw_deg=3.0, pitch_deg=1.0, roll_deg=1.0),
}
"""One-sigma errors by where a pose came from, where the recording does not tell.

KLV and CSV: a calibrated gimbal with an aided inertial unit and single-frequency GNSS. Tlog: an autopilot's filter with
its compass, heights by barometer and GNSS. SRT: consumer aircraft, whose
heights are barometric and relative to the take-off. An uncalibrated compass is ten degrees off: then give a sigma.
"""

_FOV_TOLERANCE = 0.05
_METRES_A_DEGREE = 111_132.0
_HEIGHTS = ((15, Datum.AMSL), (104, Datum.HAE), (75, Datum.HAE))
"""Tags of the sensor's height, the first that is there is taken."""
_MIN_GAP_US, _MAX_GAP_US = 1_000_000, 3_000_000
_GAP_SPACINGS = 2.5


@dataclass(frozen=True, slots=True)
class PoseSample:
    """What a recording says about one moment.

    Parameters
    ----------
    time_us
        Time on the track's own clock, microseconds.
    pose
        Camera pose, or None where the record lacks a part of it.
    hfov_deg
        Full horizontal field of view, degrees, or None.
    ground_amsl_m
        Elevation at the centre of the picture, metres AMSL, or None.
    """

    time_us: int
    pose: CameraPose | None
    hfov_deg: float | None = None
    ground_amsl_m: float | None = None


class Poses(Protocol):
    """Poses over time: a record of them (`PoseTrack`), or such as come from a vehicle in the air (`LivePoses`)."""

    @property
    def absolute(self) -> bool:
        """Whether times are UTC; else they count from the first frame of the video."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What their user should know."""
        ...

    def at(self, time_us: int) -> PoseSample | None:
        """The sample at a time; None in a hole."""
        ...


@dataclass(frozen=True, slots=True)
class PoseTrack:
    """Pose samples in the order of time.

    Parameters
    ----------
    samples
        At least one, in strictly rising order of `time_us`.
    absolute
        Whether `time_us` is UTC since the Unix epoch; else it counts from the first frame of the video.
    origin
        Where it came from, e.g. ``"srt"``.
    notes
        What its user should know, e.g. which clock its times are of.
    local_start
        Date and time of zero by the aircraft's own clock, without a zone; None where the record tells none.

    Raises
    ------
    MetadataError
        When there is no sample or the times do not rise.
    """

    samples: Sequence[PoseSample]
    absolute: bool
    origin: str
    notes: tuple[str, ...] = ()
    local_start: datetime | None = None

    def __post_init__(self) -> None:
        if not self.samples:
            raise MetadataError(f"{self.origin} poses: there is none: give a record with at least one pose")
        for i, (a, b) in enumerate(itertools.pairwise(self.samples), 1):
            if b.time_us <= a.time_us:
                raise MetadataError(f"{self.origin} poses: the time of sample {i} does not advance: sort the record")

    @property
    def spacing_us(self) -> int:
        """Median spacing of the samples, microseconds; 0 for a single one."""
        times = [s.time_us for s in self.samples]
        return int(np.median(np.diff(times))) if len(times) > 1 else 0

    def at(self, time_us: int) -> PoseSample | None:
        """The sample interpolated to a time.

        None in a gap longer than 2.5 spacings (one second at least, three at most), and further than half a spacing
        outside the record: a pose is never held or guessed across a hole.
        """
        spacing = self.spacing_us
        gap_us = min(_MAX_GAP_US, max(_MIN_GAP_US, int(_GAP_SPACINGS * spacing)))
        return sample_at(self.samples, time_us, gap_us, spacing // 2)


def sample_at(samples: Sequence[PoseSample], time_us: int, max_gap_us: int, margin_us: int) -> PoseSample | None:
    """Interpolate samples in the order of time; see `PoseTrack.at`. Outside by `margin_us`: straight extrapolation."""
    i = bisect.bisect_left(samples, time_us, key=lambda s: s.time_us)
    if i < len(samples) and samples[i].time_us == time_us:
        return samples[i]
    if len(samples) < 2:
        return None
    if i == 0 or i == len(samples):
        a, b = (samples[0], samples[1]) if i == 0 else (samples[-2], samples[-1])
        outside = a.time_us - time_us if i == 0 else time_us - b.time_us
        if outside > margin_us:
            return None
    else:
        a, b = samples[i - 1], samples[i]
    return interpolate(a, b, time_us) if b.time_us - a.time_us <= max_gap_us else None


def interpolate(a: PoseSample, b: PoseSample, time_us: int) -> PoseSample:
    """The sample at a time on the line through two others.

    Position and field of view go straight, the attitude turns about one axis at a constant rate, so that a yaw of 359
    degrees and one of 1 meet at 0, and nothing swings at nadir. A part that either lacks is None.
    """
    f = (time_us - a.time_us) / (b.time_us - a.time_us)
    return PoseSample(
        time_us,
        None if a.pose is None or b.pose is None else _between(a.pose, b.pose, f),
        _mix(a.hfov_deg, b.hfov_deg, f),
        _mix(a.ground_amsl_m, b.ground_amsl_m, f),
    )


def pose_from_klv(packet: KlvPacket, sigma: PoseSigma | None = None) -> CameraPose:
    """Camera pose of an ST 0601 packet.

    Position from tags 13 and 14; height from tag 15 (AMSL), else 104 or 75 (HAE); attitude of the optical axis
    composed from the airframe's (5, and 90 and 91 where present, else 6 and 7) and the gimbal's (18 to 20).

    Parameters
    ----------
    packet
        A decoded packet.
    sigma
        One-sigma errors; None takes those that the packet states, see `sigma_from_klv`.

    Raises
    ------
    MetadataError
        When one of these is absent or out of range; the message lists the tags. None is ever taken as zero.
    """
    position = {tag: packet.number(tag) for tag in (13, 14)}
    angles = {tag: packet.number(tag) for tag in (5, 18, 19, 20)}
    for full, short in ((90, 6), (91, 7)):
        value = packet.number(full)
        angles[short] = packet.number(short) if value is None else value
    altitude = _altitude(packet)
    missing = [f"{tag} ({FIELDS[tag].name})" for tag, v in sorted((position | angles).items()) if v is None]
    if altitude is None:
        missing.append("15, 75 or 104 (height of the sensor)")
    if missing or altitude is None:
        raise MetadataError(f"KLV packet has no camera pose: tags {', '.join(missing)} absent or out of range")
    have = {tag: float(v) for tag, v in (position | angles).items() if v is not None}
    yaw, pitch, roll = compose_attitude((have[5], have[6], have[7]), (have[18], have[19], have[20]))
    pose = CameraPose(have[13], have[14], altitude, yaw, pitch, roll)
    return replace(pose, sigma=sigma or sigma_from_klv(packet, pose))


def sigma_from_klv(packet: KlvPacket, pose: CameraPose) -> PoseSigma:
    """One-sigma errors that a packet states (tag 102), for position, height and attitude each where it does.

    What it does not state is of `POSE_SIGMAS`. Nothing is exact: encoders write 0 for what they do not know.

    Errors of the airframe's heading and the gimbal's angles are taken about the axes of an airframe that flies level;
    pitch and roll of the airframe turn a camera that looks aside about other axes than its own.

    Parameters
    ----------
    packet, pose
        A decoded packet, and the pose that it has.
    """
    found, told = POSE_SIGMAS["klv"], packet.sigmas
    if told.keys() >= {13, 14}:
        north = _METRES_A_DEGREE * told[13]
        east = _METRES_A_DEGREE * told[14] * math.cos(math.radians(pose.lat_deg))
        if max(north, east) > 0:
            found = replace(found, horizontal_m=max(north, east))
    height = next(tag for tag, _ in _HEIGHTS if packet.number(tag) is not None)
    if told.get(height, 0.0) > 0:
        found = replace(found, vertical_m=told[height])
    pitch, roll = (full if packet.number(full) is not None else short for full, short in ((90, 6), (91, 7)))
    stated = told.keys() >= {5, pitch, roll, 18, 19, 20}
    if stated and max(math.hypot(told[5], told[18]), told[19], told[20], told[pitch], told[roll]) > 0:
        heading, lean = packet.number(5) or 0.0, packet.number(pitch) or 0.0
        to_camera = rotation_ned_from_frd(pose.yaw_deg, pose.pitch_deg, pose.roll_deg).T
        right = told[pitch] * rotation_ned_from_frd(heading, 0.0, 0.0)[:, 1]
        nose = told[roll] * rotation_ned_from_frd(heading, lean, 0.0)[:, 0]
        turns = tuple(
            (float(x), float(y), float(z)) for x, y, z in (to_camera @ v for v in (right, nose)) if x or y or z
        )
        found = replace(
            found, yaw_deg=math.hypot(told[5], told[18]), pitch_deg=told[19], roll_deg=told[20], turns_deg=turns
        )
    return found


def camera_from_klv(packet: KlvPacket, width_px: int, height_px: int) -> tuple[CameraModel, bool]:
    """Camera model of a packet: horizontal field of view (tag 16) over an image size.

    Returns
    -------
    tuple
        The model, and whether the vertical field of view (tag 17), where present, agrees with square pixels to 5 %.

    Raises
    ------
    MetadataError
        When tag 16 is absent, zero or out of range.
    """
    hfov = packet.number(16)
    if hfov is None or not 0 < hfov < 180:
        raise MetadataError("KLV packet has no horizontal field of view (tag 16): give the camera's")
    camera = CameraModel.from_fov(width_px, height_px, hfov)
    vfov = packet.number(17)
    agrees = vfov is None or abs(camera.vertical_fov_deg - vfov) <= _FOV_TOLERANCE * camera.vertical_fov_deg
    return camera, agrees


def sample_from_klv(packet: KlvPacket, time_us: int, sigma: PoseSigma | None = None) -> tuple[PoseSample, str | None]:
    """What a packet says, at a time on any clock, and why it has no pose (None when it has)."""
    pose, why = None, None
    try:
        pose = pose_from_klv(packet, sigma)
    except MetadataError as error:
        why = str(error)
    hfov = packet.number(16)
    valid = hfov is not None and 0 < hfov < 180
    return PoseSample(time_us, pose, hfov if valid else None, packet.number(25)), why


def axis_error_deg(packet: KlvPacket, pose: CameraPose) -> float | None:
    """Angle between a pose's optical axis and the line to the packet's own frame centre (tags 23 to 25), degrees.

    Some encoders write the gimbal's angles from north and the horizon where the standard has them from the airframe
    (a flight in the test data does). Nothing in a packet says so; this angle does. None without a frame centre, or
    where the heights have two datums.
    """
    lat, lon, ground = (packet.number(tag) for tag in (23, 24, 25))
    if lat is None or lon is None or ground is None or pose.altitude.datum is not Datum.AMSL:
        return None
    line = np.ravel(LocalFrame(pose.lat_deg, pose.lon_deg, pose.altitude.metres).to_enu(lat, lon, ground))
    length = float(np.linalg.norm(line))
    if length < 1.0:
        return None
    cosine = float(pose.rotation_enu_from_camera()[:, 2] @ line) / length
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def _altitude(packet: KlvPacket) -> Altitude | None:
    for tag, datum in _HEIGHTS:
        metres = packet.number(tag)
        if metres is not None:
            return Altitude(metres, datum)
    return None


def _mix(a: float | None, b: float | None, f: float) -> float | None:
    return None if a is None or b is None else a + (b - a) * f


def _between(a: CameraPose, b: CameraPose, f: float) -> CameraPose | None:
    if a.altitude.datum is not b.altitude.datum:
        return None  # heights of two datums have no middle
    start = Rotation.from_matrix(rotation_ned_from_frd(a.yaw_deg, a.pitch_deg, a.roll_deg))
    end = Rotation.from_matrix(rotation_ned_from_frd(b.yaw_deg, b.pitch_deg, b.roll_deg))
    turned = start * Rotation.from_rotvec(f * (start.inv() * end).as_rotvec())
    yaw, pitch, roll = attitude_from_rotation(turned.as_matrix())
    lon = a.lon_deg + f * math.remainder(b.lon_deg - a.lon_deg, 360.0)
    return replace(
        a,
        lat_deg=a.lat_deg + f * (b.lat_deg - a.lat_deg),
        lon_deg=math.remainder(lon, 360.0),
        altitude=Altitude(a.altitude.metres + f * (b.altitude.metres - a.altitude.metres), a.altitude.datum),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
    )
