"""The height that wings are asked for along a leg, and how they come after it.

Along a leg ArduPlane asks for the heights of a slope from the last waypoint to the next one where those differ by
ALT_SLOPE_MIN (GLIDE_SLOPE_MIN before 4.7), it is more than 20 m above home or has to descend; else for the next one's
at once. In RTL and GUIDED it descends on a slope and climbs at once (ArduPlane/altitude.cpp, ``setup_alt_slope`` and
``set_offset_altitude_location``). Before the beginning of a leg and past its end the nearer waypoint's is held, and a
climb on which it is ALT_SLOPE_MAXHGT too high already begins anew from there (``set_target_altitude_proportion``). PX4
always asks for a slope, which ends where it turns to the next leg (FixedwingPositionControl.cpp,
``control_auto_position``; FixedWingModeManager.cpp since 1.17).

What is asked for ArduPlane follows at TECS_CLMB_MAX and TECS_SINK_MAX, filters with TECS_HDEM_TCONST, and feeds the
rate of what comes out forward (AP_TECS.cpp, ``_update_height_demand``). PX4 follows at FW_T_CLMB_R_SP and
FW_T_SINK_R_SP, and feeds FW_T_HRATE_FF of that rate forward (TECS.cpp, ``TECSAltitudeReferenceModel`` and
``_calcAltitudeControlOutput``). Both make good what is left in TECS_TIME_CONST or FW_T_ALT_TC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.flight_body import Body
from sim.flight_tasks import Vector

__all__ = ["HeightLaw", "Slope", "SlopeRules"]

_LOW_M = 20.0
_FORGOTTEN_S = 1.0
_JUMP_M = 2.0


@dataclass(slots=True)
class HeightLaw:
    """How a wing comes after a height.

    Parameters
    ----------
    up, down
        How fast what is asked for is followed at most, m/s, both positive.
    filter_s
        Time constant of the filter of what is asked for; 0 for none.
    forward
        Share of its rate that is fed forward.
    error_s
        Time constant in which an error is made good.
    """

    up: float
    down: float
    filter_s: float
    forward: float
    error_s: float
    _asked_m: float = field(default=0.0, init=False)
    _filtered_m: float = field(default=0.0, init=False)
    _last_m: float = field(default=0.0, init=False)
    _last_s: float | None = field(default=None, init=False)

    @classmethod
    def of(cls, params: Mapping[str, float]) -> HeightLaw:
        """That of the parameters."""
        return cls(
            up=params["HEIGHT_CLIMB"],
            down=params["HEIGHT_SINK"],
            filter_s=params["TECS_HDEM_TCONST"],
            forward=params["HEIGHT_FORWARD"],
            error_s=params["TECS_TIME_CONST"],
        )

    def rate(self, height_m: float, body: Body, time_s: float) -> float:
        """Rate of climb to come to a height, m/s, at a time; what was asked for a while ago is forgotten."""
        passed_s = None if self._last_s is None else time_s - self._last_s
        if passed_s is None or not 0.0 <= passed_s <= _FORGOTTEN_S:
            # As if the present rate of climb were what had been asked for.
            self._filtered_m, self._asked_m = body.u, body.u + self.filter_s * body.vu
            passed_s = 0.0
        moved_m = body.u - self._last_m - body.vu * passed_s
        if passed_s > 0.0 and abs(moved_m) > _JUMP_M:
            # Heights are above something else now, the ground in place of home: what was asked for is where it was.
            self._filtered_m += moved_m
            self._asked_m += moved_m
        self._last_m, self._last_s = body.u, time_s
        change_m = max(-self.down * passed_s, min(self.up * passed_s, height_m - self._asked_m))
        self._asked_m += change_m
        if self.filter_s > 0.0:
            rate = (self._asked_m - self._filtered_m) / self.filter_s
            self._filtered_m += (self._asked_m - self._filtered_m) * passed_s / (passed_s + self.filter_s)
        else:
            rate = change_m / passed_s if passed_s > 0.0 else 0.0
            self._filtered_m = self._asked_m
        return self.forward * rate + (self._filtered_m - body.u) / self.error_s


@dataclass(frozen=True, slots=True)
class SlopeRules:
    """Where a leg is a slope.

    Parameters
    ----------
    least_m
        By how much its ends differ at least; None where every leg is one (PX4).
    anew_m
        How much too high a climb begins anew; 0 for never.
    """

    least_m: float | None
    anew_m: float

    @classmethod
    def of(cls, params: Mapping[str, float]) -> SlopeRules:
        """Those of the parameters."""
        least = params["ALT_SLOPE_MIN"]
        return cls(None if params["SLOPES_ALWAYS"] else least, params["ALT_SLOPE_MAXHGT"])

    def holds(self, rise_m: float) -> bool:
        """Whether so much is flown as a slope."""
        return self.least_m is None or (self.least_m > 0.0 and abs(rise_m) >= self.least_m)


class Slope:
    """The heights that are asked for along one leg.

    Parameters
    ----------
    start, stop
        Its ends.
    rules
        Where it is a slope.
    climbs_at_once
        Whether only a descent is one (returns, and GUIDED of ArduPlane).
    """

    __slots__ = ("_at_once", "_begun", "_climbs_at_once", "_rise_m", "_rules", "_start", "_stop")

    def __init__(self, start: Vector, stop: Vector, rules: SlopeRules, *, climbs_at_once: bool) -> None:
        self._start, self._stop, self._rules = start[2], stop[2], rules
        self._climbs_at_once = climbs_at_once
        self._begun = self._at_once = False
        self._rise_m = stop[2] - start[2]

    def height_m(self, share: float, body: Body) -> float:
        """What is asked for where so much of the leg is behind it; less than 0 before it, more than 1 past it."""
        if not self._begun:
            self._begun = True
            self._at_once = self._goes_at_once(body)
        if self._at_once or share >= 1.0:
            return self._stop
        left = 1.0 - max(share, 0.0)
        height = self._stop - self._rise_m * left
        anew = self._rules.anew_m
        if self._rise_m > 0.0 and 0.0 < anew < body.u - height:
            self._at_once = not self._rules.holds(self._stop - body.u)
            self._rise_m = (self._stop - body.u) / left
            height = self._stop if self._at_once else body.u
        low, high = sorted((self._start, self._stop))
        return max(low, min(high, height))

    def _goes_at_once(self, body: Body) -> bool:
        descends = body.u > self._stop
        if self._climbs_at_once and not descends:
            return True
        low = self._rules.least_m is not None and body.u <= _LOW_M
        return (low and not descends) or not self._rules.holds(self._rise_m)
