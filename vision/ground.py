"""Tracks on the ground: the random error averaged away, the systematic error kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.feet import foot_doubt
from vision.kalman import Smoother
from vision.types import GroundTrack, Track

__all__ = ["GroundSettings", "Pace", "ground_track"]

Floats = NDArray[np.float64]

_REMEMBERED = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How a kind of object moves: one sigma of speed, m/s, and spectral density of acceleration, m²/s³."""

    speed_sigma: float
    density: float


@dataclass(frozen=True, slots=True)
class GroundSettings:
    """How a track on the ground is estimated.

    Parameters
    ----------
    paces
        Of each kind; others move as "vehicle".
    outlier_sigmas
        A measurement farther than this from the smoothed track is left out, one in five at most, and the rest smoothed
        again.
    min_points
        Fewer places than this make no track.
    """

    paces: Mapping[str, Pace] = field(
        default_factory=lambda: {"person": Pace(2.0, 0.15), "bicycle": Pace(5.0, 0.5), "vehicle": Pace(12.0, 2.0)}
    )
    outlier_sigmas: float = 5.0
    min_points: int = 3


def ground_track(
    track: Track, settings: GroundSettings | None = None, memory: list[Smoother] | None = None
) -> GroundTrack | None:
    """Smooth the places of a track; None where too few are known.

    Parameters
    ----------
    track
        The track.
    settings
        How.
    memory
        Of the track as it was before, given empty at first and filled here: the same result in less time.

    Notes
    -----
    Only the random covariance enters the filter: an error that all frames share is not made smaller by averaging, so
    it travels beside the estimate, as the factor of each measurement, and is added where a decision is made.
    """
    settings = settings or GroundSettings()
    points = [o.ground for o in track.observations if o.ground is not None]
    if len(points) < settings.min_points:
        return None
    pace = settings.paces.get(track.kind, settings.paces["vehicle"])
    times = np.array([p.time_us for p in points], dtype=np.int64)
    seconds = (times - times[0]) / 1e6
    places = np.array([p.xy for p in points])
    doubt = foot_doubt(track)[[o.ground is not None for o in track.observations]]
    noises = _doubted(np.array([p.random for p in points]), doubt)
    memory = [] if memory is None else memory
    states, errors = _smoother(memory, 0).smooth(seconds, places, noises, pace.speed_sigma, pace.density)
    # One at a time, the worst first: an outlier bends the track away from its good neighbours.
    for left_out in range(1, len(points) // 5 + 1):
        apart = places - states[:, :2]
        distance = np.einsum("nk,nk->n", apart, np.linalg.solve(noises + errors[:, :2, :2], apart[..., None])[..., 0])
        worst = int(np.argmax(distance))
        if distance[worst] <= settings.outlier_sigmas**2 or len(points) == settings.min_points:
            break
        del points[worst]
        times, seconds = np.delete(times, worst), np.delete(seconds, worst)
        places, noises = np.delete(places, worst, axis=0), np.delete(noises, worst, axis=0)
        states, errors = _smoother(memory, left_out).smooth(seconds, places, noises, pace.speed_sigma, pace.density)
    return GroundTrack(
        track.number,
        track.kind,
        track.score,
        times,
        states[:, :2],
        states[:, 2:],
        errors[:, :2, :2],
        np.array([p.systematic for p in points]),
    )


def _smoother(memory: list[Smoother], left_out: int) -> Smoother:
    """That of the track without so many outliers: they are the same ones the next time, as a rule.

    Few are kept, since each remembers the whole track.
    """
    if left_out == len(memory) and left_out < _REMEMBERED:
        memory.append(Smoother())
    return memory[left_out] if left_out < len(memory) else Smoother()


def _doubted(noises: Floats, doubt: Floats) -> Floats:
    """Covariances, shape (n, 2, 2), larger by factors, shape (n,), along their long axis: that of the view.

    What hides the legs moves the foot away from the camera, not aside.
    """
    values, vectors = np.linalg.eigh(noises)
    along = vectors[:, :, 1]
    return np.asarray(noises + ((doubt - 1) * values[:, 1])[:, None, None] * along[:, :, None] * along[:, None, :])
