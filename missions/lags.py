"""How late and how early autopilots fly the heights of wings.

Wings fly neither the heights of their waypoints nor the straight lines between them. Each autopilot has a way of its
own from one height to the next, and comes after it with a lag:

========  ==========================================================================================================
late      ArduPlane passes the height that it asks for through a low-pass filter of TECS_HDEM_TCONST (3 s) and feeds
          the rate forward: what is flown is the filtered height (AP_TECS.cpp).
late      PX4 climbs at FW_T_HRATE_FF (0.3) of the rate that it asks for, and by the error of height over FW_T_ALT_TC
          (5 s): 0.7 of a climb is made good with that time constant (TECS.cpp).
early     PX4 is at the height of a waypoint where it turns to the next one, NPFG_SW_DST_MLT (0.32) of NPFG_PERIOD
          (10 s) times NPFG_DAMPING (0.7) before it, however small its radius (FixedWingModeManager.cpp).
at once   ArduPlane flies a slope only where two waypoints differ by ALT_SLOPE_MIN (15 m; GLIDE_SLOPE_MIN before 4.7)
          or more; else it asks for the height of the next at the beginning of the leg (altitude.cpp).
========  ==========================================================================================================
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from missions.slopes import Slopes

__all__ = ["Rates", "highest", "late_s"]

Floats = NDArray[np.float64]

_STEP_S = 0.5
_BLOCK = 128
"""Samples of a block: few enough for the measure at their end, and more than a loop over them is worth."""

_LONG_S = 60.0
"""In a piece that takes longer than this all that came before is forgotten, seconds: twelve time constants."""


class _Lag(NamedTuple):
    """Which share of a change of height is flown late, with which time constant, and how early it may be, seconds."""

    share: float
    constant_s: float
    early_s: float

    def late(self, climbed_m: Floats) -> Floats:
        """By how much it is flown late at moments `_STEP_S` apart, metres, from what is climbed between them."""
        return self._left(climbed_m, self.constant_s)

    def led(self, climbed_m: Floats) -> Floats:
        """By how much to ask for more, so that what is then flown late is what was asked for, metres.

        Of a share s and a constant T the lag is 1 - s + s / (1 + T p) of the heights; what undoes it adds
        s T p / (1 + (1 - s) T p).
        """
        return self._left(climbed_m, (1 - self.share) * self.constant_s)

    def _left(self, climbed_m: Floats, constant_s: float) -> Floats:
        kept = math.exp(-_STEP_S / constant_s) if constant_s > 0 else 0.0
        left = _faded(climbed_m, kept) if kept > 0 else climbed_m
        return np.asarray(self.share * self.constant_s * (1 - kept) / _STEP_S * left)


_LAGS = (_Lag(1.0, 3.0, 0.0), _Lag(0.7, 5.0, 0.32 * 10.0 * 0.7))
"""Those of ArduPlane and of PX4."""


def late_s() -> float:
    """How long after its time a height of a long climb is flown, seconds."""
    return max(lag.share * lag.constant_s for lag in _LAGS)


class Rates(NamedTuple):
    """How fast heights change along a way.

    Parameters
    ----------
    slowest
        What may be climbed and descended at the lowest speed.
    planned_s
        What each piece takes at the speed that is planned, seconds, shape (n - 1,).
    climb_m_s, descent_m_s
        How fast it climbs and descends.
    """

    slowest: Slopes
    planned_s: Floats
    climb_m_s: float
    descent_m_s: float

    def reversed(self) -> Rates:
        """Those upside down."""
        up, down = self.slowest
        return Rates(Slopes(down, up), self.planned_s, self.descent_m_s, self.climb_m_s)

    def matters(self, over_m: Floats, least_m: Floats) -> bool:
        """Whether heights that are flown above some are to be planned above others anywhere."""
        if not np.isfinite(over_m).all():
            return False
        clock_s = np.concatenate([[0.0], np.cumsum(self.planned_s)])
        early_s, late_m = max(lag.early_s for lag in _LAGS), late_s() * self.climb_m_s
        return bool((highest(clock_s, over_m, early_s) + late_m > least_m).any())

    def kept(self, over_m: Floats, given_m: tuple[float | None, ...]) -> Floats:
        """The least heights that can be flown and of which no autopilot makes less than others, metres, shape (n,).

        Parameters
        ----------
        over_m
            What is to be flown above, metres, shape (n,).
        given_m
            Heights at both ends, or None: what is given is so, and what can be had from there.
        """
        base = self.slowest.above(over_m)
        passed_s, clock_s, climbed = self._clocked(base)
        out = base
        for lag in _LAGS:
            # What becomes the base once it is flown late: its lag turned round, which is one of a shorter constant.
            lead = lag.led(climbed)
            asked = base + np.interp(passed_s, clock_s, lead)
            # Of lower heights that come soon no autopilot is asked before it may be.
            out = np.maximum(out, highest(passed_s, asked, lag.early_s))
        start, stop = (np.inf if v is None else v for v in given_m)
        slowest = self.slowest
        had = np.minimum(start + slowest.up_m, stop + slowest.down_m[-1] - slowest.down_m)
        return np.asarray(np.minimum(slowest.above(out), had))

    def most_of(self, height_m: Floats) -> Floats:
        """The greatest heights at samples that any autopilot makes of a line of heights, metres, shape (n,)."""
        out = height_m
        passed_s = self._clocked(height_m)[0]
        for lag in _LAGS:
            # What is asked for early is what is asked for soon.
            asked = highest(-passed_s[::-1], height_m[::-1], lag.early_s)[::-1]
            own_s, clock_s, climbed = self._clocked(asked)
            out = np.maximum(out, asked - np.interp(own_s, clock_s, lag.late(climbed)))
        return np.asarray(out)

    def _clocked(self, height_m: Floats) -> tuple[Floats, Floats, Floats]:
        """When samples are passed, seconds; moments `_STEP_S` apart; and what is climbed up to each since the last."""
        up, down = self.climb_m_s, self.descent_m_s
        rise = np.clip(np.diff(height_m), -down * _LONG_S, up * _LONG_S)
        took_s = np.minimum(np.maximum(self.planned_s, np.maximum(rise / up, -rise / down)), _LONG_S)
        passed_s = np.concatenate([[0.0], np.cumsum(took_s)])
        clock_s = np.arange(0.0, passed_s[-1] + _STEP_S, _STEP_S)
        climbed = np.diff(np.interp(clock_s, passed_s, np.concatenate([[0.0], np.cumsum(rise)])), prepend=0.0)
        return passed_s, clock_s, climbed


def _faded(added: Floats, kept: float) -> Floats:
    """What is left at each sample of what was added up to it, of which a share is kept from each to the next.

    In blocks: within one the sum of what was added, each in the measure of its beginning, is what is left there.
    """
    shares = kept ** np.arange(float(_BLOCK))
    padded = np.zeros((-(-len(added) // _BLOCK), _BLOCK))
    padded.ravel()[: len(added)] = added
    left = np.cumsum(padded / shares, axis=1) * shares
    for k in range(1, len(left)):
        left[k] += left[k - 1, -1] * kept * shares
    return left.ravel()[: len(added)]


def highest(along_m: Floats, value_m: Floats, before_m: float) -> Floats:
    """The greatest value from so far before each sample to it, shape (n,).

    Between two samples values are straight, and one that lies in part within the reach counts as a whole.

    Parameters
    ----------
    along_m
        Distance of the samples along the way, metres, shape (n,), not falling.
    value_m
        A value at each, shape (n,).
    before_m
        How far, metres.
    """
    count = len(along_m)
    first = np.maximum(np.searchsorted(along_m, along_m - before_m, side="left") - 1, 0)
    size = np.arange(count) - first + 1
    # Greatest of 1, 2, 4, ... samples from each on: two of them cover any run of samples.
    out, level, width = value_m.copy(), value_m, 1
    while True:
        own = np.flatnonzero((size >= width) & (size < 2 * width))
        out[own] = np.maximum(level[first[own]], level[own - width + 1])
        if not (size >= 2 * width).any():
            return out
        level = np.maximum(level[: len(level) - width], level[width:])
        width *= 2
