"""Fences that a real PX4 takes and does not keep, or not yet (main of May 2026)."""

from math import nan

import pytest

import sim
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.sim.mav_client import HOME


def square(north_m, east_m, half_m, command=5001):
    corners = [(-half_m, -half_m), (half_m, -half_m), (half_m, half_m), (-half_m, half_m)]
    return [
        (0, command, 4.0, 0.0, 0.0, 0.0, round((HOME[0] + (north_m + n) / 111319.5) * 1e7),
         round((HOME[1] + (east_m + e) / 95000.0) * 1e7), 0.0)
        for n, e in corners
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fence", "dropped", "held"),
    [
        (square(0, 0, 200), 0, True),
        (square(1200, 1200, 200), 1, False),
        ([*square(0, 0, 200), *square(1200, 1200, 200)], 1, True),
        (square(0, 0, 100, 5002), 1, False),
    ],
    ids=["about home", "elsewhere", "both", "home is kept out of"],
)
def test_shapes_that_home_is_on_the_wrong_side_of_are_taken_and_dropped(fence, dropped, held):
    """Seen on PX4 main of May 2026: acknowledged, read back whole, one text, and armed and flown without them."""
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", params={"GF_ACTION": 3}))
    pilot.advance(1.0)
    assert pilot.upload(fence, 1) == 0
    pilot.advance(1.0)
    assert pilot.texts.count("Geofence invalid, doesn't contain Home position\t") == dropped
    flight = pilot.fleet.vehicles[0].flight
    assert flight.guard.allows((1500.0, 0.0, 20.0)) is not held
    assert pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 20) == 0
    assert pilot.command(400, 1) == 0


def test_a_fence_that_does_not_hold_the_vehicle_in_the_air_is_dropped():
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", params={"GF_ACTION": 3}, wind=sim.Wind(0.0, 0.0, 0.0)))
    flight = pilot.fleet.vehicles[0].flight
    pilot.advance(1.0)
    assert pilot.command(22, 0, 0, 0, nan, nan, nan, HOME[2] + 20) == 0
    assert pilot.command(400, 1) == 0
    pilot.until(lambda: flight.body.u > 19.0)
    assert pilot.command_int(192, -1, 1, 0, nan, frame=0, lat=HOME[0] + 1e-3, lon=HOME[1], z=HOME[2] + 20.0) == 0
    pilot.until(lambda: flight.body.n > 100.0)
    assert pilot.upload(square(0, 0, 50), 1) == 0
    pilot.advance(10.0)
    # It is too long for one text.
    assert "Geofence invalid, doesn't contain current vehicle position\t" in "".join(pilot.texts)
    assert flight.guard.breached is None


@pytest.mark.parametrize(("shapes", "real_s"), [(1, 0.5), (4, 1.64), (16, 6.35)])
def test_a_fence_acts_some_time_after_it_was_acknowledged(shapes, real_s):
    pilot = Pilot(lockstep(autopilot="px4", frame="copter", params={"GF_ACTION": 3}))
    flight = pilot.fleet.vehicles[0].flight
    pilot.advance(1.0)
    assert pilot.upload(shapes * square(0, 0, 200), 1) == 0
    begun_s = flight.time_s
    assert flight.guard.allows((1500.0, 0.0, 20.0))
    pilot.until(lambda: not flight.guard.allows((1500.0, 0.0, 20.0)))
    assert flight.time_s - begun_s == pytest.approx(real_s, abs=0.5)
