"""What a planner is given to patrol: a border, or a network of lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from missions.border import BorderSegment
from missions.course import Cost, Course
from missions.network import BorderNetwork
from missions.surroundings import Surroundings

__all__ = ["Task"]


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
    course
        Makes the course out of the surroundings, the lateral distance and the least radius of bends, metres, and the
        cost of flying.
    network
        The network, where it is one.
    """

    border: BorderSegment
    borders: tuple[BorderSegment, ...]
    widest: BorderSegment
    course: Callable[[Surroundings, float, float, Cost], Course]
    network: BorderNetwork | None = None
