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

__all__ = ["FOOTAGE", "SOCKETS", "WAITING", "Turns", "computes", "give_way", "waits"]

WAITING = {"autopilot", "sim", "system"}
"""Rooms whose tests mostly wait: what they fly has a time of its own."""
SOCKETS = {
    "api/test_jobs.py",
    "api/test_launch_courier.py",
    "api/test_live_vehicles.py",
    "api/test_metrics.py",
    "api/test_orders.py",
    "api/test_outlets_killed.py",
    "api/test_sensor_mqtt.py",
    "api/test_server.py",
    "api/test_service_killed.py",
    "api/test_sse.py",
    "api/test_tak_sender.py",
    "api/test_webhooks.py",
    "bench/test_console.py",
    "bench/test_link.py",
    "bench/test_many_streams.py",
    "vision/test_live.py",
    "vision/test_mavlink_live.py",
}
"""Files of other rooms that wait for what comes over real sockets, or out of another program."""
FOOTAGE = {
    "system/test_docs.py",
    "system/test_evaluate.py",
    "system/test_real_footage.py",
    "system/test_watch_ground.py",
}
"""Files of rooms that wait that read pictures or pages, and wait for nothing."""
_POLITE = 5
"""Of whoever computes: a third of the weight of a flight, and not so little that a test takes minutes beside three."""


def waits(file: str) -> bool:
    """Whether tests of a file, ``tests/ROOM/NAME``, mostly wait."""
    room, name = file.split("/")[-2:]
    return f"{room}/{name}" in SOCKETS or (room in WAITING and f"{room}/{name}" not in FOOTAGE)


def computes(worker: str, workers: int) -> bool:
    """Whether a worker computes, by its name and how many there are: the last two of six, and none that is alone."""
    return int(worker.removeprefix("gw")) >= workers - workers // 3


class Turns(LoadFileScheduling):
    """Whole files, in their order; a worker takes those of its kind first, then what is left of the other."""

    def _assign_work_unit(self, node: Any) -> None:
        computing = computes(node.gateway.id, self.numnodes)
        mine = next((file for file in self.workqueue if waits(file) is not computing), None)
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
