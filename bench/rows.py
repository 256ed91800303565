"""One measured figure beside its peer's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from geo import VedetteError

__all__ = ["BenchError", "Row", "one_core", "timed", "wanted"]

T = TypeVar("T")


class BenchError(VedetteError):
    """A measurement that cannot be made: an unknown room or row, or inputs that are absent."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a bench table.

    Parameters
    ----------
    name
        ``measurement/case``.
    value, unit
        What was measured here.
    peer, peer_value
        What it is measured against in the same run, and its figure in the same unit; empty where there is none.
    ratio
        `value` over `peer_value`.
    goal
        The goal in words, such as ``ratio >= 0.9``.
    met
        Whether this run met it; None where no goal is set.
    seconds
        Wall-clock time that the figure took, where it is a figure of something else.
    tour
        Steps ``[from, to, serviced]`` of the walk that the figure is the cost of, for whoever wants to check it.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    seconds: float | None = None
    tour: list[Any] | None = None


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result of `work` and the wall-clock seconds that it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def wanted(name: str, only: str | None) -> bool:
    """Whether the row `name` was asked for: `only` is None, the name itself, or the part before its slash."""
    return only is None or name == only or name.split("/", maxsplit=1)[0] == only


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process to one core where the system can: the figure is the time on one."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
