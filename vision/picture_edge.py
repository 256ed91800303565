"""Whether a track begins or ends because the picture does: its object came in or left by an edge."""

from __future__ import annotations

from collections.abc import Sequence

from vision.types import Detection, Frame, GroundTrack, Track

__all__ = ["comes_in", "goes_out", "reaches", "size_of"]


def size_of(frame: Frame) -> tuple[int, int]:
    """Width and height of the picture that a frame's boxes lie in, pixels; zeros where nothing tells."""
    if frame.camera is not None:
        return frame.camera.width_px, frame.camera.height_px
    return frame.size_px


def comes_in(track: Track, size: tuple[int, int]) -> bool:
    """Whether the first box of a track is so near an edge that the picture before may not have shown the object."""
    return _reaches_edge([one.detection for one in track.observations[:2]], size)


def goes_out(track: Track, size: tuple[int, int]) -> bool:
    """Whether the last box of a track is so near an edge that the next picture may not have shown the object.

    Parameters
    ----------
    track
        The track, with its last observation.
    size
        Width and height of the picture, pixels.
    """
    return _reaches_edge([one.detection for one in track.observations[:-3:-1]], size)


def reaches(track: Track, way: GroundTrack) -> tuple[bool, bool]:
    """Whether the way of a track begins with its first box or the second, and ends with its last or the one before.

    Elsewhere nobody knows where it went: the telemetry had a hole, or the view met no ground.
    """
    first, last = track.observations[:2][-1], track.observations[-2:][0]
    return int(way.times_us[0]) <= first.time_us, int(way.times_us[-1]) >= last.time_us


def _reaches_edge(boxes: Sequence[Detection], size: tuple[int, int]) -> bool:
    """Whether the step to the first of two boxes, made once more, leads over an edge, or closer than its own size.

    A detector misses what the edge cuts. Of a picture without a size no edge is known.
    """
    if not all(size):
        return False
    here, there = boxes[0], boxes[-1]
    return any(
        min(step, 0.0) - own + low < 0 or max(step, 0.0) + own + high > end
        for low, high, own, step, end in (
            (here.x1, here.x2, here.size[0], here.centre[0] - there.centre[0], size[0]),
            (here.y1, here.y2, here.size[1], here.centre[1] - there.centre[1], size[1]),
        )
    )
