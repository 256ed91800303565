"""The way from a coordinate reference system to WGS 84, and how well it is known.

Datums of one country lie up to hundreds of metres apart. Where PROJ knows no way between two it takes one for the
other (a "ballpark" transformation): a border would be displaced by more than its stand-off, and nobody would be told.
"""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray

from missions.errors import FormatError

__all__ = ["ToWgs84"]

Floats = NDArray[np.float64]

_WGS84 = "OGC:CRS84"
_WORST_M = 20.0
"""A way that is known less well than this is refused: a third of the usual stand-off."""
_TOLD_M = 1.0
"""Of one that is known less well than this the reader is told."""
_PLACES = 200
"""PROJ chooses a way anew for each place: at so many of a line at most it is asked how well that is known."""
_SURE = 70
"""With so much confidence, percent, PROJ has to know a system by its name."""
_GEOCENTRIC = (6_378_137.0, 298.257)
"""Semi-major axis, metres, and inverse flattening (to three figures) of GRS 80, WGS 84 and CGCS 2000."""
_NAMELESS = ("unknown", "undefined", "not specified", "not_specified", "unspecified")


class ToWgs84:
    """From a coordinate reference system to degrees of WGS 84.

    Parameters
    ----------
    crs
        Its code or WKT.
    where
        The file, for messages.

    Raises
    ------
    FormatError
        When it is none, has a datum of no name, or one that no known way leads from.
    """

    def __init__(self, crs: str, where: str) -> None:
        self._where, self._told, self._worst_m = where, "", 0.0
        self._by_design, self._given = False, False
        try:
            source = pyproj.CRS.from_user_input(crs)
        except pyproj.exceptions.CRSError as error:
            raise FormatError(f"{where}: its coordinate reference system is none: {error}") from None
        self._name = source.name
        if source.is_bound and source.coordinate_operation is not None:
            # A shift of nothing is one between datums on the same ellipsoid alone.
            self._given = any(source.coordinate_operation.towgs84) or _same_ellipsoid(source)
        self.is_geographic = source.is_geographic
        try:
            self._way = pyproj.Transformer.from_crs(source, _WGS84, always_xy=True, allow_ballpark=False)
        except pyproj.exceptions.ProjError:
            if not _is_geocentric(source):
                raise FormatError(
                    f"{where}: its coordinate reference system {source.name!r} cannot be brought to WGS 84: convert "
                    "it to longitude and latitude in WGS 84 with a program that knows its datum"
                ) from None
            # By design within a metre or two of WGS 84; PROJ just has no entry for the pair.
            self._way = pyproj.Transformer.from_crs(source, _WGS84, always_xy=True)
            self._by_design = True
            self._told = f"{source.name} was taken for WGS 84, which may be a few metres off"

    def __call__(self, plane: Floats, where: str) -> Floats:
        """Longitude and latitude, degrees, of coordinates (x or longitude first), shape (n, 2).

        Raises
        ------
        FormatError
            When one is outside the system, or the way there is not known to 20 m, or nobody says how well; `where`
            names the object.
        """
        degrees = np.stack(self._way.transform(plane[:, 0], plane[:, 1]), axis=-1)
        if not np.isfinite(degrees).all():
            at = plane[int(np.flatnonzero(~np.isfinite(degrees).all(axis=1))[0])]
            raise FormatError(
                f"{where}: the coordinate {at[0]:.10g}, {at[1]:.10g} is outside its coordinate reference system: is it "
                "the right one?"
            )
        if not self._by_design:
            for number in np.unique(np.linspace(0, len(plane) - 1, min(len(plane), _PLACES)).round().astype(int)):
                self._judge(plane[number], where)
        return degrees

    @property
    def note(self) -> str:
        """What a reader must know of how well the way is known, as far as it was used; empty for nothing."""
        return self._told

    def _judge(self, place: Floats, where: str) -> None:
        self._way.transform(float(place[0]), float(place[1]))
        try:
            accuracy_m = float(self._way.get_last_used_operation().accuracy)
        except pyproj.exceptions.ProjError:
            return  # nothing was done: it is WGS 84
        if accuracy_m < 0 and self._given:
            self._told = (
                f"brought to WGS 84 from {self._name} by the shift that it gives, and nobody says how well that holds"
            )
        elif accuracy_m < 0:
            raise FormatError(
                f"{where}: nobody says how well {self._name} is brought to WGS 84: convert it to longitude and "
                "latitude in WGS 84 with a program that knows its datum"
            )
        if accuracy_m > _WORST_M:
            raise FormatError(
                f"{where}: {self._name} can be brought to WGS 84 to {accuracy_m:.0f} m only: convert it with a program "
                "that has the grid of its datum"
            )
        if accuracy_m > max(_TOLD_M, self._worst_m):
            self._worst_m = accuracy_m
            self._told = f"brought to WGS 84 from {self._name}, which is known to {accuracy_m:g} m"


def _is_geocentric(crs: pyproj.CRS) -> bool:
    """Whether a system is one of those of satellite navigation, which hold to WGS 84 by design."""
    base = crs.geodetic_crs
    if base is None:
        return False
    if base.datum is None or not _same_ellipsoid(base):
        return False
    named = not any(word in base.datum.name.casefold() for word in _NAMELESS)
    return named and base.to_authority(min_confidence=_SURE) is not None


def _same_ellipsoid(crs: pyproj.CRS) -> bool:
    """Whether a system is on the ellipsoid of WGS 84, or on one that is within a millimetre of it."""
    one = crs.ellipsoid
    return one is not None and (one.semi_major_metre, round(one.inverse_flattening, 3)) == _GEOCENTRIC
