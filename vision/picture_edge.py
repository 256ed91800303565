"""Whether a track ended because the picture did: its object left by an edge."""

from __future__ import annotations

from vision.types import Frame, Track

__all__ = ["leaves_picture", "size_of"]


def size_of(frame: Frame) -> tuple[int, int]:
    """Width and height of the picture that a frame's boxes lie in, pixels; zeros where nothing tells."""
    if frame.camera is not None:
        return frame.camera.width_px, frame.camera.height_px
    return int(frame.image.shape[1]), int(frame.image.shape[0])


def leaves_picture(track: Track, size: tuple[int, int]) -> bool:
    """Whether the last box of a track is so near an edge that the next picture may not have shown the object.

    It would have moved on as in the step before, and a detector misses what is cut by the edge: the edge is near where
    that step, and the box's own size, reach over it.

    Parameters
    ----------
    track
        The track, with its last observation.
    size
        Width and height of the picture, pixels.
    """
    last = track.observations[-1].detection
    before = track.observations[-2].detection if len(track.observations) > 1 else last
    return any(
        min(step, 0.0) - own + low < 0 or max(step, 0.0) + own + high > end
        for low, high, own, step, end in (
            (last.x1, last.x2, last.size[0], last.centre[0] - before.centre[0], size[0]),
            (last.y1, last.y2, last.size[1], last.centre[1] - before.centre[1], size[1]),
        )
    )
