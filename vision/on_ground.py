"""What ways to decide on the ground share: a line in the metres of a local frame, and tracks beside it."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from geo import LocalFrame
from vision.border import BorderLine, GroundLine
from vision.camera_motion import CameraMotion
from vision.crossing import CrossingRule, Passage, Verdict, judge
from vision.crossing_records import crossing_of, open_passage_of
from vision.ground import GroundSettings, ground_track
from vision.kalman import Smoother
from vision.line_sides import Sides
from vision.records import CHI_95, Crossing, Method, OpenPassage
from vision.types import GroundPoint, GroundTrack, Track

__all__ = ["OnGround", "Placed"]

# Tracks of which the last smoothing is kept: half a megabyte each where pictures come ten times a second.
_REMEMBERED = 16
Placed = tuple[CameraMotion, list[GroundPoint | None] | None]
"""The camera's motion in a frame, and places of its boxes where they are known."""


class OnGround:
    """Base of a `Scene` with a line in the metres of a local frame."""

    method: Method

    def __init__(self, border: BorderLine | None) -> None:
        self._border = border
        self.frame: LocalFrame | None = None
        """Of all places; None before the first frame that could be used."""
        self.line: GroundLine | None = None
        """The border in that frame; None where there is none."""
        # Of the tracks that were looked at last: who goes on walking is smoothed again and again.
        self._smoothers: OrderedDict[int, list[Smoother]] = OrderedDict()
        self._sides = Sides()

    @property
    def ready(self) -> bool:
        """See `Scene`."""
        return self.frame is not None

    def _set(self, frame: LocalFrame) -> None:
        self.frame = frame
        if self._border is not None:
            self.line = self._border.on_ground(frame)

    @property
    def lack(self) -> str:
        """See `Scene`."""
        return ""

    def notes(self) -> list[str]:
        """See `Scene`."""
        return []

    def way(self, track: Track, settings: GroundSettings) -> GroundTrack | None:
        """See `Scene`."""
        memory = self._smoothers.setdefault(track.number, [])
        self._smoothers.move_to_end(track.number)
        if len(self._smoothers) > _REMEMBERED:
            self._smoothers.popitem(last=False)
        return ground_track(track, settings, memory)

    def judge(self, track: Track, way: GroundTrack, rule: CrossingRule) -> Verdict:
        """See `Scene`."""
        del track
        return Verdict(None) if self.line is None else judge(way, self.line, rule)

    def both_sides(self, track: Track) -> bool:
        """See `Scene`."""
        return self.line is not None and self._sides.both(track, self.line, _places_of)

    def near_line(self, track: Track) -> bool:
        """See `Scene`. By single places, whose errors are larger than those of the way."""
        if self.line is None:
            return False
        known = self._sides.offsets(track, self.line, _places_of)
        for observations, offset_m in ((track.observations, known.first), (reversed(track.observations), known.last)):
            place = next((o.ground for o in observations if o.ground is not None), None)
            if place is None:
                return False
            if abs(offset_m) <= CHI_95 * float(np.sqrt(np.trace(place.random) + (place.systematic**2).sum())):
                return True
        return False

    def unit(self, track: Track) -> float:
        """See `Scene`."""
        del track
        return 1.0

    def crossing(self, passage: Passage, way: GroundTrack, source: str) -> Crossing:
        """See `Scene`."""
        assert self.frame is not None
        assert self._border is not None
        return crossing_of(passage, way, frame=self.frame, source=source, border=self._border.name, method=self.method)

    def open_passage(self, at: int, way: GroundTrack, source: str) -> OpenPassage:
        """See `Scene`."""
        assert self.frame is not None
        assert self._border is not None
        return open_passage_of(at, way, frame=self.frame, source=source, border=self._border.name, method=self.method)


def _places_of(track: Track) -> list[NDArray[np.float64]]:
    return [o.ground.xy for o in track.observations if o.ground is not None]
