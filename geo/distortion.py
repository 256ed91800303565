"""Lens distortion of Brown and Conrady: from where a perfect lens would show a point to where this one does, and back.

Points are on the plane at distance 1 before the lens: x / z and y / z of the camera frame, without a unit. With
r² = x² + y² a point is shown at

    x (1 + k1 r² + k2 r⁴) + 2 p1 x y + p2 (r² + 2 x²),
    y (1 + k1 r² + k2 r⁴) + p1 (r² + 2 y²) + 2 p2 x y

(D. C. Brown, Decentering distortion of lenses, Photogrammetric Engineering 32(3), 1966; the order and the signs are
OpenCV's.) The radial polynomial folds back outside a radius where negative coefficients win: what lies beyond has no
place in the picture and is NaN, never a second place within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import CoordinateError

__all__ = ["Distortion"]

Floats = NDArray[np.float64]

_STEPS, _CLOSE = 50, 1e-12


@dataclass(frozen=True, slots=True)
class Distortion:
    """Coefficients of a lens; all zero is a perfect one.

    Parameters
    ----------
    k1, k2
        Radial; a negative k1 is a barrel.
    p1, p2
        Tangential.

    Raises
    ------
    CoordinateError
        When one is not a finite number.
    """

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    reach: float = field(init=False, repr=False, compare=False)
    """Radius, on the plane at distance 1 and before distortion, at which the picture folds back; infinite for none."""

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.k1, self.k2, self.p1, self.p2))):
            raise CoordinateError(
                f"lens distortion k1 {self.k1}, k2 {self.k2}, p1 {self.p1}, p2 {self.p2}: all must be finite numbers"
            )
        # The shown radius r + k1 r³ + k2 r⁵ rises up to the first positive root of 1 + 3 k1 r² + 5 k2 r⁴.
        inner = 9 * self.k1**2 - 20 * self.k2
        steepness = -3 * self.k1 + math.sqrt(inner) if inner >= 0 else 0.0
        object.__setattr__(self, "reach", math.sqrt(2 / steepness) if steepness > 1e-12 else math.inf)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return any((self.k1, self.k2, self.p1, self.p2))

    def distort(self, points: ArrayLike) -> Floats:
        """Where points, shape (..., 2), are shown; NaN beyond the fold."""
        xy = np.asarray(points, dtype=float)
        return np.where((_norm(xy) < self.reach)[..., None], self._shown(xy), np.nan)

    def jacobian(self, points: ArrayLike) -> Floats:
        """Derivative of `distort` at points, shape (..., 2): matrices of shape (..., 2, 2)."""
        xy = np.asarray(points, dtype=float)
        x, y = xy[..., 0], xy[..., 1]
        r2 = x * x + y * y
        radial = 1 + r2 * (self.k1 + r2 * self.k2)
        slope = 2 * self.k1 + 4 * self.k2 * r2  # of `radial` by r²/2
        cross = slope * x * y + 2 * self.p1 * x + 2 * self.p2 * y
        right = radial + slope * x * x + 2 * self.p1 * y + 6 * self.p2 * x
        down = radial + slope * y * y + 6 * self.p1 * y + 2 * self.p2 * x
        return np.stack([np.stack([right, cross], axis=-1), np.stack([cross, down], axis=-1)], axis=-2)

    def undistort(self, shown: ArrayLike) -> Floats:
        """Where a perfect lens would show what is seen at points, shape (..., 2); NaN for what no ray reaches."""
        seen = np.asarray(shown, dtype=float)
        if not self:
            return seen.copy()
        found = seen.copy()
        # Newton's steps from the point itself; far out in a barrel, where a step would leave the rising part, a
        # shorter one.
        with np.errstate(invalid="ignore", over="ignore"):
            for _ in range(_STEPS):
                step = np.linalg.solve(_regular(self.jacobian(found)), (self._shown(found) - seen)[..., None])[..., 0]
                nearer = self._within(found - step)
                if np.nanmax(np.abs(nearer - found), initial=0.0) < _CLOSE:
                    break
                found = nearer
            good = (np.abs(self._shown(nearer) - seen).max(axis=-1) < 1e-9) & (_norm(nearer) < self.reach)
        return np.where(good[..., None], nearer, np.nan)

    def _shown(self, points: Floats) -> Floats:
        """As `distort`, without the check of the fold."""
        r2 = (points * points).sum(axis=-1, keepdims=True)
        tangential = np.array([self.p2, self.p1])
        return np.asarray(
            points * (1 + r2 * (self.k1 + r2 * self.k2))
            + 2 * points * (points @ tangential)[..., None]
            + tangential * r2
        )

    def _within(self, points: Floats) -> Floats:
        """Points no farther out than just within the fold."""
        if math.isinf(self.reach):
            return points
        radius = _norm(points)[..., None]
        return np.asarray(points * np.minimum(1.0, 0.999_999 * self.reach / np.maximum(radius, 1e-300)))


def _norm(points: Floats) -> Floats:
    return np.asarray(np.linalg.norm(points, axis=-1))


def _regular(matrices: Floats) -> Floats:
    """Matrices that can be inverted: at the fold itself the derivative is zero."""
    flat = np.abs(np.linalg.det(matrices)) < 1e-12
    return np.where(flat[..., None, None], np.eye(2), matrices)
