"""Home: where a vehicle returns to, and what heights are above; the pad until it is set elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from sim.flight_frame import FlightFrame
from sim.flight_tasks import Vector

__all__ = ["PAD", "Home"]

PAD: Vector = (0.0, 0.0, 0.0)


@dataclass(slots=True)
class Home:
    """Home of one vehicle.

    Attributes
    ----------
    at
        East, north and up of its pad, metres.
    kept
        Whether somebody set it, so that it stays there until the vehicle boots anew; else it is set again where that
        stands.
    """

    at: Vector = PAD
    kept: bool = False

    def reset(self) -> None:
        """As at power-on: the pad."""
        self.at, self.kept = PAD, False

    def move(self, east: float, north: float, up: float) -> None:
        """To where the vehicle stands, unless somebody set it."""
        if not self.kept:
            self.at = (east, north, up)

    @property
    def up_m(self) -> float:
        """Its height above the pad."""
        return self.at[2]

    def place(self, frame: FlightFrame, pad_amsl_m: float) -> tuple[float, float, float]:
        """Latitude and longitude in degrees and height AMSL, of a vehicle whose pad is the origin of its frame."""
        east, north, up = self.at
        there = frame.to_geodetic(east, north) if east or north else (frame.lat_deg, frame.lon_deg)
        return (*there, pad_amsl_m + up)
