"""What of a course nobody flies because the elevation of the ground is not known, and what the terrain lacks there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.setting import Setting

__all__ = ["lacking", "unknown_ground"]


def unknown_ground(setting: Setting) -> NDArray[np.bool_]:
    """Pieces between two stations that lie over unknown ground, or that no crew comes to without, shape (n - 1,)."""
    shut = [setting.shut[crew] for crew in setting.crews]
    over = np.any([one.blank for one in shut], axis=0)
    ends = [one.far | one.blank_ends for one in shut]
    behind = np.all([both[:-1] | both[1:] for both in ends], axis=0)
    blank = np.any([one.blank_ends[:-1] | one.blank_ends[1:] for one in shut], axis=0)
    return np.asarray(over | (behind & blank))


def lacking(setting: Setting, piece: int) -> str:
    """Why nobody flies a piece that `unknown_ground` names: what the terrain lacks."""
    terrain, shut = setting.terrain, [setting.shut[crew] for crew in setting.crews]
    if any(one.blank[piece] for one in shut):
        known = (one.over[piece] for one in shut if piece in one.over)
        return f"the ground is not known: {terrain.lack(*(next(known, None) or _below(setting, piece)))}"
    for crew in setting.crews:
        below = setting.access_of(crew).unknown_below(terrain) | setting.shut[crew].on_way
        place = below.get(piece, below.get(piece + 1))
        if place is not None:
            return f"the ways there lead over ground that is not known: {terrain.lack(*place)}"
    return "the ways there lead over ground that is not known"


def _below(setting: Setting, piece: int) -> tuple[float, float]:
    """The first place of a piece that has no elevation, degrees."""
    terrain, (start, stop) = setting.terrain, setting.stations[piece : piece + 2]
    step_m = min(terrain.resolution_m / 2, float(stop - start))
    lat, lon = setting.course.at(np.append(np.arange(start, stop, step_m), stop))
    first = int(np.argmax(np.isnan(terrain.known_elevation_m(lat, lon))))
    return float(lat[first]), float(lon[first])
