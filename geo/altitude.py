"""Heights that know what they are measured from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from geo.errors import DatumError

__all__ = ["Altitude", "Datum"]


class Datum(StrEnum):
    """What a height is measured from."""

    AGL = "AGL"
    """Above the ground directly below."""
    AMSL = "AMSL"
    """Above mean sea level (orthometric, the geoid)."""
    HAE = "HAE"
    """Above the WGS 84 ellipsoid."""


@dataclass(frozen=True, slots=True)
class Altitude:
    """A height in metres together with its datum.

    Parameters
    ----------
    metres
        The height, metres, positive up.
    datum
        What it is measured from.

    Raises
    ------
    DatumError
        When `metres` is not finite.

    Examples
    --------
    >>> Altitude(1270.0, Datum.AMSL).above_ground(ground_amsl_m=1180.0)
    Altitude(metres=90.0, datum=<Datum.AGL: 'AGL'>)
    """

    metres: float
    datum: Datum

    def __post_init__(self) -> None:
        if not math.isfinite(self.metres):
            raise DatumError(f"altitude is {self.metres} m {self.datum}: give a finite height")

    def amsl_m(self, *, ground_amsl_m: float | None = None, undulation_m: float | None = None) -> float:
        """Metres above mean sea level.

        Parameters
        ----------
        ground_amsl_m
            Elevation of the ground below, metres AMSL; needed for an AGL height.
        undulation_m
            Geoid height above the ellipsoid, metres; needed for an HAE height.

        Raises
        ------
        DatumError
            When the conversion needs a figure that was not given: mixing HAE and AMSL puts a target 20 to 30 m off.
        """
        match self.datum:
            case Datum.AMSL:
                return self.metres
            case Datum.AGL:
                if ground_amsl_m is None:
                    raise DatumError(
                        f"{self.metres} m AGL cannot become AMSL without the ground elevation: give terrain"
                    )
                return self.metres + ground_amsl_m
            case Datum.HAE:
                if undulation_m is None:
                    raise DatumError(
                        f"{self.metres} m HAE cannot become AMSL without the geoid undulation: give it in metres"
                    )
                return self.metres - undulation_m

    def above_ground(self, *, ground_amsl_m: float, undulation_m: float | None = None) -> Altitude:
        """The same height above ground of elevation `ground_amsl_m` (metres AMSL). Raises as `amsl_m` does."""
        metres = self.amsl_m(ground_amsl_m=ground_amsl_m, undulation_m=undulation_m) - ground_amsl_m
        return Altitude(metres, Datum.AGL)
