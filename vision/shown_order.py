"""Times of pictures in a container that stores none, but the order of the decoder alone: AVI.

FFmpeg numbers its packets and takes the number for the time at which each is shown. Where pictures refer to later ones
(B pictures) that is the time of another one: the times are all there, and belong to the pictures in the order in which
the decoder gives them out.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Any

import av

__all__ = ["ShownOrder", "shown_times", "tells_no_order"]


def tells_no_order(container: Any) -> bool:
    """Whether a container tells no times at which pictures are shown."""
    return "avi" in container.format.name.split(",")


class ShownOrder:
    """Gives the times of the packets that were sent to a decoder to the pictures that come out of it.

    Where that is not `needed` pictures keep theirs.
    """

    def __init__(self, *, needed: bool = True) -> None:
        self._needed = needed
        self._due: list[int] = []

    def sent(self, packet: Any) -> None:
        """A packet goes to the decoder."""
        if self._needed and packet.pts is not None:
            heapq.heappush(self._due, packet.pts)

    def came(self, packet: Any, frames: list[Any] | None) -> list[Any] | None:
        """The same pictures, which came when a packet was sent, with their times; None: it could not be decoded."""
        if frames is None and packet.pts in self._due:
            self._due.remove(packet.pts)
            heapq.heapify(self._due)
        for frame in frames or ():
            self._put(frame)
        return frames

    def _put(self, frame: Any) -> None:
        if frame.pts is None:
            return
        # What was sent before a keyframe is shown before it: times that are left are of pictures that never came.
        while self._due and frame.key_frame and self._due[0] < frame.pts:
            heapq.heappop(self._due)
        if self._due:
            frame.pts = heapq.heappop(self._due)


def shown_times(video: Any, packets: Sequence[Any]) -> Mapping[int, int]:
    """By the time that each packet of a stream says: the one at which its picture is shown.

    They are decoded for that, from a keyframe on; one of which no picture comes is left out.
    """
    order, said, shown = ShownOrder(), [], []
    for packet in packets:
        order.sent(packet)
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            frames = None
        said += [frame.pts for frame in frames or ()]
        shown += [frame.pts for frame in order.came(packet, frames) or ()]
    rest = video.codec_context.decode(None)
    said += [frame.pts for frame in rest]
    shown += [frame.pts for frame in order.came(None, rest) or ()]
    return dict(zip(said, shown, strict=True))
