"""What a vehicle is doing at a moment: follow a leg, hold a point, descend. Each gives the velocity to fly next.

Points and velocities are (east, north, up) of the `FlightFrame`, metres and m/s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, copysign, hypot, sqrt, tan, tau
from typing import Protocol

from sim.flight_body import Body, sqrt_speed, wrap_pi

__all__ = [
    "Descend",
    "Drift",
    "Drive",
    "Fall",
    "Hold",
    "Leg",
    "Limits",
    "Orbit",
    "Task",
    "Turns",
    "Vector",
    "pass_speed",
]

Vector = tuple[float, float, float]

_POSITION_GAIN = 0.8
_HEIGHT_GAIN = 1.0
_CROSS_GAIN = 0.8
_CROSS_SPEED_MPS = 3.0
_BRAKE_SHARE = 0.7
_CORNER_SHARE = 0.8
_COURSE_LEG_M = 2.0
_STILL_MPS = 1e-6
_LEVEL = 1e-6


@dataclass(slots=True)
class Limits:
    """Speeds and accelerations to fly with, m/s and m/s²; a change of speed takes effect on the leg being flown."""

    speed: float
    up: float
    down: float
    accel: float
    climb_accel: float
    radius_m: float

    def along(self, horizontal: float, vertical: float) -> tuple[float, float]:
        """Speed and acceleration along a direction given by its horizontal share and its vertical component."""
        speed, accel = self.speed, self.accel
        if horizontal > 1e-6:
            speed /= horizontal
            accel /= horizontal
        if abs(vertical) > 1e-6:
            steep = abs(vertical)
            limit = (self.up if vertical > 0.0 else self.down) / steep
            climb = self.climb_accel / steep
            if horizontal <= 1e-6:
                return limit, climb
            speed, accel = min(speed, limit), min(accel, climb)
        return speed, accel


class Task(Protocol):
    """One thing to do. `yaw` is the grid azimuth to turn to, or None to keep the present one.

    What ends on the ground has a `lands` that is True.
    """

    yaw: float | None

    def velocity(self, body: Body, time_s: float) -> Vector:
        """The velocity to fly now."""
        ...

    def done(self, body: Body, time_s: float) -> bool:
        """Whether it is finished."""
        ...


class Hold:
    """Stay at a point; done after `duration_s` within the acceptance radius (never when None)."""

    __slots__ = ("_since_s", "duration_s", "limits", "point", "yaw")

    def __init__(self, point: Vector, limits: Limits, duration_s: float | None = None) -> None:
        self.point = point
        self.limits = limits
        self.duration_s = duration_s
        self.yaw: float | None = None
        self._since_s: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Approach the point and stop there."""
        limits = self.limits
        de, dn = self.point[0] - body.e, self.point[1] - body.n
        distance = hypot(de, dn)
        ve = vn = 0.0
        if distance > 0.0:
            speed = min(limits.speed, sqrt_speed(distance, _POSITION_GAIN, _BRAKE_SHARE * limits.accel))
            ve, vn = de / distance * speed, dn / distance * speed
        climb = sqrt_speed(self.point[2] - body.u, _HEIGHT_GAIN, _BRAKE_SHARE * limits.climb_accel)
        return ve, vn, max(-limits.down, min(limits.up, climb))

    def done(self, body: Body, time_s: float) -> bool:
        """Whether it has been there for long enough."""
        if self.duration_s is None:
            return False
        if self._since_s is None:
            p = self.point
            away = sqrt((p[0] - body.e) ** 2 + (p[1] - body.n) ** 2 + (p[2] - body.u) ** 2)
            if away > self.limits.radius_m:
                return False
            self._since_s = time_s
        return time_s - self._since_s >= self.duration_s


