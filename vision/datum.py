"""Heights of poses above the ellipsoid made such above the sea, where somebody tells how the geoid lies there."""

from __future__ import annotations

from dataclasses import replace

from geo import Altitude, CameraPose, Datum
from vision.errors import MetadataError

__all__ = ["above_sea", "check_undulation"]

_GEOID_M = 110.0  # EGM2008: -106 m south of India, +86 m on New Guinea


def check_undulation(undulation_m: float | None) -> None:
    """Raise MetadataError where no geoid is so far from the ellipsoid."""
    if undulation_m is not None and not abs(undulation_m) <= _GEOID_M:
        raise MetadataError(
            f"undulation {undulation_m:g} m: the geoid is nowhere farther than {_GEOID_M:g} m off the ellipsoid: "
            "give metres, negative where it lies below"
        )


def above_sea(pose: CameraPose | None, undulation_m: float | None) -> CameraPose | None:
    """A pose with its height above the sea, where it is above the ellipsoid and the undulation, metres, is known."""
    if pose is None or undulation_m is None or pose.altitude.datum is not Datum.HAE:
        return pose
    return replace(pose, altitude=Altitude(pose.altitude.amsl_m(undulation_m=undulation_m), Datum.AMSL))
