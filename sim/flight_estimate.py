"""What the navigation filter makes of the GPS, and what that does to the place a vehicle believes to be at.

The filter bridges a missing or contradictory GPS for a while (ArduPilot's EKF3: ``posRetryTimeUseVel_ms``, 10 s). Then
it takes a GPS that contradicts it for the truth, and has no position without one. A GPS that has come back is taken
after it has been good for as long again. Drift while it bridges is not modelled.

Frame: east, north of the `FlightFrame`. A `Body` is where the vehicle believes to be; `error` is how far that is from
where it is.
"""

from __future__ import annotations

from math import hypot

from sim.flight_body import Body
from sim.flight_frame import FlightFrame

__all__ = ["Estimate"]

_BRIDGED_S = 10.0
_AGREES_M = 0.1

Offset = tuple[float, float]


class Estimate:
    """The position estimate of one vehicle.

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

    __slots__ = ("_since_s", "error", "fix", "glitch", "good", "last")

    def __init__(self) -> None:
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
        if self._since_s < _BRIDGED_S:
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
