"""Errors of ``missions``.

::

    geo.VedetteError
    └── MissionsError         planning that cannot be done
        ├── AirspaceError     a zone or landing site that is not one: outline, heights, kind
        ├── BorderError       a border line that is not one: vertices, side, coordinates, an unknown country or pair
        ├── FleetError        an aircraft, camera, base or fleet whose figures are impossible
        ├── FormatError       a file that cannot be read or written as what it claims to be
        ├── ObservationError  no height, offset and pitch meet resolution, band and stand-off together
        └── PlanError         no lawful plan: base on the wrong side or out of reach, or the plan broke its own rules
            ├── MissionError  a sortie that no autopilot would take: too many items, no lawful fence
            ├── ProgressError how far a sortie got cannot be so: no such sortie or item, a place far from it, no battery
            └── UnflyableError a part of a sortie that an aircraft cannot fly
                ├── TooSharpError      there is no room for its turns into the patrol, or out of it
                └── GroundError        ground that it does not fly over
                    ├── TooSteepError      it cannot follow it within its heights above it
                    └── UnknownGroundError the terrain has no elevation there
"""

from __future__ import annotations

from geo import VedetteError


class MissionsError(VedetteError):
    """Planning that cannot be done."""


class AirspaceError(MissionsError):
    """A zone or landing site that is not one: its outline, its heights, its kind."""


class BorderError(MissionsError):
    """A border line that is not one: its vertices, its side, its coordinates, or an unknown country or pair."""


class FleetError(MissionsError):
    """An aircraft, camera, base or fleet whose figures are impossible."""


class FormatError(MissionsError):
    """A file that cannot be read or written as what it claims to be."""


class ObservationError(MissionsError):
    """No height, offset and pitch meet resolution, band and stand-off together."""


class PlanError(MissionsError):
    """No lawful plan: the base is on the wrong side or out of reach, or the plan broke its own rules."""


class ProgressError(PlanError):
    """How far a sortie got cannot be so: no such sortie or item, a place far from it, an impossible battery."""


class MissionError(PlanError):
    """A sortie that no autopilot would take: too many items, or no lawful fence."""


class UnflyableError(PlanError):
    """A part of a sortie that an aircraft cannot fly.

    Parameters
    ----------
    message
        What it says.
    lat_deg, lon_deg
        Where, degrees.
    part
        On which part of a sortie: ``out``, ``patrol`` or ``home``.
    """

    def __init__(self, message: str, lat_deg: float, lon_deg: float, part: str = "patrol") -> None:
        super().__init__(message)
        self.lat_deg, self.lon_deg, self.part = lat_deg, lon_deg, part


class TooSharpError(UnflyableError):
    """A place where wings have no room for the turn into their patrol, or out of it.

    Parameters
    ----------
    at_runway
        Whether there is room at the patrol, and none for the turn off the runway, or on to it.
    at_corner
        Whether there is room for both, and none for a corner of the way between them.
    """

    def __init__(
        self,
        message: str,
        lat_deg: float,
        lon_deg: float,
        part: str = "patrol",
        *,
        at_runway: bool = False,
        at_corner: bool = False,
    ) -> None:
        super().__init__(message, lat_deg, lon_deg, part)
        self.at_runway, self.at_corner = at_runway, at_corner


class GroundError(UnflyableError):
    """Ground that an aircraft does not fly over."""


class TooSteepError(GroundError):
    """Ground that an aircraft cannot follow within its heights above it."""


class UnknownGroundError(GroundError):
    """Ground of which the terrain has no elevation."""
