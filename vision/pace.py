"""How often pictures come, and for how long they came too seldom for anybody to be followed."""

from __future__ import annotations

import itertools
from collections import deque

__all__ = ["SELDOM_S", "Pace"]

SELDOM_S = 2.0
"""Pictures that come more seldom say too little of who is who, seconds."""
_JITTER = 1.05  # of the times of pictures that come just so often
# Intervals that are looked at. One long one among them is a hole; two are a pace.
_LOOKED_AT, _PACE = 5, 2
# Pictures a second that no camera in the field takes: then the times are not those of the pictures.
_TOO_MANY_HZ, _ENOUGH = 1000.0, 10


class Pace:
    """Intervals between pictures, of late and in all."""

    def __init__(self) -> None:
        self._last_us: int | None = None
        self._steps_us: deque[int] = deque(maxlen=_LOOKED_AT)
        # Which of them are in the sum of those that are part of a pace.
        self._counted: deque[bool] = deque(maxlen=_LOOKED_AT)
        self._first_us = self._seldom_us = self._pictures = 0

    def came(self, time_us: int) -> None:
        """A picture, later than the one before."""
        self._pictures += 1
        if self._last_us is None:
            self._first_us = time_us
        else:
            self._steps_us.append(time_us - self._last_us)
            self._counted.append(False)
            long = [step_us > _JITTER * SELDOM_S * 1e6 for step_us in self._steps_us]
            if sum(long) >= _PACE:
                new = (is_long and not counted for is_long, counted in zip(long, self._counted, strict=True))
                self._seldom_us += sum(itertools.compress(self._steps_us, new))
                self._counted = deque([True] * len(long), _LOOKED_AT)
        self._last_us = time_us

    @property
    def usual_s(self) -> float:
        """Seconds from one picture to the next, of late; 0 before the second."""
        steps = sorted(self._steps_us)
        return steps[len(steps) // 2] / 1e6 if steps else 0.0

    @property
    def seldom(self) -> bool:
        """Whether pictures come too seldom, of late, for anybody to be followed."""
        return self.usual_s > _JITTER * SELDOM_S

    def notes(self) -> list[str]:
        """For how long they did, in words, and whether they come faster than can be; none where they did neither."""
        if self._last_us is None or self._last_us == self._first_us:
            return []
        seldom_s, whole_s = self._seldom_us / 1e6, (self._last_us - self._first_us) / 1e6
        told = []
        if seldom_s:
            told.append(
                f"for {seldom_s:.0f} of {whole_s:.0f} s pictures came more than {SELDOM_S:g} s apart: nobody is "
                f"followed so, and no crossing is found then; give one in {SELDOM_S:g} s at least"
            )
        rate_hz = (self._pictures - 1) / whole_s
        if rate_hz > _TOO_MANY_HZ and self._pictures >= _ENOUGH:
            told.append(
                f"pictures came {rate_hz:.0f} a second by their times, which are wrong then: nobody is followed so, "
                "and no crossing is found; put the video into a container that has the times of its pictures"
            )
        return told
