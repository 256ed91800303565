"""Times: UTC microseconds inside, ISO 8601 with a zone in files and messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["iso", "microseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def iso(time_us: int) -> str:
    """ISO 8601 UTC with microseconds and Z.

    Examples
    --------
    >>> iso(1_700_000_000_000_001)
    '2023-11-14T22:13:20.000001Z'
    """
    return (_EPOCH + time_us * _TICK).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def microseconds(moment: datetime) -> int:
    """UTC microseconds since the Unix epoch of a zoned moment, exactly."""
    return (moment - _EPOCH) // _TICK
