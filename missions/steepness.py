"""What of a course is too steep for the aircraft of a plan, and in which words that is said."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from missions.effort import steep_for
from missions.headroom import late_up_m
from missions.setting import Setting

__all__ = ["TooSteep", "steep_reason", "too_steep"]


class TooSteep(IntEnum):
    """What of a piece of the course is too steep for every crew: nothing, the ground below it, or the ways there."""

    NOTHING = 0
    PIECE = 1
    WAYS = 2


def too_steep(setting: Setting) -> NDArray[np.int64]:
    """What of each piece between two stations is too steep, shape (n - 1,), as values of `TooSteep`."""
    shut = [setting.shut[crew] for crew in setting.crews]
    pieces = np.all([one.steep for one in shut], axis=0)
    ways = np.all([one.steep | one.far[:-1] | one.far[1:] for one in shut], axis=0)
    return np.where(pieces, TooSteep.PIECE, np.where(ways, TooSteep.WAYS, TooSteep.NOTHING)).astype(np.int64)


def steep_reason(setting: Setting, what: TooSteep) -> str:
    """Why crews do not fly there: names aircraft and the fields that bound them; empty where it is not too steep."""
    if what is TooSteep.NOTHING:
        return ""
    options = setting.options
    crafts = ", ".join(steep_for(craft) for craft in dict.fromkeys(crew.aircraft for crew in setting.crews))
    where, limit = "the ground is", f"patrol_ceiling_agl_m {options.patrol_ceiling_agl_m:g}"
    if what is TooSteep.WAYS:
        where, limit = "the ways there are", f"ceiling_agl_m {options.ceiling_agl_m:g}"
    late_m = max(late_up_m(crew.aircraft) for crew in setting.crews)
    return (
        f"{where} too steep for {crafts}: at no speed do they stay between floor_agl_m {options.floor_agl_m:g} and "
        f"{limit} above it, of which {late_m:.1f} m are for long climbs, that autopilots fly late"
    )
