"""Flying above terrain: any task whose heights count from the ground below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sim.flight_body import Body
from sim.flight_tasks import Task, Vector
from sim.wing_body import Steer

__all__ = ["OverGround", "above"]

_AHEAD_S = 0.5
_LEAST_SHARE = 0.01


@contextmanager
def above(body: Body, ground_m: float) -> Iterator[None]:
    """For a while the height of a body is that above ground of a height."""
    u, ground = body.u, body.ground
    body.u, body.ground = u - ground_m, ground - ground_m
    try:
        yield
    finally:
        body.u, body.ground = u, ground


class OverGround:
    """A task of which every height is one above the ground as the autopilot knows it.

    The rise of the ground half a second ahead is added to its climb. Rotors that cannot climb or sink so fast fly
    slower, as ArduCopter does where its height is off (WPNAV_TER_MARGIN). Where the ground is not known it is as it
    last was.

    Parameters
    ----------
    task
        What is flown, made for heights above ground.
    ground
        Height of the ground at east and north, metres, against the pad; None where it is not known.
    rates
        Fastest climb and descent, m/s, both positive.

    Attributes
    ----------
    unknown_since_s
        Time of the sortie since which the ground is not known; None while it is.
    """

    __slots__ = ("_ground", "_last_m", "_rates", "_task", "unknown_since_s")

    def __init__(
        self,
        task: Task,
        ground: Callable[[float, float], float | None],
        rates: Callable[[], tuple[float, float]],
        last_m: float = 0.0,
    ) -> None:
        self._task = task
        self._ground = ground
        self._rates = rates
        self._last_m = last_m
        self.unknown_since_s: float | None = None

    @property
    def yaw(self) -> float | None:
        """Of the task."""
        return self._task.yaw

    @yaw.setter
    def yaw(self, value: float | None) -> None:
        self._task.yaw = value

    def _below(self, body: Body, time_s: float) -> float:
        here = self._ground(body.e, body.n)
        if here is None:
            if self.unknown_since_s is None:
                self.unknown_since_s = time_s
            return self._last_m
        self.unknown_since_s = None
        self._last_m = here
        return here

    def velocity(self, body: Body, time_s: float) -> Vector:
        """That of the task, with the ground's own rise."""
        here = self._below(body, time_s)
        with above(body, here):
            wanted = self._task.velocity(body, time_s)
        ahead = self._ground(body.e + body.ve * _AHEAD_S, body.n + body.vn * _AHEAD_S)
        rise = 0.0 if ahead is None else (ahead - here) / _AHEAD_S
        up, down = self._rates()
        climb = max(-down, min(up, wanted[2] + rise))
        if isinstance(wanted, Steer):  # wings cannot fly slower
            return Steer((wanted[0], wanted[1], climb))
        share = 1.0
        if climb != wanted[2] + rise and rise * climb > 0.0:
            share = max(_LEAST_SHARE, min(1.0, (climb - wanted[2]) / rise))
        return wanted[0] * share, wanted[1] * share, climb

    def done(self, body: Body, time_s: float) -> bool:
        """Whether the task is."""
        with above(body, self._below(body, time_s)):
            return self._task.done(body, time_s)
