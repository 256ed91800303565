"""Steering from outside: a vehicle flies where, or how fast, it is told from moment to moment.

ArduPilot is steered in GUIDED, PX4 by orders in HOLD and by a stream of setpoints in OFFBOARD, which ends with that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import cos, inf, sin
from typing import TYPE_CHECKING

from sim.flight_items import Item
from sim.flight_modes import Mode
from sim.flight_tasks import Vector

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["Steering"]

_VELOCITY_HOLDS_S = 3.0  # GUID_TIMEOUT of ArduCopter
_LEAST_M = 0.3
_FAR_M = 1e6  # of a line that is flown along until another order comes


class Steering:
    """The orders of one vehicle that are no mission.

    Parameters
    ----------
    flight
        The vehicle.

    Attributes
    ----------
    heard
        Whether setpoints come; who owns the vehicle knows how long they may be missed.
    """

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._paused: Callable[[], None] | None = None  # goes on
        self._left: Vector | None = None  # where it was to stay before it was given a course
        self.heard = False

    @property
    def mode(self) -> Mode | None:
        """The mode in which it follows targets; None where it has none."""
        dialect = self._flight.dialect
        return next((mode for mode in (Mode.GUIDED, Mode.OFFBOARD) if dialect.has(mode)), None)

    def forget(self) -> None:
        """Another mode: nothing waits any more."""
        self._paused = self._left = None

    def go_to(self, item: Item) -> bool:
        """Fly straight to an item's place and stay there."""
        flight = self._flight
        self._left = None
        return self._order(flight.dialect.goto_mode, partial(flight.course.go_to_item, item))

    def go_to_point(self, point: Vector) -> None:
        """Follow a target: a place east and north of home and a height above it, metres."""
        flight = self._flight
        self._follow(partial(flight.course.go_to, point), up=point[2] - flight.body.u > _LEAST_M)

    def head(self, way_rad: float | None) -> None:
        """Fly along a line from here, grid bearing in radians; None for back to where it was to stay before."""
        flight, goal = self._flight, self._flight.course.goal
        if way_rad is not None:
            self._left = self._left or goal
            self.go_to_point((flight.body.e + _FAR_M * sin(way_rad), flight.body.n + _FAR_M * cos(way_rad), goal[2]))
        elif self._left is not None:
            self.go_to_point((*self._left[:2], goal[2]))
            self._left = None

    def drive(self, velocity: Vector) -> None:
        """Follow a target: a velocity, east, north and up, m/s. GUIDED ends it by itself when it is told no more."""
        flight = self._flight
        until_s = inf if flight.mode == Mode.OFFBOARD else flight.sortie_s + _VELOCITY_HOLDS_S
        self._follow(partial(flight.course.drive, velocity, until_s), up=velocity[2] > 0.0)

    def _follow(self, order: Callable[[], None], *, up: bool) -> None:
        flight = self._flight
        if flight.mode == Mode.OFFBOARD and flight.landed:
            if up:  # off the ground without another word
                flight.lift_off(order)
        elif self.mode is not None:
            self._order(self.mode, order)

    def _order(self, mode: Mode, order: Callable[[], None]) -> bool:
        """Carry out an order of a mode; while it is paused the last one waits."""
        if self._flight.mode != mode or self._flight.landed:
            return False
        if self._paused is None:
            order()
        else:
            self._paused = order
        return True

    def pause(self, *, go_on: bool) -> bool:
        """Stop and hold in AUTO or GUIDED, or go on; in the air alone."""
        flight = self._flight
        if flight.mode not in (Mode.AUTO, Mode.GUIDED) or flight.landed:
            return False
        resume, course = self._paused, flight.course
        if go_on and resume is not None:
            self._paused = None
            resume()
        elif not go_on and flight.mode == Mode.AUTO:
            self._paused = lambda: course.advance(flight.run.index, from_here=True)
            course.hold()
        elif not go_on and resume is None:
            self._paused = course.put_by()
        return True