class Leg:
    """Follow the straight line from one point to another, arriving with `end_speed` (0 to stop there).

    A bend in height is begun before its point and ended behind it, so that a peak is cut below and a valley above:
    ArduCopter begins the next leg while it brakes on the one before it, where its path stays within WPNAV_RADIUS of
    the point (`SCurve::advance_target_along_track`), and PX4 has no speed in height left at a point
    (`PositionSmoothing::_getMaxZSpeed`). Neither shoots over.
    """

    __slots__ = (
        "_ahead_up", "_bend", "_corner", "_direction", "_length_m", "_share", "end_speed", "limits", "start", "stop",
        "yaw",
    )  # fmt: skip

    def __init__(self, start: Vector, stop: Vector, limits: Limits, ahead: Sequence[Vector] = ()) -> None:
        self.start, self.stop, self.limits = start, stop, limits
        d = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
        self._length_m = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        scale = 1.0 / self._length_m if self._length_m > 0.0 else 0.0
        self._direction = (d[0] * scale, d[1] * scale, d[2] * scale)
        self._share = hypot(self._direction[0], self._direction[1])
        self.end_speed = pass_speed((start, stop, *ahead), limits)
        self._corner = _half_turn_tangent(start, stop, ahead[0]) if ahead else 0.0
        self._ahead_up = _rise(stop, ahead[0]) if ahead else self._direction[2]
        self._bend = abs(self._ahead_up - self._direction[2])
        self.yaw: float | None = atan2(d[0], d[1]) if hypot(d[0], d[1]) > _COURSE_LEG_M else None

    def _left_m(self, body: Body) -> float:
        """What is left of it; where it does not stop, by the ground: a bend in height passes its end above or below."""
        d = (self.stop[0] - body.e, self.stop[1] - body.n, self.stop[2] - body.u)
        u = self._direction
        if self.end_speed > 0.0:
            return (d[0] * u[0] + d[1] * u[1]) / self._share**2
        return d[0] * u[0] + d[1] * u[1] + d[2] * u[2]

    def _across(self, body: Body, *, bends: bool) -> Vector:
        """Its offset from the line; while it bends in height, at either end of the line, that to the side alone."""
        r = (body.e - self.start[0], body.n - self.start[1], body.u - self.start[2])
        u = self._direction
        s = r[0] * u[0] + r[1] * u[1] + r[2] * u[2]
        if s >= 0.0 and not bends:
            return (r[0] - s * u[0], r[1] - s * u[1], r[2] - s * u[2])
        level = (r[0] * u[0] + r[1] * u[1]) / max(self._share**2, _LEVEL)
        return (r[0] - level * u[0], r[1] - level * u[1], 0.0)

    def _bends_m(self, body: Body) -> float:
        """How far before its end it changes to the climb of the next leg: half of the time that it takes, and lag."""
        if self.end_speed == 0.0 or self._bend < _LEVEL:
            return 0.0
        takes_s = self.end_speed * self._bend / self.limits.climb_accel
        return 0.5 * self.end_speed * (takes_s + body.response_s)

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Along the line as fast as allowed, and back to the line."""
        limits = self.limits
        left, bends_m = self._left_m(body), self._bends_m(body)
        bends = left <= bends_m > 0.0
        c = self._across(body, bends=bends)
        speed, accel = limits.along(self._share, self._direction[2])
        brake = _BRAKE_SHARE * accel
        if self.end_speed > 0.0:
            # What changes its climb has its speed by then.
            braking_m = left - bends_m - (body.response_s * speed if bends_m > 0.0 else 0.0)
            speed = min(speed, sqrt(self.end_speed**2 + 2.0 * brake * max(braking_m, 0.0)))
        else:
            speed = min(speed, sqrt_speed(left, _POSITION_GAIN, brake))
        u = self._direction
        across = sqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2])
        back = min(_CROSS_GAIN, _CROSS_SPEED_MPS / across) if across > 0.0 else 0.0
        climb = (self._ahead_up if bends else u[2]) * speed - c[2] * back
        return (
            u[0] * speed - c[0] * back,
            u[1] * speed - c[1] * back,
            max(-limits.down, min(limits.up, climb)),
        )

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether the end is reached, or on the way to a next leg the corner has begun."""
        if self.end_speed == 0.0:
            p = self.stop
            away = sqrt((p[0] - body.e) ** 2 + (p[1] - body.n) ** 2 + (p[2] - body.u) ** 2)
            return away <= self.limits.radius_m
        speed = sqrt(body.ve**2 + body.vn**2 + body.vu**2)
        cut = speed * speed * self._corner / (_CORNER_SHARE * self.limits.accel)
        early = min(cut, self.limits.radius_m) + (body.response_s * speed if self._corner > 0.0 else 0.0) * 0.5
        return self._left_m(body) <= early


