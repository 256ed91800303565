"""Guidance of wings: the lateral acceleration that brings them on to a line or a circle.

The line: a point one length L1 ahead on it is aimed at, ``a = K v^2 sin(eta) / L1`` with ``K = 4 damping^2`` and ``L1 =
damping period v / pi`` (S. Park, J. Deyst, J. How, *A New Nonlinear Guidance Logic for Trajectory Tracking*, AIAA
2004-4900, whose K is 2; period and damping as ArduPilot's AP_L1_Control has them). The circle: the centripetal
acceleration with a proportional and a derivative term of the distance from it; from outside, the centre is aimed at
until that asks for more.

Angles are clockwise, accelerations to the right positive, m/s²; v is the velocity over ground, which takes the wind in.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, atan2, hypot, pi, sin

__all__ = ["L1", "Point"]

Point = tuple[float, float]

_CAPTURE_SINE = 0.70710678  # a line is met at 45 degrees at most
_LEAST_SPEED_MPS = 1.0
_PAST_S = 3.0


@dataclass(frozen=True, slots=True)
class L1:
    """The two figures of the guidance.

    Parameters
    ----------
    period_s, damping
        Of the tracking loop (NAVL1_PERIOD, NAVL1_DAMPING).
    """

    period_s: float
    damping: float

    def length_m(self, speed_mps: float) -> float:
        """L1 at a speed over ground."""
        return self.damping * self.period_s * max(speed_mps, _LEAST_SPEED_MPS) / pi

    def line(self, at: Point, velocity: Point, start: Point, stop: Point) -> float:
        """Acceleration to the right that brings one at a place, with a velocity, on to the line from start to stop.

        Far behind the start that is flown to, and three seconds past the stop the stop is.
        """
        speed = max(hypot(*velocity), _LEAST_SPEED_MPS)
        reach = self.length_m(speed)
        de, dn = stop[0] - start[0], stop[1] - start[1]
        length = hypot(de, dn)
        if length < 1e-6:
            return self._towards(at, velocity, stop)
        de, dn = de / length, dn / length
        re, rn = at[0] - start[0], at[1] - start[1]
        along = re * de + rn * dn
        from_start = hypot(re, rn)
        if from_start > reach and along < -_CAPTURE_SINE * from_start:
            return self._towards(at, velocity, start)
        if along > length + _PAST_S * speed:
            return self._towards(at, velocity, stop)
        # Right of the line is positive, and asks for a turn to the left.
        across = re * dn - rn * de
        sine = max(-_CAPTURE_SINE, min(_CAPTURE_SINE, across / reach))
        eta = -asin(sine) + _turn(velocity, (de, dn))
        return self._accel(speed, eta)

    def circle(self, at: Point, velocity: Point, centre: Point, radius_m: float, *, clockwise: bool) -> float:
        """Acceleration to the right that brings one on to a circle about a centre and keeps it there."""
        side = 1.0 if clockwise else -1.0
        speed = max(hypot(*velocity), _LEAST_SPEED_MPS)
        re, rn = at[0] - centre[0], at[1] - centre[1]
        away = hypot(re, rn)
        oe, on = (re / away, rn / away) if away > 0.1 else (velocity[0] / speed, velocity[1] / speed)
        outward = velocity[0] * oe + velocity[1] * on
        tangent = side * (velocity[0] * on - velocity[1] * oe)
        excess = away - radius_m
        omega = 2.0 * pi / self.period_s
        hold = excess * omega * omega + outward * 2.0 * self.damping * omega
        if outward > 0.0 > tangent:
            hold = max(hold, 0.0)
        on_circle = side * (hold + tangent * tangent / max(0.5 * radius_m, away))
        capture = self._towards(at, velocity, centre)
        return capture if excess > 0.0 and side * capture < side * on_circle else on_circle

    def _towards(self, at: Point, velocity: Point, goal: Point) -> float:
        speed = max(hypot(*velocity), _LEAST_SPEED_MPS)
        return self._accel(speed, _turn(velocity, (goal[0] - at[0], goal[1] - at[1])))

    def _accel(self, speed_mps: float, eta: float) -> float:
        gain = 4.0 * self.damping * self.damping
        return gain * speed_mps * speed_mps / self.length_m(speed_mps) * sin(max(-pi / 2, min(pi / 2, eta)))


def _turn(velocity: Point, direction: Point) -> float:
    """Angle from a velocity to a direction, right positive."""
    cross = velocity[1] * direction[0] - velocity[0] * direction[1]
    return atan2(cross, velocity[0] * direction[0] + velocity[1] * direction[1])
