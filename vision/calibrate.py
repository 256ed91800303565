"""Calibration from known points: which points fit, what they leave open, and what they cannot tell apart.

A point is an outlier where it departs from what all the others predict for it by more than `OUTLIER_SIGMAS`
(`Solved.departures`). The search starts from the best of many pairs of points by the median of all residuals (P. J.
Rousseeuw, Least median of squares regression, 1984), so that just under half of the points may be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from geo import attitude_from_rotation
from vision.calibration import Calibration, PointResult
from vision.datum import check_undulation
from vision.errors import MetadataError
from vision.known_points import Sighting
from vision.sight_model import PRIOR, Scene, Solved, State

__all__ = ["OUTLIER_SIGMAS", "Fit", "calibrate"]

Floats = NDArray[np.float64]

OUTLIER_SIGMAS = 4.3
"""A point farther off than this is left out: one in ten thousand good ones is."""

_OPEN_DEG, _OPEN_FOCAL, _OPEN_RADIAL = 5.0, 0.05, 0.05
_FOCAL_POINTS, _RADIAL_POINTS = 4, 6
_MAX_WRONG, _EXTRA_ROUNDS = 0.45, 5
# Beyond this a boresight is a camera that was mounted or described otherwise.
_MAX_BORESIGHT_DEG = 60.0


@dataclass(frozen=True, slots=True)
class Fit:
    """What to look for and what to assume.

    Parameters
    ----------
    focal, radial
        Whether to find the focal length, and the radial coefficient k1 of the lens.
    attitude_share
        Share of each attitude error of a pose that changes from picture to picture.
    undulation_m
        Height of the geoid above the ellipsoid, metres, where poses and points have different datums.
    """

    focal: bool = False
    radial: bool = False
    attitude_share: float = 0.3
    undulation_m: float | None = None


def calibrate(sightings: Sequence[Sighting], fit: Fit | None = None) -> Calibration:
    """Find boresight and heading error, and what else is asked for, from known points.

    Raises
    ------
    MetadataError
        When there are too few points, they leave a direction open, they disagree, or their heights have another datum
        than the poses and no undulation is given.
    """
    fit = fit or Fit()
    _check_fit(fit)
    _check(sightings, fit)
    scene = Scene.of(
        sightings,
        focal=fit.focal,
        radial=fit.radial,
        attitude_share=fit.attitude_share,
        undulation_m=fit.undulation_m,
    )
    solved = _separate(scene, scene.start())
    _check_open(scene, solved, fit)
    return _result(scene, solved, fit)


def _separate(scene: Scene, state: State) -> Solved:
    """The fit without the outliers."""
    count = len(scene.names)
    kept = np.ones(count, dtype=bool)
    if count > 3:
        # Robust beginning: the half that fits the start best says where the others ought to be.
        misses = np.hypot(*scene.linear(state)[0].reshape(count, 2).T) / scene.sigma_px
        kept[np.argsort(misses)[count // 2 + 1 :]] = False
    seen: set[bytes] = set()
    for _ in range(count + _EXTRA_ROUNDS):
        seen.add(kept.tobytes())
        solved = scene.solve(state, kept)
        _check_settled(solved)
        state = solved.state
        off = np.nan_to_num(solved.departures())
        kept = kept.copy()
        back = ~kept & (off <= OUTLIER_SIGMAS)
        worst = int(np.argmax(np.where(kept, off, 0.0)))
        if back.any():
            kept |= back
        elif off[worst] > OUTLIER_SIGMAS:
            kept[worst] = False
        if kept.tobytes() in seen:
            break
    wrong = ~solved.kept
    if wrong.sum() > _MAX_WRONG * count:
        raise MetadataError(
            f"known points: {wrong.sum()} of {count} do not fit the others ({_listed(scene, wrong)}): check pixels, "
            "times, places, datum and the field of view"
        )
    return solved


def _check_fit(fit: Fit) -> None:
    """Refuse what no camera or geoid has."""
    if not 0 <= fit.attitude_share <= 1:
        raise MetadataError(f"attitude share {fit.attitude_share}: give a number from 0 to 1")
    check_undulation(fit.undulation_m)


def _check(sightings: Sequence[Sighting], fit: Fit) -> None:
    """Refuse what cannot be tried."""
    needed = {2: "a calibration"}
    if fit.focal:
        needed[_FOCAL_POINTS] = "the focal length"
    if fit.radial:
        needed[_RADIAL_POINTS] = "the radial distortion"
    for count, what in needed.items():
        if len(sightings) < count:
            raise MetadataError(f"known points: {len(sightings)} given, {what} needs {count} or more")
    if len({(s.camera.width_px, s.camera.height_px) for s in sightings}) > 1:
        raise MetadataError("known points: the pictures have several sizes: calibrate each mode of the camera alone")
    if len({s.camera.distortion for s in sightings}) > 1:
        raise MetadataError("known points: the pictures have several lenses: calibrate each alone")
    for s in sightings:
        if math.hypot(s.point.lat_deg - s.pose.lat_deg, s.point.lon_deg - s.pose.lon_deg) > 1.0:
            raise MetadataError(
                f"{s.point.where}: {s.point.name} is more than a degree from the camera: check latitude and longitude"
            )


def _check_settled(solved: Solved) -> None:
    if not solved.settled or math.degrees(solved.state.boresight.magnitude()) > _MAX_BORESIGHT_DEG:
        raise MetadataError(
            "known points: no boresight explains them: check that latitude and longitude, x and y, and the times fit"
        )


def _check_open(scene: Scene, solved: Solved, fit: Fit) -> None:
    """Refuse what the points leave open."""
    turns = solved.jacobian[solved.rows, :3]
    values, axes = np.linalg.eigh(turns.T @ solved.weight @ turns)
    if values[0] <= 0 or math.degrees(values[0] ** -0.5) > _OPEN_DEG:
        axis = ("roll", "pitch", "yaw")[int(np.argmax(np.abs(axes[:, 0])))]
        width, height = np.ptp(scene.pixels, axis=0)
        raise MetadataError(
            f"known points: they leave the {axis} of the camera open to more than {_OPEN_DEG:g} degrees: they span "
            f"{width:.0f} by {height:.0f} pixels; spread them over the picture, or know the camera's place better"
        )
    sigma = dict(zip(scene.free, np.sqrt(np.diag(solved.spread)), strict=True))
    if fit.focal and sigma[4] > _OPEN_FOCAL:
        raise MetadataError(
            f"known points: they leave the focal length open to {100 * sigma[4]:.0f} %: use points near opposite edges "
            "of one picture, or leave it as it is given"
        )
    camera = scene.cameras[0]
    corner = math.hypot(camera.width_px, camera.height_px) / 2 / camera.focal_px
    if fit.radial and sigma[5] * corner**2 > _OPEN_RADIAL:
        raise MetadataError(
            f"known points: they leave the radial distortion open to {100 * sigma[5] * corner**2:.0f} % at the "
            "corners: use points from the middle to the corners, or leave it out"
        )


def _result(scene: Scene, solved: Solved, fit: Fit) -> Calibration:
    notes = _notes(scene, solved)
    covariance = np.degrees(np.degrees(solved.spread[:4, :4]))
    residuals, jacobian = solved.residuals[solved.rows], solved.jacobian[solved.rows]
    freedom = len(residuals) - float(np.trace(jacobian.T @ solved.weight @ jacobian @ solved.spread))
    misfit = float(residuals @ solved.weight @ residuals)
    if freedom >= 1 and misfit > chdtri(freedom, 0.001):
        covariance *= misfit / freedom
        notes.append(
            f"The points fit worse than their sigmas say (chi-square {misfit:.0f}, {freedom:.0f} degrees of freedom): "
            f"all errors were widened by {math.sqrt(misfit / freedom):.1f}."
        )
    state, first = solved.state, scene.cameras[0]
    scale = math.exp(state.ln_focal)
    lens = replace(first.distortion, k1=first.distortion.k1 + state.k1)
    yaw, pitch, roll = attitude_from_rotation(state.boresight.as_matrix())
    constant = len({camera.focal_px for camera in scene.cameras}) == 1
    each = zip(scene.names, solved.residuals.reshape(-1, 2), solved.departures(), ~solved.kept, strict=True)
    return Calibration(
        (math.remainder(yaw, 360.0), pitch, roll),
        math.degrees(state.heading),
        (covariance + covariance.T) / 2,
        fit.attitude_share,
        scale,
        lens,
        replace(first, focal_px=first.focal_px * scale, distortion=lens) if constant else None,
        tuple(PointResult(name, (float(r[0]), float(r[1])), float(d), bool(out)) for name, r, d, out in each),
        tuple(notes),
    )


def _notes(scene: Scene, solved: Solved) -> list[str]:
    """What the data cannot tell apart, and why."""
    notes = []
    heading = math.degrees(solved.spread[3, 3] ** 0.5)
    attitudes = np.array([attitude_from_rotation(pose) for pose in scene.poses[solved.kept]])
    if heading > math.degrees(PRIOR[3]) / 2:
        steep, flat = -attitudes[:, 1].min(), -attitudes[:, 1].max()
        notes.append(
            f"Heading error and boresight cannot be told apart (heading ±{heading:.1f} degrees): the camera looked "
            f"{flat:.0f} to {steep:.0f} degrees down in all pictures, where both turn them alike. Their sum is good at "
            "that pitch; for each alone, add points seen at another pitch."
        )
    if abs(np.exp(1j * np.radians(attitudes[:, 0])).mean()) > 0.9:
        notes.append(
            "The camera's place and its boresight cannot be told apart: all pictures look the same way. The error of "
            "the place is in that of the boresight; points seen on the opposite heading part them."
        )
    if len(scene.names) < 4 or np.isnan(solved.departures()).any():
        notes.append("There are too few points for a wrong one to show: give four or more.")
    if not solved.kept.all():
        notes.append(f"Left out because they do not fit the others: {_listed(scene, ~solved.kept)}.")
    return notes


def _listed(scene: Scene, which: NDArray[np.bool_]) -> str:
    return ", ".join(scene.names[i] for i in np.flatnonzero(which))
