"""The service's time: never earlier than it was, and not led astray by a machine's clock that leaps.

What was delayed, runs out or is erased goes by this time. While the machine's clock moves with the time that passes, it
is the machine's clock, and follows it where it is set by a little. When it was set by more than a minute altogether,
forward or back, at once or in many steps, the service counts on by the time that passes, says that it is not ready, and
erases nothing by retention, until the clock is put back or the service is started anew. A start compares the clock with
what the store has written.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.errors import SettingsError, StorageError
from api.store.tables import AuditRow, EventRow
from api.times import iso, microseconds_of, now_us

__all__ = ["LONGEST_REST_US", "ServiceClock", "last_written_us"]

_TOLERANCE_US = 60_000_000
_PACE = 500e-6
"""Of the time that passes, what a clock that is slowly put right may be set by for ever (as `adjtimex(2)` has it)."""
LONGEST_REST_US = 90 * 86_400_000_000
"""How long a store may have lain still before a start wants to be told that the clock is right."""


def _passed_us() -> int:
    """Microseconds that have passed since some moment, the machine's sleep among them where that is counted."""
    kind = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if kind is None else time.clock_gettime_ns(kind)) // 1000


class ServiceClock:
    """UTC microseconds since the Unix epoch; each later than the one before.

    Parameters
    ----------
    wall
        The machine's clock, UTC microseconds since the Unix epoch.
    passed
        Microseconds that have passed since any moment, whatever the clock is set to.
    """

    def __init__(self, wall: Callable[[], int] = now_us, passed: Callable[[], int] = _passed_us) -> None:
        self._wall, self._passed = wall, passed
        self._lock = threading.Lock()
        self._at_us, self._seen_us = passed(), wall()
        self._set_us = 0.0  # by how much it was set of late
        self._last_us = 0

    def __call__(self) -> int:
        """The time."""
        with self._lock:
            at_us, wall_us, time_us, set_us = self._look()
            if abs(set_us) <= _TOLERANCE_US:
                # The very readings that were compared: what lies between the two, added up, would pass for a leap.
                self._at_us, self._seen_us, self._set_us = at_us, wall_us, set_us
                time_us = wall_us
            self._last_us = max(time_us, self._last_us + 1)
            return self._last_us

    def _look(self) -> tuple[int, int, int, float]:
        """What has passed, what the clock says, the time as counted since it was last right, by how much it was set."""
        at_us, wall_us = self._passed(), self._wall()
        gone_us = at_us - self._at_us
        counted_us = self._seen_us + gone_us
        before_us = math.copysign(max(abs(self._set_us) - _PACE * gone_us, 0.0), self._set_us)
        return at_us, wall_us, counted_us, before_us + wall_us - counted_us

    def check(self) -> None:
        """Raise StorageError while the machine's clock is not to be believed."""
        with self._lock:
            *_, set_us = self._look()
        if abs(set_us) > _TOLERANCE_US:
            raise StorageError(
                f"this machine's clock was set {'forward' if set_us > 0 else 'back'} by {abs(set_us) / 1e6:.0f} s: "
                "set it right, or start the service anew"
            )

    def start(self, last_us: int | None, *, longest_rest_us: int | None = LONGEST_REST_US) -> None:
        """Go on after what a store has written.

        Parameters
        ----------
        last_us
            `last_written_us` of the store.
        longest_rest_us
            How far the clock may be ahead of it; None: as far as it likes.

        Raises
        ------
        SettingsError
            When the clock is behind it, or too far ahead to be believed.
        """
        now = self()
        if last_us is None:
            return
        if now < last_us - _TOLERANCE_US:
            raise SettingsError(
                f"this machine's clock says {iso(now)}, and the store was written at {iso(last_us)}: set the clock "
                "right; if it is, and was wrong then, say so with --clock-is-right"
            )
        if longest_rest_us is not None and now > last_us + longest_rest_us:
            raise SettingsError(
                f"this machine's clock says {iso(now)}, and the store was last written at {iso(last_us)}: what is "
                "delayed would be shared and what runs out erased by it; if it is right, say so with --clock-is-right"
            )
        with self._lock:
            self._last_us = max(self._last_us, last_us)


def last_written_us(session: Session) -> int | None:
    """When the newest event or entry of the audit was written; None in an empty store."""
    event_us = session.scalar(select(EventRow.time_us).order_by(EventRow.seq.desc()).limit(1))
    entry = session.scalar(select(AuditRow.body).order_by(AuditRow.seq.desc()).limit(1))
    found = [] if event_us is None else [event_us]
    with suppress(ValueError, KeyError, TypeError):  # none, or one that was changed, which is for others to find
        found.append(microseconds_of(json.loads(entry or "")["time"]))
    return max(found, default=None)
