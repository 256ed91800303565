"""Who may have passed the line, and nobody can tell: told once, and taken back where more is known."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from vision.crossing import Outcome
from vision.one_object import follows
from vision.records import OpenPassage
from vision.types import GroundTrack

__all__ = ["OpenWays"]

_TOLD = 5
"""Times that are told in the note: those of the last ones."""
# A track that ended so long ago is not found again.
_FORGET_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What was told of a track, and its way as it was seen last."""

    passage: OpenPassage
    way: GroundTrack
    ended: bool


class OpenWays:
    """Tracks of one watch whose outcome is open.

    Parameters
    ----------
    tell
        Called with each when it is decided, and once more where it is taken back (`OpenPassage.became`).
    keep_s
        For how long one that was told, and of which nothing more will be known, is kept; None: for good.
    """

    def __init__(self, tell: Callable[[OpenPassage], None] | None = None, keep_s: float | None = None) -> None:
        self._tell, self._keep_s = tell, keep_s
        self._told: dict[int, _Told] = {}
        self._kept: deque[OpenPassage] = deque()
        self._gone: Counter[str] = Counter()
        """Kinds of those that are not kept any more."""

    def found(self, passage: OpenPassage, way: GroundTrack, *, ended: bool) -> None:
        """One of them, as it is known now; told the first time."""
        before = self._told.get(way.number)
        if before is not None:  # the record stays the one that whoever has it knows
            passage = replace(passage, source_id=before.passage.source_id, time_us=before.passage.time_us)
        self._told[way.number] = _Told(passage, way, ended)
        self._forget(passage.last_us)
        if before is None and self._tell is not None:
            self._tell(passage)

    def knows(self, number: int) -> bool:
        """Whether a track was told of and not taken back."""
        return number in self._told

    def ended(self, way: GroundTrack, outcome: Outcome | None) -> Outcome | None:
        """What a track did in the end that is not open now: still open where how it began is forgotten by now."""
        told = self._told.get(way.number)
        if told is None or outcome is None:
            return outcome
        if way.times_us[0] > told.way.times_us[0]:
            self._told[way.number] = replace(told, ended=True)
            return Outcome.OPEN
        self._take_back(way.number, outcome, int(way.times_us[-1]))
        return outcome

    def passed(self, way: GroundTrack, decided_us: int, *, unit: float = 1.0) -> None:
        """A track has passed the line: it is open no more, and so is one that it goes on from."""
        for number, told in list(self._told.items()):
            if number == way.number or (told.ended and follows(told.way, way, unit=unit)):
                self._take_back(number, Outcome.CROSSED, decided_us)
        self._forget(decided_us)

    def standing(self) -> tuple[OpenPassage, ...]:
        """All that were told and not taken back, and are kept, in the order of time."""
        all_of_them = [*self._kept, *(told.passage for told in self._told.values())]
        return tuple(sorted(all_of_them, key=lambda one: (one.time_us, one.track_number)))

    def notes(self, first_us: int) -> list[str]:
        """How many they are, in words, with times since the first picture, microseconds; none where there are none."""
        standing = sorted(self.standing(), key=lambda one: one.last_us)
        kinds = self._gone + Counter(one.kind for one in standing)
        if not kinds:
            return []
        who = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        seen = [((one.first_us - first_us) / 1e6, (one.last_us - first_us) / 1e6) for one in standing[-_TOLD:]]
        when = ", ".join(f"{first:.1f}-{last:.1f} s" for first, last in seen)
        count = kinds.total()
        some = "" if count == len(seen) else "the last " if seen else "what was told of them then"
        told = (
            f"{count} may have passed the line or not ({who}): they come up to it, or from it, closer "
            f"than their places are known, and are no crossing: look at {some}{when}"
        )
        return [told]

    def _forget(self, now_us: int) -> None:
        for number, told in list(self._told.items()):
            if told.ended and now_us - told.passage.last_us > _FORGET_S * 1e6:
                self._kept.append(self._told.pop(number).passage)
        if self._tell is None or self._keep_s is None:
            return
        while self._kept and now_us - self._kept[0].last_us > self._keep_s * 1e6:
            self._gone[self._kept.popleft().kind] += 1

    def _take_back(self, number: int, became: Outcome, decided_us: int) -> None:
        passage = self._told.pop(number).passage
        if self._tell is not None:
            later_us = max(passage.update_time_us + 1, decided_us)
            self._tell(replace(passage, became=became.value, update_time_us=later_us))
