"""Aircraft that stay on the ground because others, who would wait for them, do better alone.

Two that share one battery wait for each other at every swap, and crews of one size too many are put in turns as if each
aircraft had batteries enough. One less to fly may then come round oftener: it is tried where batteries are counted. In
a single coverage who takes off last may hold up the end of it by more than it takes from the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from missions.setting import Crew, Setting

__all__ = ["flown_by", "one_less"]


def one_less(crews: Sequence[Crew], *, every: bool) -> Iterator[list[Crew]]:
    """Each way in which an aircraft of a base that counts its batteries, or of `every` base, rests and others fly."""
    for number, crew in enumerate(crews):
        some = [replace(crew, vehicles=crew.vehicles[:-1])] if len(crew.vehicles) > 1 else []
        left = [*crews[:number], *some, *crews[number + 1 :]]
        if left and (every or crew.base.batteries is not None):
            yield left


@contextmanager
def flown_by(setting: Setting, crews: Sequence[Crew]) -> Iterator[None]:
    """Within it some crews, or some aircraft of them, are all that there is: in their order along the course."""
    every, shut = setting.crews, setting.shut
    whole = {(crew.aircraft, crew.camera, crew.base): shut[crew] for crew in every}
    setting.crews = list(crews)
    # What ground is too steep for a crew is so for any of its aircraft.
    setting.shut = {crew: whole[crew.aircraft, crew.camera, crew.base] for crew in crews}
    try:
        yield
    finally:
        setting.crews, setting.shut = every, shut
