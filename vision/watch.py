"""A video in, crossings out: `watch_streams` for one stream, whose error is raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from geo import Terrain
from vision.border import BorderLine
from vision.detecting import FrameDetector
from vision.fixed import Homography, PixelLine
from vision.records import Crossing, Custody, OpenPassage
from vision.scene import Scene
from vision.streams import Stream, watch_streams
from vision.types import Frame
from vision.watcher import EvidenceCutter, WatchResult, WatchSettings

__all__ = ["watch"]


def watch(
    source: Iterable[Frame],
    detector: FrameDetector,
    *,
    border: BorderLine | None = None,
    homography: Homography | None = None,
    line: PixelLine | None = None,
    terrain: Terrain | None = None,
    name: str | None = None,
    custody: Custody | None = None,
    evidence: EvidenceCutter | None = None,
    progress: Callable[[int], None] | None = None,
    on_crossing: Callable[[Crossing], None] | None = None,
    on_open: Callable[[OpenPassage], None] | None = None,
    settings: WatchSettings | None = None,
    scene: Scene | None = None,
) -> WatchResult:
    """Watch a video for crossings.

    Parameters
    ----------
    source
        Frames in the order of time: an opened `Source`, or any iterable of frames.
    detector
        What finds objects; its least score should be the tracker's `low_score`.
    border
        The line on the ground; needed for a camera with a pose and with `homography`.
    homography
        Of a fixed camera without a pose.
    line
        In the picture of a fixed camera; used when there is no border.
    terrain
        The ground; without it, a level one at the elevation that the video tells.
    name
        Of the source in the crossings; else the source's own.
    custody
        Purpose, owner, marking and retention of the records.
    evidence
        Called with each crossing and its track before it is handed on. Where it fails (`VedetteError`, `OSError`) the
        crossing is handed on without evidence, and `WatchResult.without_evidence` says why.
    progress
        Called with the number of frames watched so far.
    on_crossing
        Called with each crossing as soon as it is decided.
    on_open
        Called with what may have been a passage, once its track ended or stayed so for as long as a crossing waits to
        be decided; and once more where it is taken back.
    settings
        How.
    scene
        The way to decide, new for each watch, instead of border, homography, line and terrain.

    Raises
    ------
    MetadataError
        When there is no way to decide: no pose and neither homography nor line; or a pose or homography and no border.
    BorderError
        When the line runs beside the pictures, where nobody could ever cross it.
    VisionError
        As the source and the detector do.
    """
    stream = Stream(
        source,
        border=border,
        homography=homography,
        line=line,
        terrain=terrain,
        name=name,
        custody=custody or Custody(),
        evidence=evidence,
        progress=progress,
        on_crossing=on_crossing,
        on_open=on_open,
        scene=scene,
    )
    (outcome,) = watch_streams([stream], detector, settings=settings)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.result is not None
    return outcome.result
