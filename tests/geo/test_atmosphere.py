"""Density of the air by the standard atmosphere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geo import density_ratio, true_per_equivalent

TABLE = [(0, 1.22500), (1000, 1.11164), (2000, 1.00649), (3000, 0.909122), (5000, 0.736116)]
HIGH = [(8000, 0.525168), (11000, 0.363918), (15000, 0.193674), (20000, 0.0880349)]
"""Geopotential heights, metres, and densities, kg/m3, of the tables of ICAO Doc 7488."""


@pytest.mark.parametrize(("height_m", "kg_m3"), TABLE + HIGH)
def test_the_density_is_that_of_the_tables(height_m: float, kg_m3: float) -> None:
    assert 1.225 * float(density_ratio(height_m)) == pytest.approx(kg_m3, rel=1e-5)


def test_the_density_is_what_holds_the_air_above_up() -> None:
    # dp = -rho g dh, p = rho R T, by small steps from sea level: nothing of the closed form is in it.
    pressure, step = 101_325.0, 1.0
    for height in np.arange(0.0, 14_000.0, step):
        kelvin = max(288.15 - 0.0065 * (height + step / 2), 216.65)
        pressure *= math.exp(-9.80665 * step / (287.05287 * kelvin))
        if height + step in (1200.0, 4321.0, 11_000.0, 13_999.0):
            at = max(288.15 - 0.0065 * (height + step), 216.65)
            assert float(density_ratio(height + step)) == pytest.approx(pressure / (287.05287 * at) / 1.225, rel=1e-5)


def test_heights_of_any_shape_are_taken_and_unknown_ones_stay_unknown() -> None:
    heights = np.array([[0.0, 1200.0, np.nan], [3000.0, 12_000.0, -400.0]])
    ratios = density_ratio(heights)
    assert ratios.shape == heights.shape
    assert np.isnan(ratios[0, 2])
    known = np.isfinite(heights)
    assert [float(density_ratio(height)) for height in heights[known]] == ratios[known].tolist()


def test_the_true_airspeed_moves_as_much_air_as_the_equivalent_one_does_at_sea_level() -> None:
    heights = np.linspace(-400.0, 9000.0, 50)
    # The dynamic pressure rho v^2 / 2 is the same.
    np.testing.assert_allclose(density_ratio(heights) * true_per_equivalent(heights) ** 2, 1.0, rtol=1e-12)
    assert float(true_per_equivalent(1200.0)) == pytest.approx(1.060, abs=5e-4)
