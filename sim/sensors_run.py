"""Sensors played against the wall clock, as the vehicles are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sim.errors import ConfigError
from sim.sensors_cue import SensorReport
from sim.sensors_field import SensorField

__all__ = ["play_sensors"]

_STEP_WALL_S = 0.05


@contextmanager
def play_sensors(
    field: SensorField, start_us: int, speedup: float, take: Callable[[SensorReport], None]
) -> Iterator[Callable[[], int]]:
    """Let simulated time go by in a thread for as long as the context lasts.

    It goes by the wall clock: where vehicles of the same run fall behind because the machine cannot follow, the sensors
    do not wait for them.

    Parameters
    ----------
    field
        The sensors, not advanced yet.
    start_us
        Simulated time now, UTC microseconds since the Unix epoch.
    speedup
        Simulated seconds a second.
    take
        Called in that thread with every report, in order.

    Yields
    ------
    callable
        The simulated time that has been played, UTC microseconds since the Unix epoch.

    Raises
    ------
    ConfigError
        When the speed-up is not positive.
    Exception
        Whatever `take` raised, at the end of the context; nothing was played after it.
    """
    if not speedup > 0:
        raise ConfigError(f"speedup is {speedup}: give a figure above 0")
    origin, end = time.monotonic(), threading.Event()
    played_us = start_us
    failure: Exception | None = None

    def run() -> None:
        nonlocal played_us, failure
        try:
            while not end.wait(_STEP_WALL_S):
                now_us = start_us + round(speedup * (time.monotonic() - origin) * 1e6)
                for report in field.advance(now_us):
                    take(report)
                played_us = now_us
        except Exception as error:  # noqa: BLE001 - raised where somebody hears it
            failure = error

    thread = threading.Thread(target=run, name="sensors", daemon=True)
    thread.start()
    try:
        yield lambda: played_us
    finally:
        end.set()
        thread.join()
    if failure is not None:
        raise failure
