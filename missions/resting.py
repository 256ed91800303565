"""Aircraft that stay on the ground because others, who would wait for them, do better alone.

Two that share one battery wait for each other at every swap, and crews of one size too many are put in turns as if each
aircraft had batteries enough. One less to fly may then come round oftener: it is tried where batteries are counted. So
it may where take-offs wait for each other, to keep the separation. In a single coverage who takes off last may hold up
the end of it by more than it takes from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Protocol, TypeVar

from missions.dividing import WORTH
from missions.errors import PlanError
from missions.options import Objective
from missions.rotas import Rotas
from missions.setting import Crew, Setting

__all__ = ["rested"]

_MOST, _STATIONS = 12, 12_000
"""Most ways to let an aircraft rest that are tried, and most stations in all of them."""


class _Schedule(Protocol):
    """Who flies what when, and what of it is to be small, seconds."""

    @property
    def rotas(self) -> Rotas: ...

    @property
    def figure_s(self) -> float: ...


_S = TypeVar("_S", bound=_Schedule)


def rested(setting: Setting, made: _S, schedules: Callable[[], Iterable[_S]], *, waiting: bool) -> _S:
    """A schedule, or a better one in which aircraft rest that others would wait for, one after the other.

    Parameters
    ----------
    setting
        What is planned. While `schedules` is asked, its crews are those that fly.
    made
        The schedule so far. Nothing that it watches is left out.
    schedules
        Schedules of the crews that there are then; may raise PlanError.
    waiting
        Whether somebody waits in the schedule so far: then who has batteries enough may rest too.
    """
    crews = setting.crews
    every = waiting or setting.options.objective is Objective.ONCE
    left = min(_MOST, _STATIONS // len(setting.stations))
    resting = True
    while resting:
        resting = False
        for fewer in islice(_one_less(crews, every=every), left):
            left -= 1
            with _flown_by(setting, fewer):
                found = min(_as_good(schedules, made.rotas), key=lambda one: one.figure_s, default=made)
            if found.figure_s < WORTH * made.figure_s:
                made, crews, resting = found, fewer, True
                break
    return made


def _as_good(schedules: Callable[[], Iterable[_S]], than: Rotas) -> Iterator[_S]:
    """Those that see no less than some rotas do."""
    try:
        yield from (one for one in schedules() if (one.rotas.flown | ~than.flown).all())
    except PlanError:
        # The plan that is made already stands.
        return


def _one_less(crews: Sequence[Crew], *, every: bool) -> Iterator[list[Crew]]:
    """Each way in which an aircraft of a base that counts its batteries, or of `every` base, rests and others fly."""
    for number, crew in enumerate(crews):
        some = [replace(crew, vehicles=crew.vehicles[:-1])] if len(crew.vehicles) > 1 else []
        left = [*crews[:number], *some, *crews[number + 1 :]]
        if left and (every or crew.base.batteries is not None):
            yield left


@contextmanager
def _flown_by(setting: Setting, crews: Sequence[Crew]) -> Iterator[None]:
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
