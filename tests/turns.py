"""Who takes which file: workers that fly and wait, and beside them workers that compute in the time that is left.

What flies has a time of its own, and its core stands idle for three quarters of it: of workers that are as likely to
wait as to compute now all wait, and now a flight waits for a core. Here flights have the cores when they want them, and
whoever computes has the rest.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

__all__ = ["WAITING", "Turns", "computes", "give_way", "room"]

WAITING = {"autopilot", "sim", "system"}
"""Rooms whose tests mostly wait: what they fly has a time of its own."""
_POLITE = 5
"""Of whoever computes: a third of the weight of a flight, and not so little that a test takes minutes beside three."""


def room(nodeid: str) -> str:
    """Folder of a test."""
    return nodeid.split("::", maxsplit=1)[0].rpartition("/")[0].rpartition("/")[2]


def computes(worker: str, workers: int) -> bool:
    """Whether a worker computes, by its name and how many there are: the last two of six, and none that is alone."""
    return int(worker.removeprefix("gw")) >= workers - workers // 3


class Turns(LoadFileScheduling):
    """Whole files, in their order; a worker takes those of its kind first, then what is left of the other."""

    def _assign_work_unit(self, node: Any) -> None:
        waits = not computes(node.gateway.id, self.numnodes)
        mine = next((file for file in self.workqueue if (room(file) in WAITING) is waits), None)
        if mine is not None:
            self.workqueue.move_to_end(mine, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Turns | None:
    """Whoever asked for whole files."""
    return Turns(config, log) if config.getvalue("dist") == "loadfile" else None


def give_way(config: pytest.Config) -> None:
    """A worker that computes lets flights go first, with all that it starts."""
    told = getattr(config, "workerinput", None)
    if told is not None and computes(told["workerid"], told["workercount"]):
        os.nice(_POLITE)
