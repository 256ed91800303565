"""What a planner is given to patrol: a border, or a network of lines; and the courses that may be flown past it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from missions.border import BorderSegment
from missions.border_course import border_courses
from missions.border_loops import taken_apart
from missions.course import Cost, Course
from missions.effort import effort
from missions.errors import PlanError
from missions.fleet import Aircraft, Fleet
from missions.network import BorderNetwork
from missions.network_build import build_network
from missions.network_course import network_courses
from missions.network_lines import joined_borders
from missions.observation import Observation
from missions.surroundings import Surroundings
from missions.wind import Wind

__all__ = ["Task"]

Floats = NDArray[np.float64]

_EXACT_M = 0.001
"""Pieces of one line meet where they were cut, and nothing of them may be left out for being short."""


@dataclass(frozen=True)
class Task:
    """What is to be patrolled.

    Parameters
    ----------
    border
        The border, or the longest of several.
    borders
        All lines that nobody may come near.
    widest
        A border with the greatest stand-off and bands of all lines: what the camera is set up for.
    network
        The network, where it is one.
    """

    border: BorderSegment
    borders: tuple[BorderSegment, ...]
    widest: BorderSegment
    network: BorderNetwork | None = None

    @classmethod
    def of(cls, what: BorderSegment | BorderNetwork) -> Task:
        """The patrol of a border or a network.

        A border that touches itself is one of the pieces that `missions.border_loops` takes it apart into.

        Raises
        ------
        PlanError
            When a network has no border.
        """
        if isinstance(what, BorderSegment):
            pieces = taken_apart(what)
            if len(pieces) == 1:
                line = pieces[0].line
                return cls(line, (line,), line)
            what = build_network(what.name, [piece.line for piece in pieces], tolerance_m=_EXACT_M)
        borders = joined_borders(what)
        if not borders:
            raise PlanError(f"network {what.name!r} has no border: give the line that nobody may come near")
        return cls(borders[0], borders, _widest(what, borders), what)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.border.name if self.network is None else self.network.name

    def courses(
        self, around: Surroundings, looks: Sequence[Observation], fleet: Fleet, wind: Wind
    ) -> tuple[Course, ...]:
        """The courses that may be flown: one beside a border, several round a ring or past the lines of a network.

        The same input gives the same courses: one that a plan was cut from is made again by what the plan holds.

        Parameters
        ----------
        around
            The borders and their airspace.
        looks
            What each type of aircraft and camera sees by, those of the first team first.
        fleet, wind
            What flies, and in what wind.

        Raises
        ------
        PlanError
            When there is no room for any.
        """
        lateral_m = max(look.lateral_m for look in looks)
        radius_m = max(vehicle.aircraft.turn_radius_in(wind) for vehicle in fleet.vehicles)
        if self.network is None:
            bases = [vehicle.base for vehicle in fleet.vehicles]
            return border_courses(around, lateral_m, radius_m, bases)
        first = fleet.teams()[0][0].aircraft
        return tuple(network_courses(self.network, around, lateral_m, radius_m, _level(first, looks[0], wind)))


def _level(aircraft: Aircraft, look: Observation, wind: Wind) -> Cost:
    """What flying level takes a type of aircraft."""

    def seconds(step: Floats, patrol: bool) -> Floats:
        speed = look.speed_m_s if patrol else aircraft.cruise_m_s
        return effort(aircraft, step, np.zeros(len(step)), speed_m_s=speed, wind=wind, patrol=patrol)[0]

    return seconds


def _widest(network: BorderNetwork, borders: tuple[BorderSegment, ...]) -> BorderSegment:
    """The longest border with bands as deep as those of any line: a branch may be looked at from either side."""
    branches = [depth for b in network.branches for depth in (b.band_left_m, b.band_right_m)]
    return replace(
        borders[0],
        band_own_m=max([border.band_own_m for border in borders] + branches),
        band_far_m=max([border.band_far_m for border in borders] + branches),
    )