class Descend:
    """Down over a point to the ground: `fast` above `slow_below_m`, `slow` below it."""

    lands = True
    __slots__ = ("_hold", "fast", "slow", "slow_below_m", "yaw")

    def __init__(
        self, point: tuple[float, float], limits: Limits, fast: float, slow: float, slow_below_m: float
    ) -> None:
        self._hold = Hold((point[0], point[1], 0.0), limits)
        self.fast, self.slow, self.slow_below_m = fast, slow, slow_below_m
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:
        """Over the point, sinking."""
        ve, vn, _ = self._hold.velocity(body, time_s)
        above = body.u - body.ground - self.slow_below_m
        if above <= 0.0:
            return ve, vn, -self.slow
        brake = _BRAKE_SHARE * self._hold.limits.climb_accel
        return ve, vn, -min(self.fast, sqrt(self.slow**2 + 2.0 * brake * above))

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether it stands on the ground."""
        return body.u <= body.ground


class Drive:
    """Fly at a velocity until a time, no faster than the limits."""

    __slots__ = ("_until_s", "_velocity", "yaw")

    def __init__(self, velocity: Vector, limits: Limits, until_s: float) -> None:
        east, north, up = velocity
        share = min(1.0, limits.speed / max(hypot(east, north), _STILL_MPS))
        self._velocity: Vector = (east * share, north * share, max(-limits.down, min(limits.up, up)))
        self._until_s = until_s
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """The velocity that was told."""
        return self._velocity

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether it was told too long ago."""
        return time_s >= self._until_s


class Orbit:
    """Round a centre at a height, for ever: first straight to the circle, then along it.

    Parameters
    ----------
    centre
        East, north and the height to fly at.
    radius_m, speed_mps
        Of the circle, and along it; a negative radius is one to the left.
    faces
        Whether the nose is turned to the centre.
    """

    __slots__ = ("_faces", "_limits", "_speed_mps", "centre", "radius_m", "yaw")

    def __init__(self, centre: Vector, radius_m: float, speed_mps: float, limits: Limits, *, faces: bool) -> None:
        self.centre, self.radius_m = centre, radius_m
        self._speed_mps, self._limits, self._faces = speed_mps, limits, faces
        self.yaw: float | None = None

    def is_round(self, body: Body) -> bool:
        """Whether it is on its circle."""
        away = hypot(body.e - self.centre[0], body.n - self.centre[1])
        return abs(abs(self.radius_m) - away) <= self._limits.radius_m

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Towards the circle, and round once it is there."""
        limits = self._limits
        de, dn = body.e - self.centre[0], body.n - self.centre[1]
        away = hypot(de, dn)
        out_e, out_n = (de / away, dn / away) if away > _STILL_MPS else (0.0, 1.0)
        short = abs(self.radius_m) - away
        radial = sqrt_speed(short, _POSITION_GAIN, _BRAKE_SHARE * limits.accel)
        radial = max(-limits.speed, min(limits.speed, radial))
        round_mps = 0.0
        if self.is_round(body):
            round_mps = copysign(self._speed_mps, self.radius_m)
        if self._faces:
            self.yaw = atan2(-out_e, -out_n)
        climb = sqrt_speed(self.centre[2] - body.u, _HEIGHT_GAIN, _BRAKE_SHARE * limits.climb_accel)
        return (
            out_e * radial + out_n * round_mps,
            out_n * radial - out_e * round_mps,
            max(-limits.down, min(limits.up, climb)),
        )

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never."""
        return False


