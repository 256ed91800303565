"""Figures that an autopilot holds in a few bits: in steps, and none above a greatest one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["WHOLE", "HeldAngle", "HeldFigure"]

_ROUNDING = 1e-3  # of a step


@dataclass(frozen=True, slots=True)
class HeldFigure:
    """How a parameter of an item is held.

    Parameters
    ----------
    steps
        Steps by the size up to which they are taken, finest first; without their sign.
    upward
        Whether it goes up whatever its sign, as a height does; else away from 0, as a radius to the left does.
    """

    steps: MappingProxyType[float, float]
    upward: bool = False

    @property
    def most(self) -> float:
        """The greatest that is held."""
        return max(self.steps)

    def held(self, value: float) -> float | None:
        """The next value that is held and not smaller, but for what is rounding; None above the greatest."""
        if not math.isfinite(value):
            return value
        down = self.upward and value < 0
        size = abs(value)
        for most, step in self.steps.items():
            count = size / step
            up = (math.floor(count + _ROUNDING) if down else math.ceil(count - _ROUNDING)) * step
            if up <= most:
                return math.copysign(up, value) if up else 0.0
        return None


@dataclass(frozen=True, slots=True)
class HeldAngle:
    """How an angle is held that may point to either side: as the nearest whole number with a sign.

    Parameters
    ----------
    bits
        Of it.
    """

    bits: int

    @property
    def most(self) -> float:
        """The greatest that is held."""
        return 2.0 ** (self.bits - 1) - 1.0

    def held(self, value: float) -> float | None:
        """The nearest value that is held; None beyond them."""
        if not math.isfinite(value):
            return value
        whole = float(round(value))
        return whole if -self.most - 1.0 <= whole <= self.most else None


WHOLE = HeldFigure(MappingProxyType({65535.0: 1.0}))
"""A whole number of 16 bits."""
