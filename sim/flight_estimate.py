"""What the navigation filter makes of the GPS, and what that does to the place a vehicle believes to be at.

The filter bridges a missing or contradictory GPS for a while: ArduPilot's EKF3 10 s of either
(``posRetryTimeUseVel_ms``), PX4's EKF2 5 s without (``EKF2_NOAID_TOUT``) and 7 s of a contradiction
(``reset_timeout_max``). Then it takes a GPS that contradicts it for the truth, and has no position without one. What
flies on wings goes on by airspeed and wind. A GPS that has come back is taken after 10 s. Drift while a filter bridges
is not modelled.

Frame: east, north of the `FlightFrame`. A `Body` is where the vehicle believes to be; `error` is how far that is from
where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot, inf

from sim.dialect import Dialect
from sim.dialect_terms import Form
from sim.flight_body import Body
from sim.flight_frame import FlightFrame

__all__ = ["Estimate"]

# Seconds of no GPS, and of one that contradicts.
_BRIDGED_S: Mapping[str, tuple[float, float]] = {"ardupilot": (10.0, 10.0), "px4": (5.0, 7.0)}
_BACK_S = 10.0
_AGREES_M = 0.1

Offset = tuple[float, float]


class Estimate:
    """The position estimate of one vehicle.

    Parameters
    ----------
    dialect
        Its autopilot and form.

    Attributes
    ----------
    fix
        Whether the receiver has one.
    glitch
        East and north of what the receiver reports against the truth, metres.
    error
        East and north of what the vehicle believes against the truth, metres.
    good
        Whether there is an estimate.
    last
        Where the vehicle believed to be when it lost its estimate; None while it has one.
    """

    __slots__ = ("_contradicted_s", "_lost_s", "_since_s", "error", "fix", "glitch", "good", "last")

    def __init__(self, dialect: Dialect) -> None:
        self._lost_s, self._contradicted_s = _BRIDGED_S[dialect.name]
        if dialect.form is not Form.ROTOR:
            self._lost_s = inf
        self.fix = True
        self.glitch: Offset = (0.0, 0.0)
        self.error: Offset = (0.0, 0.0)
        self.good = True
        self.last: Offset | None = None
        self._since_s = 0.0

    @property
    def is_off(self) -> bool:
        """Whether what is reported or believed is not simply the truth."""
        return self.glitch != (0.0, 0.0) or self.error != (0.0, 0.0) or self.last is not None

    def true_place(self, body: Body, frame: FlightFrame) -> tuple[float, float]:
        """Latitude and longitude where the vehicle is, degrees."""
        return frame.to_geodetic(body.e - self.error[0], body.n - self.error[1])

    def gps_place(self, body: Body, frame: FlightFrame) -> tuple[float, float]:
        """Latitude and longitude that the receiver reports, degrees."""
        return frame.to_geodetic(body.e - self.error[0] + self.glitch[0], body.n - self.error[1] + self.glitch[1])

    def step(self, dt_s: float, body: Body) -> None:
        """Advance by a step: a change of belief moves the body, which is where the vehicle believes to be."""
        differs = hypot(self.glitch[0] - self.error[0], self.glitch[1] - self.error[1]) > _AGREES_M
        settled = self.fix and not differs if self.good else not self.fix
        self._since_s = 0.0 if settled else self._since_s + dt_s
        bridged_s = self._contradicted_s if self.fix else self._lost_s
        patience_s = bridged_s if self.good else _BACK_S
        if self._since_s < patience_s:
            return
        self._since_s = 0.0
        if not self.fix:
            self.good, self.last = False, (body.e, body.n)
            return
        self.start(body)

    def start(self, body: Body) -> None:
        """Take the GPS for the truth, where there is one."""
        self.good, self.last, self._since_s = self.fix, None, 0.0
        if not self.fix:
            return
        body.e += self.glitch[0] - self.error[0]
        body.n += self.glitch[1] - self.error[1]
        self.error = self.glitch
