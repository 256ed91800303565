"""What an evaluation found, as values and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from vision.box_scores import BoxScore, mean_precision
from vision.evaluate import Score, TrueCrossing
from vision.place_scores import HEIGHT_BANDS_M, LOOK_BANDS_DEG, PlaceSample, PlaceScore, score_places
from vision.records import Crossing, ModelRef
from vision.track_scores import TrackScore

__all__ = ["Band", "Crossed", "Evaluation", "Places", "RecordingNote", "Unmeasured", "place_bands"]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Why there is no figure."""

    reason: str

    def to_json(self) -> dict[str, Any]:
        """As a member of its own, so that nobody takes it for a figure."""
        return {"not_measured": self.reason}


@dataclass(frozen=True, slots=True)
class RecordingNote:
    """What was watched: name, how crossings were decided, frames, those with labels, those without a pose, seconds."""

    name: str
    method: str
    frames: int
    frames_judged: int
    without_pose: int
    video_s: float
    tracks: int


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """Crossings of one recording: its first time, microseconds; found and true ones; feet of the found, pixels."""

    start_us: int
    found: tuple[Crossing, ...]
    true: tuple[TrueCrossing, ...]
    feet: tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Places seen from heights (metres) or at angles (degrees) from `low` up to `high`."""

    low: float
    high: float
    score: PlaceScore

    def to_json(self) -> dict[str, Any]:
        """Bounds and figures."""
        return {"from": self.low, "to": self.high, **self.score.to_json()}


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places beside the true ones: as measured in each frame, and as the smoothed tracks have them."""

    single: tuple[PlaceSample, ...]
    smoothed: tuple[PlaceSample, ...]

    def to_json(self) -> dict[str, Any]:
        """Figures of all, and of the smoothed ones by height and by angle."""
        single, smoothed = score_places(self.single), score_places(self.smoothed)
        return {
            "single": None if single is None else single.to_json(),
            "smoothed": None if smoothed is None else smoothed.to_json(),
            "by_height_m": [band.to_json() for band in self.by_height()],
            "by_look_deg": [band.to_json() for band in self.by_look()],
        }

    def by_height(self) -> tuple[Band, ...]:
        """Smoothed places by the height of the camera above the ground."""
        return place_bands(self.smoothed, HEIGHT_BANDS_M, lambda sighting: sighting.height_m)

    def by_look(self) -> tuple[Band, ...]:
        """Smoothed places by the depression of the line of sight."""
        return place_bands(self.smoothed, LOOK_BANDS_DEG, lambda sighting: sighting.look_deg)


def place_bands(
    sightings: Sequence[PlaceSample], edges: Sequence[float], value: Callable[[PlaceSample], float]
) -> tuple[Band, ...]:
    """Scores of the bands between edges that hold sightings; the last band holds its upper edge."""
    found = []
    for low, high in pairwise(edges):
        inside = [s for s in sightings if low <= value(s) < high or value(s) == high == edges[-1]]
        score = score_places(inside)
        if score is not None:
            found.append(Band(low, high, score))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Figures of all recordings together.

    Parameters
    ----------
    model
        The detector.
    settings
        Everything that was chosen, by name.
    recordings
        What was watched.
    boxes
        By kind.
    tracks
        By kind, and "all".
    crossings
        Found against true ones.
    crossed
        These crossings, by recording.
    places
        On the ground.
    """

    model: ModelRef
    settings: Mapping[str, Any]
    recordings: tuple[RecordingNote, ...]
    boxes: tuple[BoxScore, ...]
    tracks: Mapping[str, TrackScore] | Unmeasured
    crossings: Score | Unmeasured
    crossed: Mapping[str, Crossed]
    places: Places | Unmeasured

    def to_json(self) -> dict[str, Any]:
        """All figures; ``not_measured`` with the reason where there are none."""
        map50, map50_95 = mean_precision(self.boxes)
        tracks = self.tracks
        return {
            "model": self.model.to_json(),
            "settings": dict(self.settings),
            "recordings": [asdict(note) for note in self.recordings],
            "boxes": {
                "map50": map50,
                "map50_95": map50_95,
                "by_kind": {one.kind: one.to_json() for one in self.boxes},
            },
            "tracks": tracks.to_json()
            if isinstance(tracks, Unmeasured)
            else {kind: one.to_json() for kind, one in tracks.items()},
            "crossings": self.crossings.to_json(),
            "georeference": self.places.to_json(),
        }
