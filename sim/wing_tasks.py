"""What a wing is doing at a moment: run and climb, follow a leg, circle, glide to the ground. Each gives a `Steer`.

Points are (east, north, up) of the `FlightFrame`, metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import atan, atan2, cos, hypot, inf, pi, radians, sin, tan

from sim.flight_body import GRAVITY_MPS2, Body, wrap_pi
from sim.flight_tasks import Vector
from sim.wing_body import Steer, WingBody
from sim.wing_guidance import L1
from sim.wing_heights import HeightLaw, Slope, SlopeRules

__all__ = ["Approach", "Circle", "Climb", "Glide", "Transition", "WingLeg", "WingLimits"]

_HEIGHT_GAIN_PER_S = 0.4
_ROTATE_SHARE = 0.8  # of cruise
_FAR_M = 1e5
_LEVEL_M = 1.0
_NEAR_M = 0.5
_LAST_CLIMB_MPS = 0.5
_MOST_CIRCLE_BANK_DEG = 89.0
_FLARE_S = 3.0  # the rate of descent dies away with the height
_OVER_TRANSITION = 1.15


@dataclass(slots=True)
class WingLimits:
    """What a wing flies with; a change of `airspeed` takes effect at once.

    Parameters
    ----------
    airspeed, least, most
        Equivalent airspeed to fly at and its range, m/s.
    bank_rad, climb, sink
        Limits of bank, climb and descent (m/s, positive).
    l1
        Guidance.
    wp_radius_m, widest
        Farthest that a corner is begun before it, and whether an item's own radius only widens that.
    loiter_m
        Radius of circles; negative to the left.
    widens
        Whether circles and corners are wider in thin air (ArduPlane).
    circle_bank_rad
        Bank that circles take at most at sea level; 0 for unknown.
    flare_m, flare_sink
        Height at which a landing flares, and its rate of descent from there, m/s.
    heights, slopes
        How it comes after a height, and which legs are slopes.
    last_climb
        Least rate at which the height of a take-off is come to, m/s: PX4 passes it as it climbs.
    level_m
        How near in height a place of a mission has to be to count as reached; else it is gone round until it is.
    """

    airspeed: float
    least: float
    most: float
    bank_rad: float
    climb: float
    sink: float
    l1: L1
    wp_radius_m: float
    widest: bool
    loiter_m: float
    widens: bool
    circle_bank_rad: float
    flare_m: float
    flare_sink: float
    heights: HeightLaw
    slopes: SlopeRules
    last_climb: float = _LAST_CLIMB_MPS
    level_m: float = inf

    @classmethod
    def of(cls, params: Mapping[str, float]) -> WingLimits:
        """Those of the parameters."""
        return cls(
            airspeed=params["AIRSPEED_CRUISE"],
            least=params["AIRSPEED_MIN"],
            most=params["AIRSPEED_MAX"],
            bank_rad=radians(params["ROLL_LIMIT_DEG"]),
            climb=params["TECS_CLMB_MAX"],
            sink=params["TECS_SINK_MAX"],
            l1=L1(params["NAVL1_PERIOD"], params["NAVL1_DAMPING"]),
            wp_radius_m=params["WP_RADIUS"],
            widest=bool(params["ACCEPTS_WIDEST"]),
            loiter_m=params["WP_LOITER_RAD"],
            widens=bool(params["WIDENS_IN_THIN_AIR"]),
            circle_bank_rad=radians(max(0.0, min(_MOST_CIRCLE_BANK_DEG, params["NAVL1_LIM_BANK"]))),
            flare_m=params["LAND_FLARE_ALT"],
            flare_sink=params["TECS_LAND_SINK"],
            heights=HeightLaw.of(params),
            slopes=SlopeRules.of(params),
            last_climb=params.get("TAKEOFF_LAST", _LAST_CLIMB_MPS),
            level_m=params.get("LEVEL_WITHIN", inf),
        )

    def steer(self, lateral_mps2: float, climb: float) -> Steer:
        """Bank for a lateral acceleration, within the limits."""
        bank = atan(lateral_mps2 / GRAVITY_MPS2)
        return Steer(
            (
                max(-self.bank_rad, min(self.bank_rad, bank)),
                max(self.least, min(self.most, self.airspeed)),
                max(-self.sink, min(self.climb, climb)),
            )
        )

    def circle_m(self, radius_m: float, body: Body) -> float:
        """Radius of a circle as it is flown where the air is as thin as here; positive.

        ArduPlane's is wider by the square of true by equivalent airspeed, so that the bank stays the same; with
        NAVL1_LIM_BANK not wider than that bank needs (``AP_L1_Control::loiter_radius``).
        """
        radius = abs(radius_m)
        if not self.widens:
            return radius
        wider = body.true_per_equivalent**2
        if self.circle_bank_rad > 0.0:
            airspeed = max(self.least, min(self.most, self.airspeed))
            narrowest = airspeed * airspeed / (GRAVITY_MPS2 * tan(self.circle_bank_rad))
            if narrowest <= radius:
                return max(narrowest * wider, radius)
        return radius * wider

    def corner_m(self, body: Body) -> float:
        """How far before a corner the turn begins at most (``AP_L1_Control::turn_distance``)."""
        return self.wp_radius_m * (body.true_per_equivalent**2 if self.widens else 1.0)

    def towards(self, height_m: float, body: Body, slope_mps: float = 0.0) -> float:
        """Rate of climb to come to a height that itself changes at a rate, of a take-off or landing."""
        return _HEIGHT_GAIN_PER_S * (height_m - body.u) + slope_mps


def _ground(body: Body) -> tuple[tuple[float, float], tuple[float, float]]:
    return (body.e, body.n), (body.ve, body.vn)


class Climb:
    """Along the runway, then straight ahead and up to a height."""

    __slots__ = ("_limits", "_start", "_stop", "up_m", "yaw")

    def __init__(self, body: WingBody, up_m: float, limits: WingLimits) -> None:
        self._limits, self.up_m = limits, up_m
        self.yaw: float | None = None
        self._start = (body.e, body.n)
        self._stop = (body.e + _FAR_M * sin(body.yaw), body.n + _FAR_M * cos(body.yaw))
        if not body.on_wings and body.u <= body.ground:
            body.rotate_mps = _ROTATE_SHARE * limits.airspeed

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Straight ahead, up as fast as allowed; more gently where the height is near."""
        at, v = _ground(body)
        rate = max(self._limits.last_climb, self._limits.towards(self.up_m, body))
        return self._limits.steer(self._limits.l1.line(at, v, self._start, self._stop), rate)

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether the height is reached."""
        return body.u >= self.up_m - _NEAR_M


class WingLeg:
    """Along a line, at the heights of a `Slope`.

    Done where the corner to the next leg begins (of ArduPilot in proportion to `corner_rad`), within `radius_m` where
    that is given, where the circle of `circle_m` about its end begins as it is flown in that air, or past the end.

    Where it `levels`, PX4 goes round the end until it is near that in height (FixedWingModeManager.cpp,
    ``handle_setpoint_type``; seen on main of May 2026, for ever, with a plane that was asked for more airspeed than it
    has).
    """

    __slots__ = ("_circle_m", "_direction", "_length_m", "_level_m", "_limits", "_radius_m", "_round", "_share",
                 "_slope", "start", "stop", "yaw")  # fmt: skip

    def __init__(
        self,
        start: Vector,
        stop: Vector,
        limits: WingLimits,
        *,
        radius_m: float = 0.0,
        circle_m: float = 0.0,
        corner_rad: float = pi / 2.0,
        climbs_at_once: bool = False,
        levels: bool = False,
    ) -> None:
        self._level_m = limits.level_m if levels else inf
        self._round: Circle | None = None
        self._slope = Slope(start, stop, limits.slopes, climbs_at_once=climbs_at_once)
        self.start, self.stop, self._limits = start, stop, limits
        de, dn = stop[0] - start[0], stop[1] - start[1]
        self._length_m = hypot(de, dn)
        self._direction = (de / self._length_m, dn / self._length_m) if self._length_m > 0.0 else (0.0, 0.0)
        self._radius_m, self._circle_m = radius_m, circle_m
        # PX4 changes over as far before a slight bend as before a sharp one (mission_block.cpp).
        self._share = 1.0 if limits.widest else min(1.0, abs(corner_rad) / (pi / 2.0))
        self.yaw: float | None = None

    def _along(self, body: Body) -> float:
        return (body.e - self.start[0]) * self._direction[0] + (body.n - self.start[1]) * self._direction[1]

    def _reach_m(self, body: Body) -> float:
        """How far before the end the next leg may begin."""
        limits = self._limits
        turn_m = min(limits.corner_m(body), limits.l1.length_m(hypot(body.ve, body.vn))) * self._share
        radius_m = limits.circle_m(self._circle_m, body) if self._circle_m else self._radius_m
        return radius_m if radius_m > 0.0 and not limits.widest else max(turn_m, radius_m)

    def velocity(self, body: Body, time_s: float) -> Vector:
        """On to the line and along it, or round its end."""
        if self._round is not None:
            return self._round.velocity(body, time_s)
        at, v = _ground(body)
        lateral = self._limits.l1.line(at, v, self.start[:2], self.stop[:2])
        # PX4 is at the height of the next place where it turns to the leg behind it.
        length_m = self._length_m - (self._reach_m(body) if self._limits.widest else 0.0)
        share = self._along(body) / length_m if length_m > 0.0 else 1.0
        return self._limits.steer(lateral, self._limits.heights.rate(self._slope.height_m(share, body), body, time_s))

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether the next leg may begin."""
        away = hypot(body.e - self.stop[0], body.n - self.stop[1])
        if self._round is None and away > self._reach_m(body) and self._along(body) < self._length_m:
            return False
        if abs(body.u - self.stop[2]) <= self._level_m:
            return True
        if self._round is None:
            self._round = Circle(self.stop, self._limits.loiter_m, self._limits)
        return False