class Turns(Orbit):
    """Some times round a centre, its nose to it, counted from where it comes to the circle."""

    __slots__ = ("_count", "_last", "_turned")

    def __init__(self, centre: Vector, radius_m: float, speed_mps: float, limits: Limits, count: float) -> None:
        super().__init__(centre, radius_m, speed_mps, limits, faces=True)
        self._count = count
        self._turned = 0.0
        self._last: float | None = None

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether it has been round so often."""
        if not self.is_round(body):
            return False
        angle = atan2(body.e - self.centre[0], body.n - self.centre[1])
        self._turned += 0.0 if self._last is None else wrap_pi(angle - self._last)
        self._last = angle
        return abs(self._turned) >= self._count * tau


class Drift:
    """Down to the ground with the wind: `down` gives the rate, `wind_mps` (east, north) the way."""

    lands = True
    __slots__ = ("down", "wind_mps", "yaw")

    def __init__(self, down: Descend, wind_mps: tuple[float, float]) -> None:
        self.down = down
        self.wind_mps = wind_mps
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:
        """With the wind, sinking."""
        return (*self.wind_mps, self.down.velocity(body, time_s)[2])

    def done(self, body: Body, time_s: float) -> bool:
        """Whether it stands on the ground."""
        return self.down.done(body, time_s)


class Fall:
    """No energy is left: down at the terminal speed of an airframe whose motors stand still."""

    lands = True
    __slots__ = ("yaw",)

    def __init__(self) -> None:
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Straight down."""
        return 0.0, 0.0, -15.0

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether it has hit the ground."""
        return body.u <= body.ground


def _half_turn_tangent(before: Vector, corner: Vector, after: Vector) -> float:
    """Tangent of half the horizontal turn at a corner; infinity-like for a reversal."""
    a = atan2(corner[0] - before[0], corner[1] - before[1])
    b = atan2(after[0] - corner[0], after[1] - corner[1])
    return abs(tan(max(-1.57, min(1.57, 0.5 * wrap_pi(b - a)))))


def _rise(start: Vector, stop: Vector) -> float:
    """Vertical component of the direction from one point to another."""
    de, dn, du = (stop[k] - start[k] for k in range(3))
    length = sqrt(de * de + dn * dn + du * du)
    return du / length if length > 0.0 else 0.0


def pass_speed(points: Sequence[Vector], limits: Limits) -> float:
    """Speed at `points[1]` on the way from `points[0]`, so that every corner and the stop at the end can be flown.

    A corner is a circle that starts `radius_m` before the point at most: v² = accel * radius / tan(turn / 2). A change
    of climb is a parabola that passes the point at `radius_m` at most: (v * bend)² = 8 * accel * radius.
    """
    speed = 0.0
    for i in range(len(points) - 2, 0, -1):
        before, corner, after = points[i - 1], points[i], points[i + 1]
        de, dn, du = (after[k] - corner[k] for k in range(3))
        length = sqrt(de * de + dn * dn + du * du)
        if hypot(de, dn) < _COURSE_LEG_M or hypot(corner[0] - before[0], corner[1] - before[1]) < _COURSE_LEG_M:
            speed = 0.0  # to or from a vertical leg: a stop
            continue
        fastest, accel = limits.along(hypot(de, dn) / length, du / length)
        turn = _half_turn_tangent(before, corner, after)
        bend = sqrt(_CORNER_SHARE * limits.accel * limits.radius_m / turn) if turn > 1e-6 else fastest
        climbs = abs(du / length - _rise(before, corner))
        if climbs > _LEVEL:
            bend = min(bend, sqrt(8.0 * _CORNER_SHARE * limits.climb_accel * limits.radius_m) / climbs)
        speed = min(fastest, bend, sqrt(speed * speed + 2.0 * _BRAKE_SHARE * accel * length))
    return speed
