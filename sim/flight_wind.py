"""Wind: a constant mean and gusts that are a function of the time of the sortie and of the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import cos, hypot, inf, isfinite, pi, radians, sin

from sim.errors import ConfigError

__all__ = ["Wind", "WindField"]

# Angular frequencies, rad/s, and shares of the gust variance: a coarse Dryden spectrum at 100 m.
_GUSTS = ((0.13, 0.4), (0.31, 0.3), (0.73, 0.2), (1.57, 0.1))
_STILL = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Wind:
    """Wind over the whole site.

    Parameters
    ----------
    speed_mps
        Mean speed.
    from_deg
        True direction it blows from, degrees.
    gust_mps
        Standard deviation of the gusts on each horizontal axis.

    Raises
    ------
    ConfigError
        When a figure is not finite or a speed is negative or beyond 40 m/s.
    """

    speed_mps: float = 0.0
    from_deg: float = 0.0
    gust_mps: float = 0.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("speed_mps", self.speed_mps, 0.0, 40.0),
            ("gust_mps", self.gust_mps, 0.0, 40.0),
            ("from_deg", self.from_deg, -inf, inf),
        ):
            if not (isfinite(value) and low <= value <= high):
                raise ConfigError(f"wind {name} is {value}: give a finite figure between {low:g} and {high:g}")


class WindField:
    """The wind that one vehicle meets.

    Parameters
    ----------
    wind
        Mean and gusts.
    seed
        Phases of the gusts; a vehicle has its own.

    Attributes
    ----------
    squall
        East and north wind of this moment beside mean and gusts, m/s.
    """

    __slots__ = ("_waves_e", "_waves_n", "calm", "mean_e_mps", "mean_n_mps", "squall")

    def __init__(self, wind: Wind, seed: int) -> None:
        towards = radians(wind.from_deg) + pi
        self.mean_e_mps = wind.speed_mps * sin(towards)
        self.mean_n_mps = wind.speed_mps * cos(towards)
        self.calm = wind.gust_mps == 0.0
        self.squall = _STILL
        rng = random.Random(f"wind {seed}")  # noqa: S311 (a simulation)
        self._waves_e = self._waves(rng, wind.gust_mps)
        self._waves_n = self._waves(rng, wind.gust_mps)

    @staticmethod
    def _waves(rng: random.Random, sigma_mps: float) -> tuple[tuple[float, float, float], ...]:
        return tuple((sigma_mps * (2.0 * share) ** 0.5, w, rng.uniform(0.0, 2.0 * pi)) for w, share in _GUSTS)

    def gust(self, time_s: float) -> tuple[float, float]:
        """East and north gust in m/s at a time of the sortie."""
        east, north = self.squall
        if self.calm:
            return east, north
        for amplitude, w, phase in self._waves_e:
            east += amplitude * sin(w * time_s + phase)
        for amplitude, w, phase in self._waves_n:
            north += amplitude * sin(w * time_s + phase)
        return east, north

    def push(self, ve_mps: float, vn_mps: float, gust: tuple[float, float], drag_per_m: float) -> tuple[float, float]:
        """Acceleration, m/s², by which the drag under a gust differs from the drag in the mean wind."""
        if self.calm and self.squall == _STILL:
            return _STILL
        mean_e, mean_n = ve_mps - self.mean_e_mps, vn_mps - self.mean_n_mps
        now_e, now_n = mean_e - gust[0], mean_n - gust[1]
        before = drag_per_m * hypot(mean_e, mean_n)
        now = drag_per_m * hypot(now_e, now_n)
        return before * mean_e - now * now_e, before * mean_n - now * now_n
