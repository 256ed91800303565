r"""How well places on the ground are known: errors against the truth, and whether the stated ellipse holds them.

An error e (east, north) with the stated covariance C lies inside the 95 % ellipse where ``eᵀ C⁻¹ e <= 5.991``, the
95 % point of the chi-square distribution with *two* degrees of freedom: the place has two coordinates, and nothing was
fitted to the truth that would take one away.

The share of places inside has an interval of its own, and there other degrees of freedom count. Errors of pose and
clock are the same in all frames of a recording: a thousand sightings of ten people in one recording are nearly one
draw of those errors, not a thousand. So the interval is that of Korn and Graubard (1998, "Confidence intervals for
proportions with small expected number of positive counts estimated from survey data", Survey Methodology 24):
recordings are the clusters. With k of n sightings inside, in R recordings of which r holds n_r and k_r,

    p = k / n,   V = R / (R - 1) Σ (k_r - p n_r)² / n²,   n* = p (1 - p) / V  (t_{n-1} / t_{R-1})²

with t the 97.5 % points of Student's distribution with the degrees of freedom that are there, n - 1 between sightings
and R - 1 between recordings; and the interval is Clopper and Pearson's, for p n* of n*. But n* is never above R: a V
that came out small, or 0 where all are inside, is no proof that sightings of one recording were independent. One
recording gives no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from vision.records import CHI_95

__all__ = ["HEIGHT_BANDS_M", "LOOK_BANDS_DEG", "PlaceSample", "PlaceScore", "score_places", "share_interval"]

Floats = NDArray[np.float64]

HEIGHT_BANDS_M = (0.0, 15.0, 45.0, 75.0, 105.0, 135.0, 1e4)
"""Edges of bands of the camera's height above the ground, metres: about the heights at which one flies."""
LOOK_BANDS_DEG = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
"""Edges of bands of the depression of the line of sight, degrees below the horizon."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceSample:
    """One place of one object beside the true one.

    Parameters
    ----------
    recording
        Name of the recording: sightings of one share the errors of its pose.
    error
        Found minus true, east and north, metres, shape (2,).
    covariance
        What was stated, square metres, shape (2, 2).
    height_m
        Of the camera above the ground, metres.
    look_deg
        Depression of the line of sight, degrees.
    """

    recording: str
    error: Floats
    covariance: Floats
    height_m: float
    look_deg: float

    @property
    def inside(self) -> bool:
        """Whether the true place lies in the stated 95 % ellipse."""
        values, axes = np.linalg.eigh(self.covariance)
        along = axes.T @ self.error
        # An axis of no length holds no error at all.
        least = max(1e-12 * float(values[-1]), 1e-12)
        return float((along**2 / np.maximum(values, least)).sum()) <= CHI_95**2

    @property
    def distance_m(self) -> float:
        """Size of the error, metres."""
        return float(np.hypot(*self.error))


@dataclass(frozen=True, slots=True)
class PlaceScore:
    """Places of one band.

    Parameters
    ----------
    sightings, recordings
        How many.
    median_m, p95_m
        Median and 95 % point of the size of the error, metres.
    semi_major_m
        Median half axis of the stated ellipses, metres: an ellipse that holds the truth by being huge says little.
    inside
        Share of sightings whose true place the stated ellipse holds.
    low, high
        95 % interval of that share, see the module; None from one recording.
    """

    sightings: int
    recordings: int
    median_m: float
    p95_m: float
    semi_major_m: float
    inside: float
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """All figures by their names."""
        return {name: getattr(self, name) for name in self.__slots__}


def score_places(sightings: Sequence[PlaceSample]) -> PlaceScore | None:
    """Score places; None where there are none."""
    if not sightings:
        return None
    errors = [sighting.distance_m for sighting in sightings]
    inside = np.array([sighting.inside for sighting in sightings])
    names = [sighting.recording for sighting in sightings]
    axes = [CHI_95 * float(np.sqrt(np.linalg.eigvalsh(sighting.covariance)[-1])) for sighting in sightings]
    interval = share_interval(inside, names)
    low, high = interval if interval is not None else (None, None)
    return PlaceScore(
        len(sightings),
        len(set(names)),
        float(np.median(errors)),
        float(np.percentile(errors, 95)),
        float(np.median(axes)),
        float(inside.mean()),
        low,
        high,
    )


def share_interval(inside: NDArray[np.bool_], clusters: Sequence[str]) -> tuple[float, float] | None:
    """95 % interval of a share of dependent cases, by the clusters they belong to; None from one cluster.

    See the module for the formula.
    """
    names = sorted(set(clusters))
    count, groups = len(inside), len(names)
    if groups < 2:
        return None
    member = np.array(clusters)
    share = float(inside.mean())
    excess = np.array([float((inside[member == name] - share).sum()) for name in names])
    variance = groups / (groups - 1) * float((excess**2).sum()) / count**2
    effective = float(groups)
    if variance > 0:
        spread = float(special.stdtrit(count - 1, 0.975) / special.stdtrit(groups - 1, 0.975)) ** 2
        effective = min(effective, share * (1 - share) / variance * spread)
    hits, misses = share * effective, (1 - share) * effective
    low = float(special.betaincinv(hits, misses + 1, 0.025)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, misses, 0.975)) if misses > 0 else 1.0
    return low, high
