"""How thin the air is at a height, by the International Standard Atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["density_ratio", "true_per_equivalent"]

Floats = NDArray[np.float64]

_SEA_LEVEL_K, _LAPSE_K_M, _TROPOPAUSE_M = 288.15, 0.0065, 11_000.0
_GRAVITY_M_S2, _GAS_J_KG_K = 9.80665, 287.05287


def density_ratio(amsl_m: ArrayLike) -> Floats:
    """Density of the air at a height by that at sea level: 1 there, 0.889 at 1,200 m, 0.742 at 3,000 m.

    With T the temperature it is (T / T0)^(g / (R L) - 1) up to the tropopause at 11 km, where T falls by L a metre, and
    exp(-g h / (R T)) of what it is there for h metres above, where T stays: ICAO Doc 7488, *Manual of the ICAO
    Standard Atmosphere*, 1993. The heights of the manual are geopotential; those above mean sea level are taken for
    them, which at 8 km is 10 m off. A day 20 degrees warmer than the standard has air thinner by 7 %.

    Parameters
    ----------
    amsl_m
        Heights above mean sea level, metres, of any shape, up to 20 km; not a number where they are not known.

    Returns
    -------
    ndarray
        Of the shape of the heights.
    """
    height = np.asarray(amsl_m, dtype=float)
    kelvin = _SEA_LEVEL_K - _LAPSE_K_M * np.minimum(height, _TROPOPAUSE_M)
    below = (kelvin / _SEA_LEVEL_K) ** (_GRAVITY_M_S2 / (_GAS_J_KG_K * _LAPSE_K_M) - 1.0)
    above = np.exp(-_GRAVITY_M_S2 * np.maximum(height - _TROPOPAUSE_M, 0.0) / (_GAS_J_KG_K * kelvin))
    return np.asarray(below * above)


def true_per_equivalent(amsl_m: ArrayLike) -> Floats:
    """True airspeed by equivalent airspeed at a height: 1 / sqrt of the density ratio, 1.06 at 1,200 m.

    An autopilot with wings holds its equivalent airspeed, which is what lifts it: ArduPilot's ``EAS2TAS``. At the same
    bank its turns are wider by the square of this.

    Parameters
    ----------
    amsl_m
        Heights, as `density_ratio` takes them.
    """
    return np.asarray(1.0 / np.sqrt(density_ratio(amsl_m)))
