"""A constant-velocity Kalman filter in a plane whose steps may be of any length."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlaneFilter", "smooth"]

Floats = NDArray[np.float64]


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
        innovation = self.covariance[:2, :2] + covariance
        gain = np.linalg.solve(innovation, self.covariance[:2]).T
        self.state = self.state + gain @ (place - self.state[:2])
        # Joseph's form keeps the covariance positive.
        keep = np.eye(4)
        keep[:, :2] -= gain
        self.covariance = keep @ self.covariance @ keep.T + gain @ covariance @ gain.T


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
    count = len(times_s)
    states, errors = np.zeros((count, 4)), np.zeros((count, 4, 4))
    ahead, ahead_errors = np.zeros((count, 4)), np.zeros((count, 4, 4))
    filtered = PlaneFilter(places[0], covariances[0], speed_sigma, density)
    for i in range(count):
        if i:
            filtered.predict(float(times_s[i] - times_s[i - 1]))
            ahead[i], ahead_errors[i] = filtered.state, filtered.covariance
            filtered.update(places[i], covariances[i])
        states[i], errors[i] = filtered.state, filtered.covariance
    for i in range(count - 2, -1, -1):
        step = _transition(float(times_s[i + 1] - times_s[i]))
        gain = np.linalg.solve(ahead_errors[i + 1], step @ errors[i]).T
        states[i] += gain @ (states[i + 1] - ahead[i + 1])
        errors[i] += gain @ (errors[i + 1] - ahead_errors[i + 1]) @ gain.T
    return states, errors