class Circle:
    """Round a point at a height; done after a time or turns on the circle, or at the height, or never.

    Parameters
    ----------
    centre
        The point.
    radius_m
        Negative to the left.
    for_s, turns
        Seconds and turns on the circle; None for no end by it.
    to_height
        Whether it ends at its height.
    """

    __slots__ = ("_bearing", "_limits", "_since_s", "_to_height", "_turned", "centre", "for_s", "radius_m", "turns",
                 "yaw")  # fmt: skip

    def __init__(
        self,
        centre: Vector,
        radius_m: float,
        limits: WingLimits,
        *,
        for_s: float | None = None,
        turns: float | None = None,
        to_height: bool = False,
    ) -> None:
        self.centre, self.radius_m, self._limits = centre, radius_m, limits
        self.for_s, self.turns, self._to_height = for_s, turns, to_height
        self.yaw: float | None = None
        self._since_s: float | None = None
        self._bearing: float | None = None
        self._turned = 0.0

    def velocity(self, body: Body, time_s: float) -> Vector:
        """On to the circle and round it."""
        at, v = _ground(body)
        limits = self._limits
        radius_m = limits.circle_m(self.radius_m, body)
        lateral = limits.l1.circle(at, v, self.centre[:2], radius_m, clockwise=self.radius_m >= 0.0)
        return limits.steer(lateral, limits.heights.rate(self.centre[2], body, time_s))

    def done(self, body: Body, time_s: float) -> bool:
        """Whether it has been round for long enough."""
        if self._to_height and abs(body.u - self.centre[2]) <= _LEVEL_M:
            return True
        if self.for_s is None and self.turns is None:
            return False
        de, dn = body.e - self.centre[0], body.n - self.centre[1]
        if self._since_s is None:
            if hypot(de, dn) > 1.1 * self._limits.circle_m(self.radius_m, body) + _LEVEL_M:
                return False
            self._since_s = time_s
        if self.for_s is not None and time_s - self._since_s >= self.for_s:
            return True
        if self.turns is None:
            return False
        bearing = pi / 2.0 - atan2(dn, de)
        if self._bearing is not None:
            self._turned += abs(wrap_pi(bearing - self._bearing))
        self._bearing = bearing
        return self._turned >= 2.0 * pi * self.turns


