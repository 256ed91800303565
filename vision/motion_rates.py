"""How fast a camera moves over time: by its pictures, and by its poses, in the same four numbers.

These are the rates at which the middle of the picture goes right and down, turns and grows, pixels a second: turn and
growth are what they do a quarter of the width off the middle. The poses' rates follow from the ground under the middle.
They come with what they would change by if the pose had one of its usual steady errors: compass, pitch, height or
focal length.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from geo import Altitude, CameraModel, CameraPose, Terrain
from vision.camera_motion import GroundPlane
from vision.errors import MetadataError, TrackError
from vision.georeference import Georeferencer
from vision.image_motion import SmallPicture, StepMotion
from vision.types import Frame

__all__ = ["GRID_S", "MotionRates", "Rates", "motion_rates"]

Floats = NDArray[np.float64]

GRID_S = 0.01
"""Step of the times at which rates are given, seconds."""
_GAP_US = 1_000_000
_BELL_S, _WHOLE = 0.15, 0.995
# One sigma of steady errors that a pose may have besides what it says of itself: degrees, share of the height, and of
# the focal length.
_YAW_DEG, _PITCH_DEG, _HEIGHT, _FOCAL = 3.0, 1.0, 0.1, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Rates on a grid of `GRID_S` from the first picture on.

    Parameters
    ----------
    values
        Pixels a second, shape (n, 4, k): the rates, and k - 1 changes of them, each by one sigma of a steady error.
    known
        Where they are known, shape (n,).
    """

    values: Floats
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, spans: Floats, shifts: Floats, count: int) -> Rates:
        """Shifts, pixels, shape (m, 4, k), over intervals, seconds, shape (m, 2), spread evenly over each."""
        times = (np.arange(count) + 0.5) * GRID_S
        which = np.clip(np.searchsorted(spans[:, 0], times, side="right") - 1, 0, None)
        known = (times >= spans[which, 0]) & (times < spans[which, 1])
        rates = shifts / np.diff(spans, axis=1)[..., None]
        return cls(np.where(known[:, None, None], rates[which], 0.0), known)

    def smooth(self, width_s: float) -> Rates:
        """Averaged with a bell of one sigma `width_s`; known where hardly any of the bell lies in a gap.

        Noise of a pose is averaged between two samples and not at one, so without this an offset of half a sample
        would seem to fit better than it does.
        """
        sigma = width_s / GRID_S
        weight = gaussian_filter1d(self.known.astype(float), sigma, mode="constant")
        values = gaussian_filter1d(self.values, sigma, axis=0, mode="constant")
        return Rates(values / np.maximum(weight, 1e-9)[:, None, None], weight > _WHOLE)


@dataclass(frozen=True, slots=True, eq=False)
class MotionRates:
    """Motion by the pictures, None where they show none, and by the poses; both averaged over `width_s`, seconds."""

    seen: Rates | None
    said: Rates
    width_s: float


_Part = list[tuple[tuple[float, float], Floats]]


def motion_rates(frames: Iterable[Frame], terrain: Terrain | None, seconds: float) -> MotionRates:
    """Measure and predict the motion in the first `seconds` of a recording.

    Raises
    ------
    MetadataError
        When no two frames have a pose and a camera, or the elevation of the ground is unknown.
    """
    steps, where, now_s = StepMotion(), None, 0.0
    seen: _Part = []
    said: _Part = []
    first_us: int | None = None
    before: int | None = None
    last: tuple[int, list[Floats]] | None = None
    for frame in frames:
        first_us = frame.time_us if first_us is None else first_us
        if frame.time_us - first_us > seconds * 1e6:
            break
        now_s = (frame.time_us - first_us) / 1e6
        size = frame.size_px
        step = steps.step(SmallPicture.of(frame.grey))
        if step is not None and before is not None and frame.time_us - before < _GAP_US:
            seen.append((((before - first_us) / 1e6, now_s), _shift(step.matrix, size)[:, None]))
        before = frame.time_us
        if frame.pose is None or frame.camera is None:
            continue
        where = where or Georeferencer.for_frame(frame, terrain)
        try:
            planes = _planes(where, frame.pose, frame.camera)
        except TrackError:
            continue  # below the ground, or over unknown one: the pose says nothing
        if last is not None and frame.time_us - last[0] < _GAP_US:
            shifts = [_shift(np.linalg.inv(a) @ b, size) for a, b in zip(planes, last[1], strict=True)]
            changes = [shifts[0], *(s - shifts[0] for s in shifts[1:])]
            said.append((((last[0] - first_us) / 1e6, now_s), np.stack(changes, axis=1)))
        last = frame.time_us, planes
    if not said:
        raise MetadataError("no two frames have a camera pose: without poses there is no clock to compare")
    count = math.ceil(now_s / GRID_S)
    width_s = max(_BELL_S, *(float(np.median([b - a for (a, b), _ in part])) for part in (seen, said) if part))
    return MotionRates(
        _rates(seen, count).smooth(width_s) if seen else None, _rates(said, count).smooth(width_s), width_s
    )


def _rates(part: _Part, count: int) -> Rates:
    return Rates.of(np.array([span for span, _ in part]), np.array([shift for _, shift in part]), count)


def _planes(where: Georeferencer, pose: CameraPose, camera: CameraModel) -> list[Floats]:
    """From pixels to the ground: by the pose as it is, and with each of the steady errors."""
    level = where.level_amsl_m(pose, camera)
    if level is None:
        raise TrackError("the ground is unknown there")
    height = float(pose.altitude.amsl_m(ground_amsl_m=level)) - level
    higher = pose.altitude.metres + math.hypot(pose.sigma.vertical_m, _HEIGHT * height)
    turned = replace(pose, yaw_deg=pose.yaw_deg + math.hypot(pose.sigma.yaw_deg, _YAW_DEG))
    raised = replace(pose, pitch_deg=min(pose.pitch_deg + math.hypot(pose.sigma.pitch_deg, _PITCH_DEG), 90.0))
    above = replace(pose, altitude=Altitude(higher, pose.altitude.datum))
    longer = replace(camera, focal_px=camera.focal_px * (1 + _FOCAL))
    variants = [(camera, pose), (camera, turned), (camera, raised), (camera, above), (longer, pose)]
    return [GroundPlane.of_pose(lens, one, where.frame, level).to_plane for lens, one in variants]


def _shift(matrix: Floats, size: tuple[int, int]) -> Floats:
    """Motion of the middle of a picture under a homography to the next, pixels, shape (4,); see the module.

    The middle is followed from the picture before and back from the one after: a curved way is the same both ways.
    """
    middle = np.array([size[0] / 2, size[1] / 2, 1.0])
    x, y, scale = (matrix / matrix[2, 2]) @ middle
    ahead = np.array([x, y]) / scale
    x, y, back_scale = np.linalg.inv(matrix) @ middle
    back = np.array([x, y]) / back_scale
    turn = (matrix[:2, :2] / matrix[2, 2] - np.outer(ahead, matrix[2, :2] / matrix[2, 2])) / scale
    angle = math.atan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])
    growth = 0.5 * math.log(max(float(np.linalg.det(turn)), 1e-9))
    return np.array([*((ahead - back) / 2), angle * size[0] / 4, growth * size[0] / 4])
