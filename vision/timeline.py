"""Stream time that only goes on: across a clock that jumps, and across a stream that is opened again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from vision.media import Event, Picture, SourceCounts

__all__ = ["Timeline", "period_us"]

# Pictures out of order by less are left out one by one; a clock that starts anew goes back farther.
_BACK_US = 1_000_000
# What a server has kept for who comes late arrives at once, and is shorter.
_AHEAD_US = 10_000_000


def period_us(stream: Any) -> int:
    """Time of a picture of a video stream, microseconds."""
    return round(1e6 / (stream.average_rate or stream.guessed_rate or 25))


class Timeline:
    """Lays the times of a stream on one clock, microseconds.

    An encoder that starts again counts from 0 again, and all its pictures would be older than the last one. Where the
    clock jumps, a live stream goes on by the time that passed between the arrivals, a recording by one picture's time:
    the camera's telemetry, where there is some, still tells when each was exposed.

    Parameters
    ----------
    name
        Of the source, for messages.
    counts
        Where jumps are counted.
    live
        Whether the stream comes at its own pace.
    period_us
        Time of a picture.
    wall_clock_us
        UTC microseconds of stream time zero as it was opened first; None where that is not known.
    clock
        Seconds, for how long a live stream was away.
    """

    def __init__(
        self,
        name: str,
        counts: SourceCounts,
        *,
        live: bool,
        period_us: int,
        wall_clock_us: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._counts, self._live, self._period_us = name, counts, live, period_us
        self._wall_clock_us, self._clock = wall_clock_us, clock
        self._first_us: int | None = None
        self._last_us: int | None = None
        self._arrived_s = clock()
        self.shift_us = 0
        """What is added to the stream's own times now."""

    def lay(self, events: Iterable[Event]) -> Iterator[Event]:
        """Events with their times on this clock."""
        for event in events:
            at_us = self.at(event.pts_us) if isinstance(event, Picture) else event.pts_us + self.shift_us
            yield event if at_us == event.pts_us else replace(event, pts_us=at_us)

    def at(self, pts_us: int, *, goes_on: bool = False) -> int:
        """The time of the next picture, which the stream says is `pts_us`.

        `goes_on` says that the clock is known not to jump here: pictures in the order of the decoder go back by some.
        """
        at_us, last_us = pts_us + self.shift_us, self._last_us
        if last_us is not None and not goes_on:
            passed_us = self._passed_us()
            if at_us < last_us - _BACK_US or (self._live and at_us - last_us - passed_us > _AHEAD_US):
                self._counts.clock_jumps += 1
                self._counts.note(
                    f"{self._name}: the clock of the stream jumps by {(at_us - last_us) / 1e6:+.2f} s at "
                    f"{(last_us - (self._first_us or 0)) / 1e6:.2f} s; times go on from there"
                )
                self.shift_us += last_us + passed_us - at_us
                at_us = last_us + passed_us
        self._first_us = at_us if self._first_us is None else self._first_us
        self._last_us = at_us if last_us is None else max(at_us, last_us)
        self._arrived_s = self._clock()
        return at_us

    def resume(self, pts_us: int, wall_clock_us: int | None) -> None:
        """The stream was opened again: its next picture says `pts_us`, and the sender's clock what zero is."""
        if self._last_us is None:
            return
        at_us = self._last_us + self._passed_us()
        if wall_clock_us is not None and self._wall_clock_us is not None:
            told_us = pts_us + wall_clock_us - self._wall_clock_us
            at_us = told_us if told_us > self._last_us else at_us
        self.shift_us = at_us - pts_us
        self._last_us, self._arrived_s = at_us - 1, self._clock()  # whatever it says, it does not jump there

    def _passed_us(self) -> int:
        """From the last picture to the next."""
        if not self._live:
            return self._period_us
        return max(self._period_us, round((self._clock() - self._arrived_s) * 1e6))
