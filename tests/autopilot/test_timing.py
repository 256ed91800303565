"""Clocks of a flight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopilot.timing import FlightClock

steps = st.lists(st.floats(0.1, 10.0), min_size=1, max_size=30)


@given(steps, st.floats(0.05, 1.0))
def test_a_slow_simulation_counts_by_its_own_clock(walls, pace):
    clock = FlightClock(100.0, 5.0)
    clock.elapsed_s(7.0, 5.0)
    wall, vehicle = 5.0, 7.0
    for step in walls:
        wall += step
        vehicle += step * 100.0 * pace
        assert clock.elapsed_s(vehicle, wall) == pytest.approx(vehicle - 7.0)


@given(steps, st.sampled_from([1.0, 20.0]))
def test_a_clock_that_stands_still_stops_no_limit(walls, scale):
    clock = FlightClock(scale, 5.0)
    clock.elapsed_s(7.0, 5.0)
    wall = 5.0
    for step in walls:
        wall += step
        assert clock.elapsed_s(7.0, wall) == pytest.approx((wall - 5.0) * scale)
    before = clock.elapsed_s(None, wall)
    # It booted anew: what was counted stays.
    assert clock.elapsed_s(1.0, wall + 1.0) == pytest.approx(before + scale)
    assert clock.elapsed_s(1.5, wall + 2.0) == pytest.approx(before + scale + (0.5 if scale > 1 else 1.0))


@pytest.mark.parametrize("scale", [1.0, 20.0])
@given(st.floats(1e3, 4e6))
def test_a_clock_that_leaps_ends_no_limit(scale, leap_s):
    """As by one wild time_boot_ms, which holds up to 49 days; from there it goes on, or back."""
    clock = FlightClock(scale, 5.0)
    clock.elapsed_s(7.0, 5.0)
    assert clock.elapsed_s(7.0 + leap_s, 6.0) == pytest.approx(scale)
    assert clock.elapsed_s(7.0 + leap_s + scale, 7.0) == pytest.approx(2 * scale)
    assert clock.elapsed_s(7.0 + 3 * scale, 8.0) == pytest.approx(3 * scale)
    assert clock.elapsed_s(7.0 + 4 * scale, 9.0) == pytest.approx(4 * scale)


def test_in_real_time_the_wall_counts_where_the_vehicle_is_slow():
    clock = FlightClock(1.0, 0.0)
    clock.elapsed_s(10.0, 0.0)
    assert clock.elapsed_s(11.0, 60.0) == 60.0
    assert clock.elapsed_s(90.0, 61.0) == 80.0
