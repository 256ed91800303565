"""What an opened source hands on: its description, pictures not yet converted, telemetry, and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vision.hardware import Decoding
    from vision.planes import Planes

__all__ = ["Connection", "Event", "Image", "Media", "Picture", "SourceCounts", "Telemetry", "is_cover", "video_of"]

Image = NDArray[np.uint8]

_PROBLEMS_KEPT = 50


@dataclass(slots=True)
class SourceCounts:
    """What became of the frames of a source.

    Parameters
    ----------
    decoded, delivered
        Pictures decoded, and those handed on as frames.
    skipped
        Left out on purpose, to reach the analysis rate.
    dropped
        Lost because the reader was slower than a live stream.
    leading
        Pictures that are shown before the first keyframe, or before one without whole keyframes is whole, and were not
        decoded: they are made of what is before the recording.
    empty
        Places of an AVI file in which there is no picture.
    decode_errors
        Packets that came damaged or could not be decoded, and pictures that the decoder marked as damaged.
    out_of_order
        Pictures whose time did not advance, left out.
    clock_jumps
        Times at which the clock of the stream started anew, and was laid on the one before.
    size_changes
        Times at which the pictures changed their size; they are scaled to the first.
    still, blank
        Pictures that are like those of 2 s before them, and pictures of one shade.
    reconnects
        Times at which a live stream broke off and was opened again.
    without_pose
        Frames handed on without a pose although the source has telemetry.
    klv_packets, klv_errors
        Sound telemetry packets, and those refused.
    problems
        The first messages about all this, for a person.
    """

    decoded: int = 0
    delivered: int = 0
    skipped: int = 0
    dropped: int = 0
    leading: int = 0
    empty: int = 0
    decode_errors: int = 0
    out_of_order: int = 0
    clock_jumps: int = 0
    size_changes: int = 0
    still: int = 0
    blank: int = 0
    reconnects: int = 0
    without_pose: int = 0
    klv_packets: int = 0
    klv_errors: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Keep a message; the same one is kept once, and 50 at most."""
        if problem not in self.problems and len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(problem)

    def sized(self, name: str, before: tuple[int, int] | None, now: tuple[int, int], at_us: int) -> tuple[int, int]:
        """Count a picture whose width and height, `now`, are not those of the one `before`; returns `now`."""
        if before is not None and before != now:
            self.size_changes += 1
            self.note(
                f"{name}: pictures change from {before[0]}x{before[1]} to {now[0]}x{now[1]} at {at_us / 1e6:.2f} s; "
                "they are scaled to the first size, and places are right only where the field of view stays"
            )
        return now


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture not yet converted: time in the stream in microseconds, number, size, and the way to its pixels.

    `planes` are those that its pixels would be made of alone; None where it takes more than colours.
    """

    pts_us: int
    index: int
    size: tuple[int, int]
    pixels: Callable[[], Image]
    planes: Planes | None = None


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Bytes of a data stream with their time in the stream, microseconds."""

    pts_us: int
    data: bytes


Event = Picture | Telemetry


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """A container or stream that was opened and gave a picture.

    Parameters
    ----------
    first_us
        Time of that picture in the stream, microseconds.
    wall_clock_us
        UTC microseconds of stream time zero, from RTCP; None without.
    events
        All, that picture among them, with the stream's own times.
    close
        Lets go of it; by the thread that reads it.
    """

    first_us: int
    wall_clock_us: int | None
    events: Iterator[Event]
    close: Callable[[], object]


@dataclass(slots=True)
class Media:
    """An opened source: what it says about itself, and its events.

    Parameters
    ----------
    name
        For messages; without passwords.
    width, height
        Pixels.
    frame_rate, duration_s, frame_count
        As the container says; None where it does not.
    created
        The container's creation time as it is written, or None.
    wall_clock_us
        UTC microseconds of stream time zero, from `clock`; None without.
    has_data
        Whether there is a data stream, which may carry KLV.
    live
        Whether it comes at its own pace.
    events
        Pictures and telemetry.
    close
        Lets go of the files, the network and the thread.
    decoding
        Where video is decoded; None for images.
    clock
        Whose `wall_clock_us` is: a key of `vision.timing.TIME_BASES`, "rtcp" or "device".
    ends_early
        Whether its file ends before the place that it says.
    """

    name: str
    width: int
    height: int
    frame_rate: float | None
    duration_s: float | None
    frame_count: int | None
    created: str | None
    wall_clock_us: int | None
    has_data: bool
    live: bool
    events: Iterator[Event]
    close: Callable[[], object]
    decoding: Decoding | None = None
    clock: str = "rtcp"
    ends_early: bool = False


def video_of(container: Any) -> Any | None:
    """The stream of an opened container that is watched: the first video that is no cover picture; None without."""
    return next((one for one in container.streams.video if not is_cover(one)), None)


def is_cover(stream: Any) -> bool:
    """Whether a video stream is a cover picture."""
    return bool(stream.disposition & Disposition.attached_pic)
