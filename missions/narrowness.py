"""What of a course leaves wings no room to turn, into the patrol or out of it, and in which words that is said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from missions.building import no_room_for
from missions.setting import Setting
from missions.shut import Shut

__all__ = ["narrow_reason", "too_narrow"]


def too_narrow(setting: Setting) -> NDArray[np.bool_]:
    """Pieces between stations at an end of which some crew cannot turn, and which no other flies, shape (n - 1,)."""
    shut = [setting.shut[crew] for crew in setting.crews]
    narrow = [one.tight[:-1] | one.tight[1:] for one in shut]
    closed = [one.steep | one.far[:-1] | one.far[1:] | own for one, own in zip(shut, narrow, strict=True)]
    return np.asarray(np.all(closed, axis=0) & np.any(narrow, axis=0))


def narrow_reason(setting: Setting, piece: int) -> str:
    """Why crews do not fly a piece that `too_narrow` names: names those and the figures of their turns."""
    ends = slice(piece, piece + 2)
    crews = [crew for crew in setting.crews if setting.shut[crew].tight[ends].any()]
    turns = ", ".join(no_room_for(craft, setting.options.wind) for craft in dict.fromkeys(c.aircraft for c in crews))
    if all(_only(one.off_runway, one, ends) for one in (setting.shut[crew] for crew in crews)):
        where = " and ".join(repr(name) for name in dict.fromkeys(crew.base.name for crew in crews))
        return f"there is no room to turn to the ways there off the runway of {where}, or back on to it, for {turns}"
    if all(_only(one.cornered, one, ends) for one in (setting.shut[crew] for crew in crews)):
        return f"the ways there turn corners past zones or the border that leave no room for {turns}"
    return f"there is no room there, or close by, to come into the patrol or to leave it, for {turns}"


def _only(some: NDArray[np.bool_], shut: Shut, ends: slice) -> bool:
    """Whether the turns that have no room at stations are all of some, shape (n,)."""
    return bool((shut.tight[ends] == some[ends]).all())
