"""From where the cameras of sorties look: the straight pieces of watched legs, and the turns between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import shorter_turn
from missions.fleet import Camera
from missions.sortie import Leg

__all__ = ["Views", "Watch", "views_of"]

Floats = NDArray[np.float64]

_SHORTEST_M = 0.05
"""Shorter legs show nothing, metres."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The watched legs of one sortie and the camera that looks.

    Parameters
    ----------
    legs
        Legs in the order of flight; those of other kinds between them are left out.
    side
        Which way the camera looks on each: 1 to the left of the course, -1 to the right.
    camera
        The camera.
    pitch_deg
        Its pitch, degrees: -90 straight down.
    gsd_m
        Coarsest GSD that counts as seen, metres a pixel.
    """

    legs: Sequence[Leg]
    side: Sequence[float]
    camera: Camera
    pitch_deg: float
    gsd_m: float


@dataclass(frozen=True, slots=True)
class Views:
    """Straight pieces and turns from which cameras look, n of them.

    Parameters
    ----------
    lat_deg, lon_deg, amsl_m
        Both ends, degrees and metres AMSL, shape (n, 2): the same point twice for a turn. Of a piece across the
        antimeridian the longitude of its end runs on beyond ±180 degrees.
    look_rad
        Direction of the camera, radians from east to north, shape (n,): at the beginning of a turn. A straight piece
        has its own from its ends and `side`.
    turn_rad
        By how much it turns, radians; NaN for a straight piece.
    side
        1 for a camera that looks to the left of the course, -1 for one to the right.
    depression_rad, focal_px, half_width_px, half_height_px, gsd_m
        Of the camera: depression of the optical axis, focal length, half the picture, the coarsest GSD that counts.
    """

    lat_deg: Floats
    lon_deg: Floats
    amsl_m: Floats
    look_rad: Floats
    turn_rad: Floats
    side: Floats
    depression_rad: Floats
    focal_px: Floats
    half_width_px: Floats
    half_height_px: Floats
    gsd_m: Floats

    def part(self, which: NDArray[np.bool_]) -> Views:
        """Those that are picked out."""
        return Views(*(getattr(self, name)[which] for name in self.__slots__))

    def near(self, lat_deg: Floats, lon_deg: Floats, reach_deg: float) -> Views:
        """Those within a reach, degrees of latitude, of the box round some places."""
        wide = reach_deg / max(math.cos(math.radians(float(np.abs(lat_deg).max()))), 0.05)
        middle = float(lon_deg.min() + np.ptp(lon_deg) / 2)
        off = shorter_turn(self.lon_deg - middle)
        half = float(np.ptp(lon_deg)) / 2 + wide
        inside = (off.min(axis=1) <= half) & (off.max(axis=1) >= -half)
        inside &= self.lat_deg.min(axis=1) <= lat_deg.max() + reach_deg
        return self.part(inside & (self.lat_deg.max(axis=1) >= lat_deg.min() - reach_deg))

    def range_m(self) -> Floats:
        """Ground distance from which on nothing is seen at the GSD that counts, metres, shape (n,)."""
        depth = self.gsd_m * self.focal_px
        # A ray in the middle column that is v below the axis meets the ground at z (cos p - v sin p).
        up = self.half_height_px / self.focal_px
        across = depth * (np.cos(self.depression_rad) + up * np.abs(np.sin(self.depression_rad)))
        return np.asarray(np.hypot(across, depth * self.half_width_px / self.focal_px))


def views_of(watches: Iterable[Watch]) -> Views:
    """The views of all sorties in one table."""
    rows: list[tuple[float, ...]] = []
    for watch in watches:
        model = watch.camera.model
        camera = (
            math.radians(-watch.pitch_deg), model.focal_px, model.width_px / 2, model.height_px / 2, watch.gsd_m
        )  # fmt: skip
        before: tuple[Leg, float] | None = None
        for leg, side in zip(watch.legs, watch.side, strict=True):
            if leg.distance_m < _SHORTEST_M:
                continue
            a, b = leg.start, leg.end
            look = _course_rad(leg) + side * math.pi / 2
            if before is not None and before[0].end == a:
                turn = (look - before[1] + math.pi) % (2 * math.pi) - math.pi
                at = (a.lat_deg, a.lat_deg, a.lon_deg, a.lon_deg, a.amsl_m, a.amsl_m)
                rows.append((*at, before[1], turn, side, *camera))
            onward = a.lon_deg + shorter_turn(b.lon_deg - a.lon_deg)
            ends = (a.lat_deg, b.lat_deg, a.lon_deg, onward, a.amsl_m, b.amsl_m)
            rows.append((*ends, look, math.nan, side, *camera))
            before = leg, look
    table = np.array(rows, dtype=float).reshape(-1, 14)
    return Views(table[:, 0:2], table[:, 2:4], table[:, 4:6], *(table[:, k] for k in range(6, 14)))


def _course_rad(leg: Leg) -> float:
    """Direction of a leg, radians from east to north."""
    north = leg.end.lat_deg - leg.start.lat_deg
    east = shorter_turn(leg.end.lon_deg - leg.start.lon_deg)
    return math.atan2(north, east * math.cos(math.radians((leg.start.lat_deg + leg.end.lat_deg) / 2)))
