"""The hour of the day at each moment of a shift, by the clock that a risk table speaks of.

Without a date the shift begins at an hour of that clock, and nobody can say whether it is put forward or back
meanwhile. With the date and time of its start, and the time zone of the table, the hours are those that the clock on
the wall there shows: where it is put forward an hour is left out, where it is put back one comes twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from missions.errors import PlanError

__all__ = ["ShiftClock", "moment_of", "zone_of"]

_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{2}):?(\d{2})")
_DAY_S = 86_400
_HOUR = timedelta(hours=1)
_MIDNIGHT = datetime.min.time()


def zone_of(name: str, what: str) -> tzinfo:
    """A time zone by its IANA name, as Europe/Zurich, or as an offset from UTC, as +02:00; UTC and Z are both UTC.

    Raises
    ------
    PlanError
        When there is none of that name; `what` stands in the message.
    """
    if name.upper() in {"UTC", "Z"}:
        return UTC
    offset = _OFFSET.fullmatch(name)
    try:
        if offset:
            sign, hours, minutes = offset.groups()
            return timezone((1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
        return ZoneInfo(name)
    # Of a name that leads out of its folder zoneinfo says ValueError, of a folder in it OSError.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PlanError(
            f"{what}: no time zone is called {name!r}: give an IANA name as Europe/Zurich, or an offset as +02:00"
        ) from None


_FIRST_YEAR, _LAST_YEAR = 1900, 2999


def moment_of(text: str, what: str) -> datetime:
    """A moment as ISO 8601 has it, with its offset from UTC.

    Raises
    ------
    PlanError
        When it is none, has no offset, or is of no year that anybody plans for; `what` stands in the message.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() is None:
        raise PlanError(f"{what} is {text!r}: give date and time with the zone, as 2027-03-28T00:30+01:00")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise PlanError(f"{what} is {text!r}: give a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


@dataclass(frozen=True, slots=True)
class ShiftClock:
    """The hours of a shift.

    Parameters
    ----------
    from_hour
        Hour of the day at which it begins, for want of its start.
    start
        When it begins, if that is known.
    zone
        The zone that hours are told in; by default the offset that `start` is stated with.
    """

    from_hour: float = 0.0
    start: datetime | None = None
    zone: tzinfo | None = None

    @classmethod
    def of(cls, from_hour: float, start: str, zone: str) -> ShiftClock:
        """From an hour, or a start, as `PlanOptions` has them, and the name of the zone of a table, if it has one.

        Raises
        ------
        PlanError
            When the table has a zone and the shift no date, by which alone hours of a zone are known.
        """
        if start:
            return cls(0.0, moment_of(start, "option shift_start"), zone_of(zone, "risk: zone") if zone else None)
        if zone:
            raise PlanError(
                f"risk: its hours are those of {zone}, and the shift has no date: give shift_start (--start)"
            )
        return cls(from_hour)

    @property
    def told(self) -> str:
        """What its hours are, in words."""
        if self.start is None:
            return "hours of risk are of the clock that the hour is read from at which the shift begins, all through it"
        here = self.start.astimezone(self.zone or self.start.tzinfo)
        name = "the offset that its start is stated with" if self.zone is None else str(self.zone)
        return f"hours of risk are of {name}: the shift begins at {here.isoformat(sep=' ', timespec='minutes')}"

    def hour(self, at_s: float) -> float:
        """Hour of the day, 0 to 24, some seconds after the start of the shift."""
        return (self.from_hour + at_s / 3600) % 24 if self.start is None else self.hour_of(self._here(at_s))

    def hour_of(self, moment: datetime) -> float:
        """Hour of the day, 0 to 24, at a moment of any zone; the shift has a date."""
        assert self.start is not None
        here = moment.astimezone(self.zone or self.start.tzinfo)
        return (here.replace(tzinfo=None) - datetime.combine(here.date(), _MIDNIGHT)) / _HOUR

    def moments(self, hours: Iterable[float], shift_s: float) -> list[float]:
        """Seconds after the start at which it strikes any of some hours, or jumps, rising, within a shift.

        Of an hour that is left out that is the moment of the jump, at which all that holds from then on begins.
        """
        found: set[float] = set()
        if self.start is None:
            for hour in hours:
                first = ((hour - self.from_hour) % 24) * 3600
                found |= {first + _DAY_S * day for day in range(math.ceil(shift_s / _DAY_S) + 1)}
        else:
            zone, first_day = self.zone or self.start.tzinfo, self._here(0.0).date()
            for day in range(-1, math.ceil(shift_s / _DAY_S) + 2):
                midnight = datetime.combine(first_day + timedelta(days=day), _MIDNIGHT)
                walls = [midnight + timedelta(hours=hour % 24) for hour in hours]
                found |= {self._after(wall.replace(tzinfo=zone, fold=fold)) for wall in walls for fold in (0, 1)}
            found |= set(self.jumps(shift_s))
        return sorted(at for at in found if 0 < at < shift_s)

    def jumps(self, shift_s: float) -> list[float]:
        """Seconds after the start, up to the end of a shift, at which the clock is put forward or back, rising."""
        if self.start is None:
            return []
        out = []
        # Between whole numbers the search ends, and a jump falls on a whole second: that of a start need not.
        part_s = self.start.astimezone(UTC).microsecond / 1e6
        steps = [min(k * 3600, math.ceil(shift_s)) for k in range(math.ceil(shift_s / 3600) + 1)]
        for low, high in pairwise(steps):
            before, a, b = self._here(low).utcoffset(), low, high
            if before == self._here(high).utcoffset():
                continue
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if self._here(middle).utcoffset() == before else (a, middle)
            out.append(b - part_s)
        return [at for at in out if at <= shift_s]

    def _here(self, at_s: float) -> datetime:
        assert self.start is not None
        return (self.start.astimezone(UTC) + timedelta(seconds=at_s)).astimezone(self.zone or self.start.tzinfo)

    def _after(self, moment: datetime) -> float:
        assert self.start is not None
        return (moment.astimezone(UTC) - self.start.astimezone(UTC)).total_seconds()
