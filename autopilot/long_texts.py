"""Long texts of a vehicle: the numbered parts of each put together, in any order, whether all came or not."""

from __future__ import annotations

from dataclasses import dataclass, field

from autopilot.wire import Message

__all__ = ["SAYING", "LongTexts", "Said"]

SAYING = ("STATUSTEXT", "EVENT")
"""Messages in which a vehicle says something to a person."""

_PART = 50  # characters of every part but the last (STATUSTEXT)
_MOST = 8
_PATIENCE_S = 5.0
_MISSING = "..."
_LEAST_GRAVE = 7


@dataclass(slots=True)
class _Text:
    severity: int
    began_s: float
    parts: dict[int, str] = field(default_factory=dict)
    count: int | None = None
    """How many parts it has, once the last came."""

    def fits(self, number: int, severity: int, part: str) -> bool:
        """Whether a part can be of this text."""
        if number in self.parts:
            return severity == self.severity and self.parts[number] == part
        beyond = self.count is not None and number >= self.count
        too_short = len(part) < _PART and number < max(self.parts, default=0)
        return severity == self.severity and not beyond and not too_short

    def add(self, number: int, part: str) -> None:
        self.parts[number] = part
        if len(part) < _PART:
            self.count = number + 1

    @property
    def whole(self) -> bool:
        return self.count is not None and len(self.parts) == self.count

    def told(self) -> tuple[int, str]:
        count = max(self.parts) + 2 if self.count is None else self.count
        words: list[str] = []
        for number in range(count):
            part = self.parts.get(number, _MISSING)
            if part is not _MISSING or words[-1:] != [_MISSING]:
                words.append(part)
        return self.severity, "".join(words)


class LongTexts:
    """Puts the parts of STATUSTEXT together.

    A text of which parts are lost is told with "..." in their place: 5 s after its first part, when the vehicle has
    begun eight others, or when it begins another with its number.
    """

    def __init__(self) -> None:
        self._open: dict[int, _Text] = {}
        self._told: dict[int, _Text] = {}

    def take(self, number: int, part_number: int, severity: int, part: str, now_s: float) -> list[tuple[int, str]]:
        """Take a part in; the severities and texts that are finished now.

        Parameters
        ----------
        number
            STATUSTEXT.id; 0 for a text of one part.
        part_number
            STATUSTEXT.chunk_seq, from 0.
        severity
            MAV_SEVERITY.
        part
            50 characters, or fewer where it is the last.
        now_s
            On any clock of seconds.
        """
        done = self.overdue(now_s)
        if not number:
            return [*done, (severity, part)]
        told = self._told.get(number)
        if told is not None and part_number in told.parts and told.fits(part_number, severity, part):
            return done  # it came twice
        text = self._open.get(number)
        if text is not None and not text.fits(part_number, severity, part):
            done.append(self._finish(number))
            text = None
        if text is None:
            text = self._open[number] = _Text(severity, now_s)
        text.add(part_number, part)
        if text.whole:
            done.append(self._finish(number))
        elif len(self._open) > _MOST:
            done.append(self._finish(next(iter(self._open))))
        return done

    @property
    def waits(self) -> bool:
        """Whether a part is awaited."""
        return bool(self._open)

    def overdue(self, now_s: float) -> list[tuple[int, str]]:
        """What has been waited for long enough, with its gaps."""
        return [self._finish(one) for one, text in tuple(self._open.items()) if now_s - text.began_s > _PATIENCE_S]

    def rest(self) -> list[tuple[int, str]]:
        """What was begun and not finished, with its gaps; nothing more is waited for."""
        return [self._finish(number) for number in tuple(self._open)]

    def _finish(self, number: int) -> tuple[int, str]:
        text = self._open.pop(number)
        self._told.pop(number, None)
        self._told[number] = text
        if len(self._told) > _MOST:
            del self._told[next(iter(self._told))]
        return text.told()


class Said:
    """What a vehicle has said since a moment, long texts whole and without white space about them.

    PX4 ends with a tab what it tells as an event as well.
    """

    def __init__(self) -> None:
        self._parts = LongTexts()
        self._whole: list[tuple[int, str]] = []

    def take(self, message: Message, now_s: float) -> None:
        """Take a STATUSTEXT or an EVENT in, at a time on any clock of seconds."""
        if message.get_type() == "EVENT":
            words = message.words()
            self._whole += [] if words is None else [(message.severity, words)]
            return
        text = message.text if isinstance(message.text, str) else message.text.decode(errors="replace")
        self._whole += self._parts.take(message.id, message.chunk_seq, message.severity, text, now_s)

    def look(self, now_s: float) -> bool:
        """Whether anything is finished by the time that it is: the last part of a text may be lost."""
        if self._parts.waits:
            self._whole += self._parts.overdue(now_s)
        return bool(self._whole)

    def finished(self) -> list[tuple[int, str]]:
        """Severities and texts that were finished since the last question."""
        done, self._whole = self._whole, []
        return [(severity, text.strip()) for severity, text in done]

    def texts(self, most: int = _LEAST_GRAVE) -> list[str]:
        """All since the last question that are at least as grave as a MAV_SEVERITY, with what is not finished."""
        self._whole += self._parts.rest()
        return [text for severity, text in self.finished() if severity <= most]