class Approach:
    """Down an even slope to a point on the ground, with a flare."""

    lands = True
    __slots__ = ("_direction", "_length_m", "_limits", "start", "stop", "yaw")

    def __init__(self, start: Vector, stop: Vector, limits: WingLimits) -> None:
        self.start, self.stop, self._limits = start, stop, limits
        de, dn = stop[0] - start[0], stop[1] - start[1]
        self._length_m = max(hypot(de, dn), 1.0)
        self._direction = (de / self._length_m, dn / self._length_m)
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Along the slope; from the height of the flare on gently down, straight ahead."""
        at, v = _ground(body)
        limits = self._limits
        lateral = limits.l1.line(at, v, self.start[:2], self.stop[:2])
        along = (body.e - self.start[0]) * self._direction[0] + (body.n - self.start[1]) * self._direction[1]
        if along >= self._length_m - limits.l1.length_m(hypot(*v)) * 0.25:
            lateral = 0.0
        up = body.u - body.ground
        if up <= limits.flare_m:
            return limits.steer(lateral, -min(limits.sink, limits.flare_sink + max(up, 0.0) / _FLARE_S))
        slope = (self.stop[2] - self.start[2]) / self._length_m
        height = max(self.stop[2], self.start[2] + slope * along)
        rate = slope * (v[0] * self._direction[0] + v[1] * self._direction[1]) if along < self._length_m else 0.0
        return limits.steer(lateral, min(limits.towards(height, body, rate), -limits.flare_sink))

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never: the ground ends it."""
        return False


