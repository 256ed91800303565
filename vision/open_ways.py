"""Who may have passed the line, and nobody can tell: counted, and told with the times at which they are to be seen."""

from __future__ import annotations

from collections import Counter, deque

__all__ = ["OpenWays"]

_TOLD = 5
"""Times that are told: those of the last ones."""


class OpenWays:
    """Tracks of one watch whose outcome is open."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._seen: deque[tuple[int, int]] = deque(maxlen=_TOLD)

    def ended(self, kind: str, first_us: int, last_us: int) -> None:
        """One of them, and when it was first and last seen, microseconds from the first picture on."""
        self._kinds[kind] += 1
        self._seen.append((first_us, last_us))

    def notes(self) -> list[str]:
        """How many they are, in words; none where there are none."""
        if not self._kinds:
            return []
        who = ", ".join(f"{kind} {count}" for kind, count in sorted(self._kinds.items()))
        when = ", ".join(f"{first / 1e6:.1f}-{last / 1e6:.1f} s" for first, last in self._seen)
        some = "" if self._kinds.total() == len(self._seen) else "the last "
        told = (
            f"{self._kinds.total()} may have passed the line or not ({who}): they come up to it, or from it, closer "
            f"than their places are known, and are no crossing: look at {some}{when}"
        )
        return [told]
