"""An event loop to whose timers a pause of the whole machine is no time.

Tests give a vehicle tenths of a second where people give it half a minute. A machine that lends its cores to others
stands still for longer now and then, with all that runs on it: no vehicle was silent meanwhile, and nobody slow.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time

__all__ = ["SteadyLoop", "SteadyPolicy"]

_LATE_S = 0.1
"""What is later than asked for, or goes on in one step for longer, was a pause."""


class SteadyLoop(asyncio.SelectorEventLoop):
    """The ordinary loop, with a clock that stands still while the machine does.

    Parameters
    ----------
    clock
        Seconds that only go on.
    """

    def __init__(self, clock=time.monotonic) -> None:
        self._real = clock
        self._seen_s, self._paused_s = clock(), 0.0
        super().__init__(_Waiting(self))

    def time(self) -> float:
        """Seconds without those of pauses."""
        return self.passed(_LATE_S)

    def passed(self, most_s: float) -> float:
        """Seconds without those of pauses, where at most `most_s` were to go by since this was asked last."""
        now_s = self._real()
        self._paused_s += max(0.0, now_s - self._seen_s - most_s)
        self._seen_s = now_s
        return now_s - self._paused_s


class _Waiting(selectors.DefaultSelector):
    """Tells a loop how long it was to wait."""

    def __init__(self, loop: SteadyLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None):
        self._loop.time()
        found = super().select(timeout)
        self._loop.passed(math.inf if timeout is None else max(timeout, 0.0) + _LATE_S)
        return found


class SteadyPolicy(asyncio.DefaultEventLoopPolicy):
    """What makes such loops, for `asyncio.run` too."""

    _loop_factory = SteadyLoop
