"""The airframe: a point mass under acceleration- and jerk-limited velocity control.

Frame: east, north, up of the `FlightFrame`; yaw clockwise from grid north. Thrust holds the commanded velocity against
the mean wind and its drag (an autopilot's integrator does); gusts push it about. Attitude is what that thrust needs.
"""

from __future__ import annotations

from math import atan2, cos, hypot, pi, sin, sqrt

from geo import true_per_equivalent

__all__ = ["DRAG_PER_M", "GRAVITY_MPS2", "Body", "sqrt_speed", "wrap_pi"]

GRAVITY_MPS2 = 9.80665
# Specific drag of a mid-size multirotor: 15 degrees of tilt hold 15 m/s of airspeed.
DRAG_PER_M = 0.0117
_RESPONSE_S = 0.5
_YAW_GAIN_PER_S = 2.0
_YAW_RATE_RADPS = pi / 3.0
_VERTICAL_JERK_RATIO = 2.0


def wrap_pi(angle_rad: float) -> float:
    """The same angle in (-pi, pi]."""
    return angle_rad - 2.0 * pi * round(angle_rad / (2.0 * pi))


def sqrt_speed(distance_m: float, gain_per_s: float, accel_mps2: float) -> float:
    """Speed at which to approach a point: linear when near, constant deceleration when far; m/s, same sign."""
    linear_m = accel_mps2 / (gain_per_s * gain_per_s)
    d = abs(distance_m)
    speed = gain_per_s * d if d <= linear_m else sqrt(2.0 * accel_mps2 * (d - 0.5 * linear_m))
    return speed if distance_m >= 0.0 else -speed


class Body:
    """Position (m), velocity (m/s), acceleration (m/s²) in east, north, up, and yaw (rad).

    Parameters
    ----------
    accel_mps2, climb_accel_mps2, jerk_mps3
        Limits of horizontal and vertical acceleration and of horizontal jerk.

    Attributes
    ----------
    load
        Load factor of wings that carry it; 0 on rotors.
    ground
        Height of the ground below, metres; 0 where it is flat.
    amsl_m
        Height above mean sea level of the origin, metres: whoever makes a body says it.
    """

    __slots__ = (
        "_thin", "_thin_at_m", "accel_mps2", "ae", "amsl_m", "an", "au", "climb_accel_mps2", "e", "ground",
        "jerk_mps3", "load", "n", "response_s", "u", "ve", "vn", "vu", "yaw", "yaw_rate",
    )  # fmt: skip

    def __init__(self, accel_mps2: float = 2.5, climb_accel_mps2: float = 1.0, jerk_mps3: float = 5.0) -> None:
        self.accel_mps2 = accel_mps2
        self.climb_accel_mps2 = climb_accel_mps2
        self.jerk_mps3 = jerk_mps3
        # The loop may not ask for a faster change of acceleration than the jerk allows, or it would overshoot.
        self.response_s = max(_RESPONSE_S, accel_mps2 / jerk_mps3)
        self.ground = self.amsl_m = 0.0
        self._thin, self._thin_at_m = 1.0, 0
        self.place(0.0, 0.0, 0.0, 0.0)

    def place(self, east_m: float, north_m: float, up_m: float, yaw_rad: float) -> None:
        """At rest at a point: nothing of an earlier flight remains."""
        self.e, self.n, self.u, self.yaw = east_m, north_m, up_m, yaw_rad
        self.ve = self.vn = self.vu = 0.0
        self.ae = self.an = self.au = 0.0
        self.yaw_rate = 0.0
        self.load = 0.0

    @property
    def true_per_equivalent(self) -> float:
        """True airspeed by equivalent airspeed where it is, in the standard atmosphere, to a 40,000th."""
        # A function of the height alone, which is looked up at whole metres: two flights of one seed are the same.
        amsl_m = round(self.amsl_m + self.u)
        if amsl_m != self._thin_at_m:
            self._thin, self._thin_at_m = float(true_per_equivalent(amsl_m)), amsl_m
        return self._thin

    def step(
        self, dt_s: float, velocity: tuple[float, float, float], yaw_rad: float, push: tuple[float, float]
    ) -> None:
        """Advance one step towards a commanded velocity (east, north, up) and yaw, under a push of gusts (m/s²)."""
        ce = (velocity[0] - self.ve) / self.response_s
        cn = (velocity[1] - self.vn) / self.response_s
        wanted = hypot(ce, cn)
        if wanted > self.accel_mps2:
            ce *= self.accel_mps2 / wanted
            cn *= self.accel_mps2 / wanted
        je, jn = ce - self.ae, cn - self.an
        change = hypot(je, jn)
        most = self.jerk_mps3 * dt_s
        if change > most:
            je *= most / change
            jn *= most / change
        self.ae += je
        self.an += jn
        limit = self.climb_accel_mps2
        cu = min(limit, max(-limit, (velocity[2] - self.vu) / self.response_s))
        most = _VERTICAL_JERK_RATIO * limit * dt_s
        self.au += min(most, max(-most, cu - self.au))
        ve, vn, vu = self.ve, self.vn, self.vu
        self.ve += (self.ae + push[0]) * dt_s
        self.vn += (self.an + push[1]) * dt_s
        self.vu += self.au * dt_s
        half = 0.5 * dt_s
        self.e += (ve + self.ve) * half
        self.n += (vn + self.vn) * half
        self.u += (vu + self.vu) * half
        error = wrap_pi(yaw_rad - self.yaw)
        self.yaw_rate = min(_YAW_RATE_RADPS, max(-_YAW_RATE_RADPS, _YAW_GAIN_PER_S * error))
        self.yaw = wrap_pi(self.yaw + self.yaw_rate * dt_s)

    def roll_pitch(self, wind_e_mps: float, wind_n_mps: float) -> tuple[float, float]:
        """Roll and pitch in radians (right wing down, nose up positive) that give the thrust of this moment."""
        air_e, air_n = self.ve - wind_e_mps, self.vn - wind_n_mps
        drag = DRAG_PER_M * hypot(air_e, air_n)
        force_e = self.ae + drag * air_e
        force_n = self.an + drag * air_n
        force_u = GRAVITY_MPS2 + self.au
        c, s = cos(self.yaw), sin(self.yaw)
        forward = force_e * s + force_n * c
        right = force_e * c - force_n * s
        pitch = -atan2(forward, force_u)
        return atan2(right * cos(pitch), force_u), pitch
