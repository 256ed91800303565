"""How far the clock of the poses is off that of the pictures, by what both say of the camera's motion.

Between two frames the picture moves, turns and grows; the poses predict the same (`vision.motion_rates`). Read at the
picture's time plus the right offset they run alike. For each offset τ on a grid the cost is

    C(τ) = min over b, θ of  Σ_c Σ_k (s_ck - b_c - q_ck(τ) - D_ck(τ) θ)² / σ_c²  +  θᵀ θ

over the components c and the times k: s measured, q predicted, b a constant, D what steady errors of the pose (compass,
pitch, height, focal length) change q by, one sigma each, and θ how many sigmas they are. Such errors turn and stretch
the predicted motion, which without θ would be taken for an offset. The least of C, refined by a parabola, is the
offset. Its variance is what the curvature of C says and that of a jackknife over blocks of time (R. G. Miller, The
jackknife - a review, 1974), which also sees what the poses tremble by.

Only a *change* of motion tells an offset. On a hover, or a straight leg at constant speed, C is flat, and the answer is
that it cannot be told: no offset is made up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import Terrain
from vision.motion_rates import GRID_S, MotionRates, Rates, motion_rates
from vision.types import Frame

__all__ = ["ClockOffset", "estimate_clock_offset"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_REACH_S = 3.0
_LEAST_S, _LEAST_SHARE = 2.0, 0.5
_BLOCKS = 8
_LEAST_TOLD = 0.5  # share of the measured changes that the poses explain
_LEAST_CHANGE = 1.0  # pixels a second
_WORST_SIGMA_S = 0.1
_RIVAL_S, _RIVAL_SIGMAS, _RIVAL_SHARE = 0.3, 4.0, 0.03
_CLIP = 4.0
_FLOOR, _FLOOR_S = 0.2, 0.002  # pixels a second, and seconds


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """What was found.

    Parameters
    ----------
    seconds
        To add to the time of a picture for the time of its pose; None where it cannot be told.
    sigma_s
        One sigma of it, seconds; infinite where it cannot be told.
    told
        Share of the changes of the picture's motion that the poses explain then, 0 to 1.
    why
        Where it cannot be told, why, for people; else empty.
    """

    seconds: float | None
    sigma_s: float
    told: float
    why: str = ""

    def __str__(self) -> str:
        if self.seconds is None:
            return f"the clock offset cannot be told: {self.why}"
        word = "later" if self.seconds > 0 else "earlier"
        return (
            f"the pose of a picture is recorded {abs(self.seconds):.3f} ± {self.sigma_s:.3f} s {word} than the picture"
        )


def estimate_clock_offset(
    frames: Iterable[Frame], terrain: Terrain | None = None, *, seconds: float = 90.0
) -> ClockOffset:
    """Find the clock offset of a recording.

    Parameters
    ----------
    frames
        In the order of time, with the poses that the recording has for them, right or wrong.
    terrain
        The ground; without it, as `Georeferencer.for_frame` takes it.
    seconds
        As much of the video is looked at.

    Raises
    ------
    MetadataError
        When no two frames have a pose and a camera, or the elevation of the ground is unknown.
    """
    rates = motion_rates(frames, terrain, seconds)
    if rates.seen is None:
        return _untold("the pictures do not show how they move")
    pairs = _Pairs.of(rates, rates.seen)
    if pairs is None:
        return _untold("pictures and poses show their motion together for too short a time")
    return _judged(pairs)


def _untold(why: str, told: float = 0.0) -> ClockOffset:
    return ClockOffset(None, math.inf, told, why)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Measured beside predicted rates, for m offsets and n times.

    Offsets, seconds, (m,); measured (n, 4); predicted with changes (m, n, 4, k); where both are known (m, n).
    """

    grid: Floats
    measured: Floats
    predicted: Floats
    valid: Flags

    @classmethod
    def of(cls, rates: MotionRates, seen: Rates) -> _Pairs | None:
        """All offsets at which enough of the two overlaps; None without any."""
        said = rates.said
        reach = round(_REACH_S / GRID_S)
        steps = np.arange(-reach, reach + 1)
        # Half a bell apart all that the rates hold is there.
        at = np.arange(0, len(seen.known), max(1, round(rates.width_s / 2 / GRID_S)))
        there = at + steps[:, None]
        inside = (there >= 0) & (there < len(said.known))
        there = np.where(inside, there, 0)
        valid = inside & said.known[there] & seen.known[at]
        span_s = valid.sum(axis=1) * rates.width_s / 2
        enough = span_s >= max(_LEAST_S, _LEAST_SHARE * span_s.max())
        if not enough.any():
            return None
        return cls(steps[enough] * GRID_S, seen.values[at, :, 0], said.values[there[enough]], valid[enough])

    def costs(self) -> tuple[Floats, Floats]:
        """Costs of each offset and time, shape (m, n), and departures, pixels a second, shape (m, n, 4)."""
        weight = self.valid[..., None].astype(float)
        count = np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
        open_ = self.measured - self.predicted[..., 0]
        open_ = (open_ - (open_ * weight).sum(axis=1, keepdims=True) / count) * weight
        changes = self.predicted[..., 1:]
        mean = (changes * weight[..., None]).sum(axis=1, keepdims=True) / count[..., None]
        changes = (changes - mean) * weight[..., None]
        sigma = np.full(4, 10.0)
        for _ in range(4):
            # Neighbours share half of their bells: two count as one.
            weighed = changes / sigma[:, None] ** 2 / 2
            normal = np.einsum("mnci,mncj->mij", weighed, changes) + np.eye(changes.shape[-1])
            theta = np.linalg.solve(normal, np.einsum("mnci,mnc->mi", weighed, open_)[..., None])[..., 0]
            off = open_ - np.einsum("mnci,mi->mnc", changes, theta)
            # A picture that was laid wrongly on another counts as one that is far off, and no more.
            cost = np.minimum(off**2 / sigma**2, _CLIP**2).sum(axis=2)
            cost = (cost + 2 * (theta**2).sum(axis=1)[:, None] / count[:, 0]) * self.valid
            best = int(np.argmin(self.mean(cost, self.valid)))
            sigma = np.maximum(1.4826 * np.median(np.abs(off[best][self.valid[best]]), axis=0), _FLOOR)
        return cost, off

    def mean(self, cost: Floats, which: Flags) -> Floats:
        """Mean cost of each offset, shape (m,), over some times."""
        return np.asarray((cost * which).sum(axis=1) / np.maximum(which.sum(axis=1), 1))

    def least(self, cost: Floats) -> tuple[float, float]:
        """Where a curve of costs is least, and its curvature there: by the parabola through the points about it."""
        i = int(np.argmin(cost))
        near = slice(max(i - 3, 0), i + 4)
        square, line, _ = np.polyfit(self.grid[near] - self.grid[i], cost[near], 2)
        if i in {0, len(cost) - 1} or square <= 0:
            return float(self.grid[i]), 1e-12
        return float(self.grid[i] + np.clip(-line / (2 * square), -GRID_S, GRID_S)), float(square)

    def jackknife(self, cost: Floats) -> float:
        """One sigma of where the cost is least, seconds: each time one block of time is left out."""
        times = self.valid.shape[1]
        block = np.arange(times) * _BLOCKS // times
        found = np.array([self.least(self.mean(cost, self.valid & (block != b)))[0] for b in range(_BLOCKS)])
        return math.sqrt((_BLOCKS - 1) / _BLOCKS * float(((found - found.mean()) ** 2).sum()))


