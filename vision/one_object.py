"""Which tracks, and which passages of theirs, are of one object: lost and found again, or seen as two things."""

from __future__ import annotations

import math

import numpy as np

from vision.crossing import Passage
from vision.types import GroundTrack

__all__ = ["follows", "same_passage"]


def same_passage(
    one: Passage,
    its_track: GroundTrack,
    other: Passage,
    other_track: GroundTrack,
    *,
    seconds: float = 6.0,
    unit: float = 1.0,
) -> bool:
    """Whether two tracks' passages are of one object.

    They are when both go the same way at nearly the same time and place, and either

    - the tracks follow each other, and the later may have begun where the earlier ended: the object was lost and
      found again near the line; or
    - the tracks run side by side closer than two bodies can: within 1 m for two kinds that a detector gives to one
      object (a cyclist as person and bicycle), within 0.3 m for one kind. Two people abreast are two.

    `seconds` is how far apart in time, `unit` how many units of the tracks' plane are a metre.
    """
    if one.direction is not other.direction or abs(one.time_us - other.time_us) > seconds * 1e6:
        return False
    first, second = sorted((its_track, other_track), key=lambda track: int(track.times_us[0]))
    if second.times_us[0] > first.times_us[-1]:
        return follows(first, second, seconds=seconds, unit=unit)
    begin, end = second.times_us[0], min(first.times_us[-1], second.times_us[-1])
    times = np.linspace(begin, end, 20)
    ways = [np.stack([np.interp(times, t.times_us, t.xy[:, k]) for k in (0, 1)], axis=-1) for t in (first, second)]
    apart = float(np.median(np.hypot(*(ways[0] - ways[1]).T)))
    return apart < unit * (1.0 if its_track.kind != other_track.kind else 0.3)


def follows(first: GroundTrack, second: GroundTrack, *, seconds: float = 6.0, unit: float = 1.0) -> bool:
    """Whether a track may have begun where one before it ended: the object was lost and found again."""
    gap_s = float(second.times_us[0] - first.times_us[-1]) / 1e6
    slack = 3 * math.sqrt(float(max(np.trace(first.random[-1]), np.trace(second.random[0]))))
    reach = slack + max(1.5 * unit, 1.5 * float(np.hypot(*first.velocity[-1]))) * gap_s
    return 0 < gap_s <= seconds and float(np.hypot(*(second.xy[0] - first.xy[-1]))) <= reach
