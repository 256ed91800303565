"""What a plan sees of the band, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Coverage", "Uncovered"]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A part of the band that no sortie sees.

    Parameters
    ----------
    from_m, to_m
        The stretch of the border beside which it lies, metres along it.
    area_m2
        Its area, square metres.
    lat_deg, lon_deg
        A place in it, degrees.
    reason
        Why it is not seen.
    """

    from_m: float
    to_m: float
    area_m2: float
    lat_deg: float
    lon_deg: float
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the plan sees of the band at the required GSD.

    Parameters
    ----------
    band_area_m2, seen_area_m2
        Area of the band and of what is seen of it, square metres.
    by_gsd
        GSD, metres a pixel, and the share of the band that is seen at that or better, from fine to coarse.
    hidden_area_m2
        Area that would be in a picture at the required GSD but for the terrain before it, square metres.
    step_m
        Distance between the points of the band that were looked at, along the border, metres.
    uncovered
        Every part that is not seen, along the border; their areas add up to what is missing.
    """

    band_area_m2: float
    seen_area_m2: float
    by_gsd: tuple[tuple[float, float], ...]
    hidden_area_m2: float
    step_m: float
    uncovered: tuple[Uncovered, ...]

    @property
    def share(self) -> float:
        """Share of the band that is seen, 0 to 1."""
        return self.seen_area_m2 / self.band_area_m2