def _judged(pairs: _Pairs) -> ClockOffset:
    """The best offset, if it can be told."""
    cost, off = pairs.costs()
    mean = pairs.mean(cost, pairs.valid)
    best = int(np.argmin(mean))
    tau, curvature = pairs.least(mean)
    count = pairs.valid[best].sum() / 2
    sigma_s = math.hypot(pairs.jackknife(cost), 1 / math.sqrt(curvature * count), _FLOOR_S)
    kept = pairs.measured[pairs.valid[best]]
    changes = np.median(np.abs(kept - np.median(kept, axis=0)), axis=0)
    left = np.median(np.abs(off[best][pairs.valid[best]]), axis=0)
    told = max(0.0, 1.0 - float((left**2).sum() / max((changes**2).sum(), 1e-12)))
    # Other valleys of the cost, and how much higher they lie.
    valley = np.flatnonzero((mean[1:-1] <= mean[:-2]) & (mean[1:-1] <= mean[2:])) + 1
    rivals = mean[valley[np.abs(pairs.grid[valley] - tau) > max(_RIVAL_S, 5 * sigma_s)]] - mean[best]
    near = max(_RIVAL_SIGMAS**2 / count, _RIVAL_SHARE * float(np.median(mean)))
    if np.hypot.reduce(changes) < _LEAST_CHANGE:
        return _untold("the camera's motion hardly changes, so every offset fits; look at a turn or a take-off", told)
    if told < _LEAST_TOLD:
        return _untold(
            f"the poses explain {100 * told:.0f} % of how the motion changes: too little, or another flight", told
        )
    if best in {0, len(mean) - 1}:
        return _untold(f"it is {abs(tau):.1f} s or more", told)
    if sigma_s > _WORST_SIGMA_S:
        return _untold(f"it is open to {sigma_s:.2f} s: the motion changes too little or too seldom", told)
    if (rivals < near).any():
        return _untold("another offset fits nearly as well: the motion repeats itself", told)
    return ClockOffset(tau, sigma_s, told)
