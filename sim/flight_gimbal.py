"""A three-axis gimbal: pitch and roll held against the earth, yaw following the airframe, north or a point."""

from __future__ import annotations

from enum import Enum
from math import atan2, degrees, hypot, pi

from sim.flight_body import wrap_pi

__all__ = ["PITCH_RANGE_RAD", "Aim", "Gimbal"]

_RATE_RADPS = pi / 3.0
PITCH_RANGE_RAD = (-pi / 2.0, pi / 6.0)
"""Lowest and highest pitch; yaw turns all the way round."""


class Aim(Enum):
    """What a gimbal is doing."""

    FOLLOW = "yaw against the airframe"
    LOCK = "yaw against north"
    FOLLOW_RATE = "turning against the airframe"
    LOCK_RATE = "turning against north"
    ROI = "on a point"
    NEUTRAL = "straight ahead, as ordered"
    RETRACT = "retracted"


# What has to be worked out anew at every step.
_LIVE = frozenset({Aim.LOCK, Aim.FOLLOW_RATE, Aim.LOCK_RATE, Aim.ROI})
# Yaw stays against the earth.
_LOCKED = frozenset({Aim.LOCK, Aim.LOCK_RATE, Aim.ROI})


class Gimbal:
    """Yaw against the airframe and pitch against the horizon, radians; both turn at no more than 60 degrees a second.

    Attributes
    ----------
    yaw, pitch
        Where it points now.
    aim
        What it is doing.
    control
        System and component id of who has primary control; zeros for nobody.
    """

    __slots__ = ("_live", "_north_to", "_pitch_to", "_rates", "_roi", "_yaw_to", "aim", "control", "pitch", "yaw")

    def __init__(self) -> None:
        self.control = (0, 0)
        self.neutral()

    def neutral(self) -> None:
        """Straight ahead at once: the state at the start of every sortie."""
        self.yaw = self.pitch = self._yaw_to = self._pitch_to = self._north_to = 0.0
        self._rates = (0.0, 0.0)
        self._roi = (0.0, 0.0, 0.0)
        self._take(Aim.FOLLOW)

    def _take(self, aim: Aim) -> None:
        self.aim = aim
        self._live = aim in _LIVE

    @property
    def locked(self) -> bool:
        """Whether its yaw stays against the earth while the airframe turns."""
        return self.aim in _LOCKED

    @property
    def moves(self) -> bool:
        """Whether it is on its way, or may be at any time."""
        return self._live or self.yaw != self._yaw_to or self.pitch != self._pitch_to

    def point(self, yaw_rad: float, pitch_rad: float, *, north: bool = False) -> None:
        """Turn to angles: yaw against the airframe or grid north (right positive), pitch against the horizon (up)."""
        self._take(Aim.LOCK if north else Aim.FOLLOW)
        self._yaw_to = self._north_to = wrap_pi(yaw_rad)
        self._pitch(pitch_rad)

    def turn(self, yaw_radps: float, pitch_radps: float, *, north: bool = False, heading_rad: float = 0.0) -> None:
        """Keep turning, to the right and up positive; against north from the airframe's heading of now."""
        most = _RATE_RADPS
        self._rates = (max(-most, min(most, yaw_radps)), max(-most, min(most, pitch_radps)))
        self._north_to = wrap_pi(self.yaw + heading_rad)
        self._yaw_to, self._pitch_to = self.yaw, self.pitch
        self._take(Aim.LOCK_RATE if north else Aim.FOLLOW_RATE)

    def look_at(self, point: tuple[float, float, float]) -> None:
        """Stay on a point: east, north, up in metres."""
        self._roi = point
        self._take(Aim.ROI)

    def ahead(self, aim: Aim = Aim.FOLLOW) -> None:
        """Turn straight ahead: to no longer look at anything, or because it is to be neutral or retracted."""
        self.point(0.0, 0.0)
        self._take(aim)

    def step(self, dt_s: float, e: float, n: float, u: float, body_yaw: float) -> None:
        """Turn for one step, from an airframe at a point and yaw."""
        if self._live:
            self._aim(dt_s, e, n, u, body_yaw)
        most = _RATE_RADPS * dt_s
        if self.yaw != self._yaw_to:
            error = wrap_pi(self._yaw_to - self.yaw)
            self.yaw = self._yaw_to if abs(error) <= most else wrap_pi(self.yaw + (most if error > 0.0 else -most))
        if self.pitch != self._pitch_to:
            error = self._pitch_to - self.pitch
            self.pitch = self._pitch_to if abs(error) <= most else self.pitch + (most if error > 0.0 else -most)

    def _aim(self, dt_s: float, e: float, n: float, u: float, body_yaw: float) -> None:
        if self.aim is Aim.ROI:
            de, dn, du = self._roi[0] - e, self._roi[1] - n, self._roi[2] - u
            self._yaw_to = wrap_pi(atan2(de, dn) - body_yaw)
            self._pitch(atan2(du, hypot(de, dn)))
            return
        yaw_rate, pitch_rate = (0.0, 0.0) if self.aim is Aim.LOCK else self._rates
        if self.aim is Aim.FOLLOW_RATE:
            self._yaw_to = wrap_pi(self._yaw_to + yaw_rate * dt_s)
        else:
            self._north_to = wrap_pi(self._north_to + yaw_rate * dt_s)
            self._yaw_to = wrap_pi(self._north_to - body_yaw)
        self._pitch(self._pitch_to + pitch_rate * dt_s)

    def _pitch(self, pitch_rad: float) -> None:
        low, high = PITCH_RANGE_RAD
        self._pitch_to = min(high, max(low, pitch_rad))

    @property
    def yaw_deg(self) -> float:
        """Yaw against the airframe, degrees, right positive."""
        return degrees(self.yaw)

    @property
    def pitch_deg(self) -> float:
        """Pitch against the horizon, degrees, down negative."""
        return degrees(self.pitch)
