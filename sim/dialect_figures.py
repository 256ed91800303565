"""The figures that a flight reads, out of the parameters of whichever autopilot it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from types import MappingProxyType

__all__ = ["NO_ROTORS", "Figure", "Figures", "PowerShares"]

Figure = str | float | tuple[str, float] | Callable[[Mapping[str, float]], float]
"""Where a figure comes from: a parameter, a constant, a parameter times a factor, or a formula of parameters."""


class Figures(MutableMapping[str, float]):
    """The figures that a flight reads, live, out of the parameters of an autopilot.

    A flight asks by the names and units of ArduCopter 4.6 (`WPNAV_SPEED` in cm/s, `FENCE_ALT_MAX` in m). What an
    autopilot or version calls otherwise, or has in other units, has a row.
    """

    __slots__ = ("_params", "_table")

    def __init__(self, params: dict[str, float], table: Mapping[str, Figure]) -> None:
        self._params = params
        self._table = table

    def __getitem__(self, name: str) -> float:
        row = self._table.get(name)
        if row is None:
            return self._params[name]
        if isinstance(row, str):
            return self._params[row]
        if isinstance(row, tuple):
            return self._params[row[0]] * row[1]
        return row if isinstance(row, float) else row(self._params)

    def __setitem__(self, name: str, value: float) -> None:
        row = self._table.get(name, name)
        if isinstance(row, str):
            self._params[row] = value

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"figure {name} cannot be removed")

    def __iter__(self) -> Iterator[str]:
        yield from {**self._params, **self._table}

    def __len__(self) -> int:
        return len({**self._params, **self._table})


NO_ROTORS: Mapping[str, Figure] = MappingProxyType(
    {
        "WPNAV_SPEED": 500.0,
        "WPNAV_SPEED_UP": 250.0,
        "WPNAV_SPEED_DN": 150.0,
        "WPNAV_ACCEL": 250.0,
        "WPNAV_ACCEL_Z": 100.0,
        "WPNAV_RADIUS": 200.0,
    }
)
"""Figures of rotors, for those that have none and never fly by them."""

PowerShares = Mapping[str, Callable[[float, float, float], float]]
"""Parameters that follow from the battery: functions of its capacity, mAh, and of its two failsafe levels, percent."""
