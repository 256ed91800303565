"""How soon a question is repeated: by the round trip that was measured, where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from autopilot.timing import Timing

__all__ = ["RETRY_S", "Pace"]

RETRY_S = 1.5
"""Vehicle seconds before a question is repeated: ArduPilot answers in 50 ms and repeats its own requests after 1 s."""

_ROUND_TRIPS = 2.5


@dataclass(slots=True)
class Pace:
    """The round trip to a vehicle, and how long an answer is waited for.

    Parameters
    ----------
    timing
        How long to wait before anything was measured, and at most.
    shortest_s
        Wall seconds that are waited in any case.
    """

    timing: Timing
    shortest_s: float
    round_trip_s: float | None = None

    @property
    def longest_s(self) -> float:
        """Wall seconds before a question is repeated to a vehicle that nothing is known of."""
        return self.timing.retry_s(RETRY_S)

    @property
    def retry_s(self) -> float:
        """Wall seconds before a question is repeated for the first time."""
        if self.round_trip_s is None:
            return self.longest_s
        return min(self.longest_s, max(self.shortest_s, _ROUND_TRIPS * self.round_trip_s))

    def measured(self, seconds: float) -> None:
        """Take the time that an answer took: a longer one at once, shorter ones by and by."""
        known = self.round_trip_s
        self.round_trip_s = seconds if known is None or seconds > known else known + 0.125 * (seconds - known)
