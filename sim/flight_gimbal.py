"""A three-axis gimbal: pitch and roll held against the earth, yaw following the airframe or a point on the ground."""

from __future__ import annotations

from math import atan2, degrees, hypot, pi

from sim.flight_body import wrap_pi

__all__ = ["Gimbal"]

_RATE_RADPS = pi / 3.0
_PITCH_RANGE_RAD = (-pi / 2.0, pi / 6.0)


class Gimbal:
    """Yaw against the airframe and pitch against the horizon, radians; both turn at no more than 60 degrees a second.

    Attributes
    ----------
    yaw, pitch
        Where it points now.
    roi
        The point it follows (east, north, up in metres), or None.
    """

    __slots__ = ("_pitch_to", "_yaw_to", "pitch", "roi", "yaw")

    def __init__(self) -> None:
        self.neutral()

    def neutral(self) -> None:
        """Straight ahead at once: the state at the start of every sortie."""
        self.yaw = self.pitch = self._yaw_to = self._pitch_to = 0.0
        self.roi: tuple[float, float, float] | None = None

    def point(self, yaw_rad: float, pitch_rad: float) -> None:
        """Turn to angles: yaw against the airframe (right positive), pitch against the horizon (up positive)."""
        self.roi = None
        self._yaw_to = wrap_pi(yaw_rad)
        low, high = _PITCH_RANGE_RAD
        self._pitch_to = min(high, max(low, pitch_rad))

    def step(self, dt_s: float, e: float, n: float, u: float, body_yaw: float) -> None:
        """Turn for one step, from an airframe at a point and yaw."""
        if self.roi is not None:
            de, dn, du = self.roi[0] - e, self.roi[1] - n, self.roi[2] - u
            roi = self.roi
            self.point(atan2(de, dn) - body_yaw, atan2(du, hypot(de, dn)))
            self.roi = roi
        most = _RATE_RADPS * dt_s
        if self.yaw != self._yaw_to:
            error = wrap_pi(self._yaw_to - self.yaw)
            self.yaw = self._yaw_to if abs(error) <= most else wrap_pi(self.yaw + (most if error > 0.0 else -most))
        if self.pitch != self._pitch_to:
            error = self._pitch_to - self.pitch
            self.pitch = self._pitch_to if abs(error) <= most else self.pitch + (most if error > 0.0 else -most)

    @property
    def yaw_deg(self) -> float:
        """Yaw against the airframe, degrees, right positive."""
        return degrees(self.yaw)

    @property
    def pitch_deg(self) -> float:
        """Pitch against the horizon, degrees, down negative."""
        return degrees(self.pitch)
