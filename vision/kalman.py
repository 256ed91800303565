"""A constant-velocity Kalman filter in a plane whose steps may be of any length."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneFilter", "Smoother", "predict_all", "smooth", "update_all"]

Floats = NDArray[np.float64]

_EYE = np.eye(4)


@lru_cache(maxsize=64)
def _transition(seconds: float) -> Floats:
    step = np.eye(4)
    step[0, 2] = step[1, 3] = seconds
    step.flags.writeable = False  # it is shared by all who ask for this time
    return step


@lru_cache(maxsize=64)
def _process(seconds: float, density: float) -> Floats:
    """White noise of acceleration, spectral density in units² / s³, over a step (Bar-Shalom, Li, Kirubarajan 6.2.2)."""
    cubic, square = seconds**3 / 3, seconds**2 / 2
    noise = np.diag([cubic, cubic, seconds, seconds])
    noise[0, 2] = noise[2, 0] = noise[1, 3] = noise[3, 1] = square
    noise *= density
    noise.flags.writeable = False
    return noise


class PlaneFilter:
    """State of one object: place and velocity, shape (4,), in units of the plane and units a second.

    Parameters
    ----------
    place, covariance
        First measurement, shape (2,), and its covariance, shape (2, 2).
    speed_sigma
        One sigma of its unknown speed, each way, units a second.
    density
        Spectral density of its acceleration, units² / s³.
    """

    __slots__ = ("covariance", "density", "state")

    def __init__(self, place: Floats, covariance: Floats, speed_sigma: float, density: float) -> None:
        self.state = np.array([place[0], place[1], 0.0, 0.0])
        self.covariance = np.zeros((4, 4))
        self.covariance[:2, :2] = covariance
        self.covariance[2, 2] = self.covariance[3, 3] = speed_sigma**2
        self.density = density

    def predict(self, seconds: float) -> None:
        """Move the state on by a time."""
        step = _transition(seconds)
        self.state = step @ self.state
        self.covariance = step @ self.covariance @ step.T + _process(seconds, self.density)

    def carry(self, place: Floats, turn: Floats, sigma: float) -> None:
        """Go over to another plane: the new place, shape (2,), how steps turn, (2, 2), and one sigma of the place."""
        both = np.kron(np.eye(2), turn)
        self.state = np.concatenate([place, turn @ self.state[2:]])
        self.covariance = both @ self.covariance @ both.T
        self.covariance[[0, 1], [0, 1]] += sigma**2

    def update(self, place: Floats, covariance: Floats) -> None:
        """Take in a measurement, shape (2,), of covariance (2, 2)."""
        (a, b), (c, d) = (self.covariance[:2, :2] + covariance).tolist()
        # By hand: for two rows `numpy.linalg.solve` takes longer than all the rest.
        gain = self.covariance[:, :2] @ (np.array([[d, -b], [-c, a]]) / (a * d - b * c))
        self.state = self.state + gain @ (place - self.state[:2])
        # Joseph's form keeps the covariance positive.
        keep = _EYE.copy()
        keep[:, :2] -= gain
        self.covariance = keep @ self.covariance @ keep.T + gain @ covariance @ gain.T


def predict_all(filters: Sequence[PlaneFilter], seconds: float) -> None:
    """`PlaneFilter.predict` of several at once, which takes hardly longer than that of one."""
    if not filters:
        return
    step = _transition(seconds)
    densities = np.array([one.density for one in filters])
    states = np.array([one.state for one in filters]) @ step.T
    errors = step @ np.array([one.covariance for one in filters]) @ step.T
    errors += densities[:, None, None] * _process(seconds, 1.0)
    _set(filters, states, errors)


def update_all(filters: Sequence[PlaneFilter], places: Floats, covariances: Floats) -> None:
    """`PlaneFilter.update` of several at once, with a measurement each, shape (n, 2), and its covariance, (n, 2, 2)."""
    if not filters:
        return
    states = np.array([one.state for one in filters])
    errors = np.array([one.covariance for one in filters])
    (a, b), (c, d) = np.moveaxis(errors[:, :2, :2] + covariances, 0, -1)
    inverse = np.moveaxis(np.array([[d, -b], [-c, a]]) / (a * d - b * c), -1, 0)
    gains = errors[:, :, :2] @ inverse
    states += (gains @ (places - states[:, :2])[..., None])[..., 0]
    keep = np.tile(_EYE, (len(filters), 1, 1))
    keep[:, :, :2] -= gains
    errors = keep @ errors @ np.swapaxes(keep, 1, 2) + gains @ covariances @ np.swapaxes(gains, 1, 2)
    _set(filters, states, errors)


def _set(filters: Sequence[PlaneFilter], states: Floats, errors: Floats) -> None:
    for one, state, error in zip(filters, states, errors, strict=True):
        one.state, one.covariance = state, error


def smooth(
    times_s: Floats, places: Floats, covariances: Floats, speed_sigma: float, density: float
) -> tuple[Floats, Floats]:
    """Rauch-Tung-Striebel smoother over n measurements.

    Parameters
    ----------
    times_s
        Times that increase, seconds, shape (n,).
    places, covariances
        Measurements, shape (n, 2), and their covariances, shape (n, 2, 2).
    speed_sigma, density
        As in `PlaneFilter`.

    Returns
    -------
    tuple
        States, shape (n, 4), and their covariances, shape (n, 4, 4).
    """
    return Smoother().smooth(times_s, places, covariances, speed_sigma, density)


class Smoother:
    """`smooth` for a track that is looked at again and again as it grows.

    The way there is kept: what the measurements have in common with those of the call before, from the first one on, is
    not filtered again. Results are those of `smooth`, to the bit.
    """

    def __init__(self) -> None:
        self._given: tuple[Floats, Floats, Floats, float, float] | None = None
        self._there: tuple[Floats, Floats, Floats, Floats] | None = None

    def smooth(
        self, times_s: Floats, places: Floats, covariances: Floats, speed_sigma: float, density: float
    ) -> tuple[Floats, Floats]:
        """See `smooth`."""
        count = len(times_s)
        known = self._known(times_s, places, covariances, speed_sigma, density)
        filtered, errors = np.zeros((count, 4)), np.zeros((count, 4, 4))
        ahead, ahead_errors = np.zeros((count, 4)), np.zeros((count, 4, 4))
        for new, old in zip((filtered, errors, ahead, ahead_errors), self._there or (), strict=False):
            new[:known] = old[:known]
        run = PlaneFilter(places[0], covariances[0], speed_sigma, density)
        if known:
            run.state, run.covariance = filtered[known - 1], errors[known - 1]
        for i in range(known, count):
            if i:
                run.predict(float(times_s[i] - times_s[i - 1]))
                ahead[i], ahead_errors[i] = run.state, run.covariance
                run.update(places[i], covariances[i])
            filtered[i], errors[i] = run.state, run.covariance
        self._given = times_s.copy(), places.copy(), covariances.copy(), speed_sigma, density
        self._there = filtered, errors, ahead, ahead_errors
        return _back(times_s, *self._there)

    def _known(self, times_s: Floats, places: Floats, covariances: Floats, speed_sigma: float, density: float) -> int:
        """How many of the first measurements are as they were."""
        if self._given is None or self._given[3:] != (speed_sigma, density):
            return 0
        count = min(len(times_s), len(self._given[0]))
        differs = np.zeros(count, dtype=bool)
        for old, new in zip(self._given[:3], (times_s, places, covariances), strict=True):
            differs |= (old[:count] != new[:count]).reshape(count, -1).any(axis=1)
        return int(np.argmax(differs)) if differs.any() else count


def _back(
    times_s: Floats, filtered: Floats, errors: Floats, ahead: Floats, ahead_errors: Floats
) -> tuple[Floats, Floats]:
    """The way back: what came later, for what was before."""
    states, spread = filtered.copy(), errors.copy()
    if len(times_s) < 2:
        return states, spread
    # A gain hangs on the way there alone, so all are solved for at once.
    steps = np.array([_transition(float(seconds)) for seconds in np.diff(times_s)])
    gains = np.swapaxes(np.linalg.solve(ahead_errors[1:], steps @ errors[:-1]), 1, 2)
    for i in range(len(times_s) - 2, -1, -1):
        gain = gains[i]
        states[i] += gain @ (states[i + 1] - ahead[i + 1])
        spread[i] += gain @ (spread[i + 1] - ahead_errors[i + 1]) @ gain.T
    return states, spread
