"""The airframe of a fixed wing, and of a VTOL on its wings: coordinated turns at limited bank, airspeed and climb.

Frame: east, north, up of the `FlightFrame`; yaw clockwise from grid north. The air carries it: its velocity over ground
is that through the air plus the wind of the moment. In a coordinated turn the heading turns with ``g tan(bank) / v``
(Anderson, *Aircraft Performance and Design*, 6.2), so that in still air the radius is ``v^2 / (g tan(bank))``.

What carries wings, and what a pitot tube measures, is the equivalent airspeed; what takes them over the ground is the
true one (`Body.true_per_equivalent`).
"""

from __future__ import annotations

from math import asin, atan2, cos, hypot, sin, sqrt, tan

from sim.flight_body import GRAVITY_MPS2, Body, wrap_pi

__all__ = ["Steer", "WingBody"]

_ROLL_RATE_RADPS = 1.0
_ROLL_RESPONSE_S = 0.5
_SPEED_RESPONSE_S = 1.5
_SPEED_ACCEL_MPS2 = 2.5
_CLIMB_RESPONSE_S = 0.8
_CLIMB_ACCEL_MPS2 = 2.5
# The wings carry with the nose a little up.
_TRIM_PITCH_RAD = 0.03


class Steer(tuple[float, float, float]):
    """What a wing is told to fly: bank (rad, right wing down positive), equivalent airspeed and rate of climb (m/s).

    It travels where the velocity of a rotorcraft travels, and is told from it by its type.
    """

    __slots__ = ()


class WingBody(Body):
    """A `Body` that also flies on wings, when it is given a `Steer`.

    Attributes
    ----------
    on_wings
        Whether wings carry it now.
    bank
        Bank angle, rad.
    airspeed
        True airspeed along its path, m/s, while on wings.
    air
        Wind of the moment, east and north, m/s: whoever steers it says it.
    rotate_mps
        Equivalent airspeed at which it leaves the runway; 0 when it has no wheels on the ground.
    """

    __slots__ = ("air", "airspeed", "bank", "on_wings", "rotate_mps")

    def place(self, east_m: float, north_m: float, up_m: float, yaw_rad: float) -> None:
        """At rest at a point, on no wing."""
        super().place(east_m, north_m, up_m, yaw_rad)
        self.on_wings = False
        self.bank = self.airspeed = self.rotate_mps = 0.0
        self.air = (0.0, 0.0)

    def step(
        self, dt_s: float, velocity: tuple[float, float, float], yaw_rad: float, push: tuple[float, float]
    ) -> None:
        """Advance one step: on wings for a `Steer`, as a rotorcraft for a velocity."""
        if isinstance(velocity, Steer):
            self._glide(dt_s, *velocity)
            return
        if self.on_wings:
            # Rotors take over: the heading stays, nothing is known of the acceleration yet.
            self.on_wings = False
            self.bank = self.load = 0.0
            self.ae = self.an = self.au = 0.0
        super().step(dt_s, velocity, yaw_rad, push)

    def take_wing(self) -> None:
        """From the present velocity and wind on to the wings."""
        air_e, air_n = self.ve - self.air[0], self.vn - self.air[1]
        self.airspeed = max(1.0, sqrt(air_e * air_e + air_n * air_n + self.vu * self.vu))
        self.yaw = atan2(air_e, air_n)
        self.bank = 0.0
        self.on_wings = True

    def _glide(self, dt_s: float, bank: float, equivalent: float, climb: float) -> None:
        if self.rotate_mps > 0.0:
            self._roll(dt_s)
            return
        if not self.on_wings:
            self.take_wing()
        rate = (bank - self.bank) / _ROLL_RESPONSE_S
        self.bank += max(-_ROLL_RATE_RADPS, min(_ROLL_RATE_RADPS, rate)) * dt_s
        gain = (equivalent * self.true_per_equivalent - self.airspeed) / _SPEED_RESPONSE_S
        self.airspeed += max(-_SPEED_ACCEL_MPS2, min(_SPEED_ACCEL_MPS2, gain)) * dt_s
        self.au = max(-_CLIMB_ACCEL_MPS2, min(_CLIMB_ACCEL_MPS2, (climb - self.vu) / _CLIMB_RESPONSE_S))
        ve, vn, vu = self.ve, self.vn, self.vu
        self.vu += self.au * dt_s
        self.yaw_rate = GRAVITY_MPS2 * tan(self.bank) / self.airspeed
        self.yaw = wrap_pi(self.yaw + self.yaw_rate * dt_s)
        level = sqrt(max(1.0, self.airspeed * self.airspeed - self.vu * self.vu))
        self.ve = level * sin(self.yaw) + self.air[0]
        self.vn = level * cos(self.yaw) + self.air[1]
        self.ae, self.an = (self.ve - ve) / dt_s, (self.vn - vn) / dt_s
        half = 0.5 * dt_s
        self.e += (ve + self.ve) * half
        self.n += (vn + self.vn) * half
        self.u += (vu + self.vu) * half
        self.load = 1.0 / cos(self.bank)

    def _roll(self, dt_s: float) -> None:
        """Accelerate along the runway, straight ahead on the wheels, until it is fast enough to fly."""
        s, c = sin(self.yaw), cos(self.yaw)
        speed = hypot(self.ve, self.vn) + _SPEED_ACCEL_MPS2 * dt_s
        self.ve, self.vn = speed * s, speed * c
        self.e += self.ve * dt_s
        self.n += self.vn * dt_s
        self.load = 1.0
        if speed - self.air[0] * s - self.air[1] * c >= self.rotate_mps * self.true_per_equivalent:
            self.rotate_mps = 0.0

    def roll_pitch(self, wind_e_mps: float, wind_n_mps: float) -> tuple[float, float]:
        """Roll and pitch in radians: on wings the bank, and the angle of the path with the trim."""
        if not self.on_wings:
            return super().roll_pitch(wind_e_mps, wind_n_mps)
        return self.bank, asin(max(-1.0, min(1.0, self.vu / self.airspeed))) + _TRIM_PITCH_RAD
