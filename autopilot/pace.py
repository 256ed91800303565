"""How soon a question is repeated: by the round trip that was measured, where there is one.

An answer to a question that was repeated measures none, for it may be to either of them. On a link whose round trip is
longer than what is waited for none would ever be measured, and every question asked twice: so after such answers more
is waited for, until one comes to a question that was not repeated (P. Karn, C. Partridge, *Improving Round-Trip Time
Estimates in Reliable Transport Protocols*, SIGCOMM 1987). One such answer on a link that was measured is a loss.
"""

from __future__ import annotations

from dataclasses import dataclass

from autopilot.timing import Timing

__all__ = ["RETRY_S", "Pace"]

RETRY_S = 1.5
"""Vehicle seconds before a question is repeated: ArduPilot answers in 50 ms and repeats its own requests after 1 s."""

_ROUND_TRIPS, _SLOW_ROUND_TRIPS = 2.5, 1.5
_DOUBLINGS = 2
_SLOWEST = 4.0  # times what is waited for where nothing is known: no answer is waited for longer


@dataclass(slots=True)
class Pace:
    """The round trip to a vehicle, and how long an answer is waited for.

    Parameters
    ----------
    timing
        How long to wait before anything was measured.
    shortest_s
        Wall seconds that are waited in any case.
    """

    timing: Timing
    shortest_s: float
    round_trip_s: float | None = None
    _vague: int = 0

    @property
    def longest_s(self) -> float:
        """Wall seconds after which a question is overdue, whatever is known of the vehicle."""
        usual_s = self.timing.retry_s(RETRY_S)
        known_s = _SLOW_ROUND_TRIPS * (self.round_trip_s or 0.0)
        return min(max(usual_s, known_s) * self._patience, _SLOWEST * usual_s)

    @property
    def retry_s(self) -> float:
        """Wall seconds before a question is repeated for the first time."""
        if self.round_trip_s is None:
            return self.longest_s
        return min(self.longest_s, max(self.shortest_s, _ROUND_TRIPS * self.round_trip_s) * self._patience)

    @property
    def _patience(self) -> int:
        doubts = self._vague if self.round_trip_s is None else self._vague - 1
        return 1 << max(0, min(doubts, _DOUBLINGS))

    def measured(self, seconds: float) -> None:
        """Take the time that an answer took: a longer one at once, shorter ones by and by."""
        known, self._vague = self.round_trip_s, 0
        self.round_trip_s = seconds if known is None or seconds > known else known + 0.125 * (seconds - known)

    def answered_vaguely(self) -> None:
        """An answer came to a question that was repeated."""
        self._vague += 1
