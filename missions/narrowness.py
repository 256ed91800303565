"""What of a course leaves wings no room to turn, into the patrol or out of it, and in which words that is said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.building import no_room_for
from missions.setting import Setting

__all__ = ["narrow_reason", "too_narrow"]


def too_narrow(setting: Setting) -> NDArray[np.bool_]:
    """Pieces between stations at an end of which some crew cannot turn, and which no other flies, shape (n - 1,)."""
    shut = [setting.shut[crew] for crew in setting.crews]
    narrow = [one.tight[:-1] | one.tight[1:] for one in shut]
    closed = [one.steep | one.far[:-1] | one.far[1:] | own for one, own in zip(shut, narrow, strict=True)]
    return np.asarray(np.all(closed, axis=0) & np.any(narrow, axis=0))


def narrow_reason(setting: Setting) -> str:
    """Why crews do not fly there: names aircraft and the figures of their turns."""
    wings = dict.fromkeys(crew.aircraft for crew in setting.crews if crew.aircraft.has_wings)
    turns = ", ".join(no_room_for(craft, setting.options.wind) for craft in wings)
    return f"there is no room to come into the patrol there, or to leave it, for {turns}"
