"""Longitudes the shorter way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import longitude_between

LONGITUDES = st.floats(-180, 180, exclude_max=True)


@given(start=LONGITUDES, stop=LONGITUDES, share=st.floats(0, 1))
def test_a_longitude_between_two_is_where_their_directions_lie_between(start: float, stop: float, share: float) -> None:
    # Of unit vectors on a circle, whatever way longitudes are counted; opposite ones have no shorter way.
    a, b, between = (
        np.exp(1j * np.radians(lon)) for lon in (start, stop, float(longitude_between(start, stop, share)))
    )
    whole = abs(np.angle(b / a))
    if whole > np.pi - 1e-6:
        return
    assert abs(np.angle(between / a)) == pytest.approx(share * whole, abs=1e-9)
    assert abs(np.angle(b / between)) == pytest.approx((1 - share) * whole, abs=1e-9)


def test_across_the_antimeridian_it_goes_on() -> None:
    assert longitude_between(179.0, -179.0, [0.0, 0.25, 0.5, 1.0]).tolist() == [179.0, 179.5, -180.0, -179.0]