class Glide:
    """Nobody steers: wings level, down."""

    lands = True
    __slots__ = ("_limits", "yaw")

    def __init__(self, limits: WingLimits) -> None:
        self._limits = limits
        self.yaw: float | None = None

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Straight ahead, sinking gently."""
        sink = 1.5 if body.u - body.ground > self._limits.flare_m else self._limits.flare_sink
        return self._limits.steer(0.0, -sink)

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Never: the ground ends it."""
        return False


class Transition:
    """On rotors, faster and faster along a heading at one height, until the wings carry."""

    __slots__ = ("_airspeed", "_up_m", "yaw")

    def __init__(self, heading_rad: float, up_m: float, airspeed_mps: float) -> None:
        self.yaw: float | None = heading_rad
        self._up_m = up_m
        self._airspeed = airspeed_mps

    def velocity(self, body: Body, time_s: float) -> Vector:  # noqa: ARG002 (one signature for all tasks)
        """Ahead through the air that carries it."""
        assert isinstance(body, WingBody)
        assert self.yaw is not None
        turn = abs(wrap_pi(self.yaw - body.yaw))
        speed = _OVER_TRANSITION * self._airspeed * body.true_per_equivalent if turn < _ALIGNED_RAD else 0.0
        wind = body.air if speed else (0.0, 0.0)
        return speed * sin(self.yaw) + wind[0], speed * cos(self.yaw) + wind[1], self._up_m - body.u

    def done(self, body: Body, time_s: float) -> bool:  # noqa: ARG002 (one signature for all tasks)
        """Whether the wings carry."""
        assert isinstance(body, WingBody)
        return hypot(body.ve - body.air[0], body.vn - body.air[1]) >= self._airspeed * body.true_per_equivalent


_ALIGNED_RAD = 0.2
