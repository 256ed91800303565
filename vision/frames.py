"""Frames of an opened source: each picture with the time at which it was exposed and the pose of its camera.

Time of a frame, by the first of `TIME_BASES` that is there; with the last, `Source.time_is_relative` says so. It is
never the time at which the frame was read.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from datetime import tzinfo
from types import TracebackType
from typing import Self

from geo import CameraModel, CameraPose
from vision.calibration import Calibration
from vision.datum import above_sea
from vision.errors import MetadataError, SourceError
from vision.media import Image, Media, Picture, SourceCounts, Telemetry
from vision.packets import PAIRING_WAIT_US, PacketTrack
from vision.picture_check import PictureCheck
from vision.planes import DecodedFrame, Planes
from vision.pose import Poses, PoseSample, PoseTrack
from vision.recorder import Recorder
from vision.timing import Clock, Sampler
from vision.types import Frame, Grey

__all__ = ["Source"]

_COMPLETE = 0.98
_LIVE_OFFSET_US = 10_000_000


class Source:
    """Frames of one video, folder or stream; made by `open_source`. Iterate over it once, inside ``with``.

    A recording that is cut short gives its frames up to there; `complete` and `counts` then tell. One that cannot be
    read or decoded to its end gives them too, and then raises SourceError.
    """

    def __init__(
        self,
        media: Media,
        counts: SourceCounts,
        telemetry: PacketTrack,
        head: list[Picture],
        *,
        fixed: CameraPose | None,
        track: Poses | None,
        camera: CameraModel | None,
        calibration: Calibration | None,
        undulation_m: float | None,
        fps: float | None,
        start_us: int | None,
        zone: tzinfo | None = None,
        offset_us: int = 0,
        clock_sigma_s: float | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        if media.live and offset_us > _LIVE_OFFSET_US:
            raise SourceError(
                f"{media.name}: clock offset {offset_us / 1e6} s of a live stream: its pictures would wait so long for "
                f"their poses; give {_LIVE_OFFSET_US / 1e6:g} s at most"
            )
        self._offset_us = offset_us
        self.recorder = recorder
        """What keeps its last minutes; None where nothing does, and for a recording."""
        self.clock_sigma_s = clock_sigma_s
        """One sigma of the time of the poses against that of the pictures, seconds; None where nobody measured it."""
        self._media, self._telemetry, self._head = media, telemetry, head
        self._fixed, self._track, self._camera, self._calibration = fixed, track, camera, calibration
        self._undulation_m = undulation_m
        self._first_us, self._first = head[0].pts_us, head[0]
        self._newest_us = self._first_us
        self.counts = counts
        self._clock = Clock.choose(media, telemetry, track, start_us, self._first_us, zone=zone)
        self._note_local_time(track, zone)
        if track is not None and track.absolute and self.time_is_relative:
            raise MetadataError(
                f"{media.name}: the poses carry times of day and the video none: give the start time of the video"
            )
        if media.live and self.time_is_relative:
            counts.note(
                f"{media.name}: the stream tells no time of day: times count from its first picture; send ST 0601 "
                "metadata or RTCP reports, or give the start time"
            )
        self._sampler = Sampler(fps, media.frame_rate, self._first_us)
        self._check = PictureCheck(media.name, counts)
        self._last_time_us: int | None = None
        self._broken: SourceError | None = None
        self._closed, self._reading = False, threading.Lock()
        self._over = False
        self._frames = self._run()

    def _note_local_time(self, track: Poses | None, zone: tzinfo | None) -> None:
        """Say what is missing to the aircraft's own time, or that there is none for the zone that was given."""
        local = track.local_start if isinstance(track, PoseTrack) else None
        if zone is not None and local is None:
            self.counts.note(f"{self.name}: no pose file beside it tells a local time: the zone is of no use")
        if zone is None and local is not None and self.time_is_relative:
            self.counts.note(
                f"{self.name}: by the aircraft's clock it begins at {local:%Y-%m-%d %H:%M:%S}, in a zone that nobody "
                "tells: give that (--zone) for times of day; times count from its first picture"
            )

    @property
    def name(self) -> str:
        """Path or address; a password in it is masked."""
        return self._media.name

    @property
    def width(self) -> int:
        """Width of the pictures, pixels."""
        return self._media.width

    @property
    def height(self) -> int:
        """Height of the pictures, pixels."""
        return self._media.height

    @property
    def first_image(self) -> Image:
        """The first picture, shape (height, width, 3), uint8, blue-green-red; it is not taken from the frames."""
        return self._first.pixels()

    @property
    def frame_rate(self) -> float | None:
        """Frames a second as recorded, or None where the source does not tell."""
        return self._media.frame_rate

    @property
    def duration(self) -> float | None:
        """Seconds, or None for a live stream."""
        return self._media.duration_s

    @property
    def live(self) -> bool:
        """Whether it comes at its own pace, so that a slow reader loses frames (`counts.dropped`)."""
        return self._media.live

    @property
    def decoder(self) -> str:
        """Where it is decoded just now: a device of `DECODERS`, or "software"."""
        decoding = self._media.decoding
        return (decoding.device if decoding is not None else None) or "software"

    @property
    def why_software(self) -> str:
        """Why no device decodes it, where one was looked for; else empty."""
        return self._media.decoding.why if self._media.decoding is not None else ""

    @property
    def has_pose(self) -> bool:
        """Whether a camera pose is known: given, in the video, or beside it. Single frames may still lack one."""
        return self._fixed is not None or self._track is not None or self._telemetry.has_pose

    @property
    def time_basis(self) -> str:
        """Where the times of the frames come from: a key of `TIME_BASES`."""
        return self._clock.basis

    @property
    def time_is_relative(self) -> bool:
        """Whether times count from the first frame because nothing tells the time of day."""
        return self._clock.basis == "relative"

    @property
    def start_us(self) -> int:
        """Time of the first picture, microseconds UTC (or 0 where `time_is_relative`)."""
        return self._clock.time_us(self._first_us)

    @property
    def complete(self) -> bool:
        """Whether every frame that the container announces was decoded; meaningful after the last frame.

        Those that are shown before the first keyframe are made of what is before the recording: nobody can decode them.
        """
        announced, counts = self._media.frame_count, self.counts
        if self._media.ends_early:
            return False
        return announced is None or counts.decoded + counts.leading + counts.empty >= _COMPLETE * announced

    @property
    def cut_off(self) -> bool:
        """Whether it was closed before its last frame was read."""
        return self._closed and not self._over

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or stream; no further frames come. From any thread, also while another one reads."""
        self._closed = True
        if self._media.live:
            self._media.close()  # first, since the reader may be waiting for the network
        with self._reading:
            self._frames.close()
            if not self._media.live:
                self._media.close()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._reading:
            if self._closed:
                raise StopIteration
            return next(self._frames)

    def _run(self) -> Generator[Frame, None, None]:
        waiting: deque[Picture] = deque()
        for event in self._events():
            if isinstance(event, Picture):
                self._newest_us = max(self._newest_us, event.pts_us)
                if self._sampler.wants(event.pts_us):
                    waiting.append(event)
                else:
                    self.counts.skipped += 1
            while waiting and self._ready(waiting[0]):
                yield from self._deliver(waiting.popleft())
        while waiting:
            yield from self._deliver(waiting.popleft())
        self._over = True
        if self.counts.out_of_order:
            self.counts.note(
                f"{self.name}: {self.counts.out_of_order} of {self.counts.decoded} pictures were left out: their times "
                "did not go on"
            )
        if self._broken is not None:
            raise self._broken
        if not self.complete:
            self.counts.note(f"{self.name}: {self._what_came()}")

    def _what_came(self) -> str:
        """Where it ends before its end, in words."""
        announced, duration_s = self._media.frame_count, self._media.duration_s
        if self._media.decoding is None:  # images: one in the middle may be damaged
            return f"{self.counts.decoded} of its {announced} images could be read"
        if announced is not None:
            return f"ends after {self.counts.decoded} of {announced} pictures: it is cut short"
        of = "" if duration_s is None else f" of {duration_s:.1f} s"
        return f"ends at {(self._newest_us - self._first_us) / 1e6:.1f} s{of}: it is cut short"

    def _events(self) -> Iterator[Picture | None]:
        """Pictures; None where telemetry came. What breaks off ends here: pictures that wait come before the error."""
        while self._head:
            yield self._head.pop(0)
        try:
            for event in self._media.events:
                if isinstance(event, Telemetry):
                    self._telemetry.add(event)
                    yield None
                else:
                    yield event
        except SourceError as error:
            self._broken = error

    def _ready(self, picture: Picture) -> bool:
        # The packet after a picture is needed to interpolate, unless one stands at its very time; but not for ever.
        return (
            not self._telemetry.expected
            or self._telemetry.newest_us >= picture.pts_us + self._offset_us
            or self._newest_us >= picture.pts_us + max(0, self._offset_us) + PAIRING_WAIT_US
        )

    def _deliver(self, picture: Picture) -> Iterator[Frame]:
        time_us = self._clock.time_us(picture.pts_us)
        if self._last_time_us is not None and time_us <= self._last_time_us:
            self.counts.out_of_order += 1
            self.counts.note(f"{self.name}: time goes back at {(picture.pts_us - self._first_us) / 1e6:.2f} s")
            return
        self._last_time_us = time_us
        sample = self._sample(picture.pts_us, time_us)
        pose = above_sea(self._fixed or (sample.pose if sample else None), self._undulation_m)
        camera = self._camera or self._camera_of(sample)
        if self._calibration is not None:
            pose = None if pose is None else self._calibration.pose(pose)
            camera = self._calibration.lens(camera, self.width, self.height)
        planes, at_s = picture.planes, (picture.pts_us - self._first_us) / 1e6
        image: Image | Callable[[], Image] = picture.pixels
        looked_at: Grey | Planes | None = planes
        if looked_at is None:
            image = picture.pixels()
            looked_at = image[..., 1]
        if not self._check.fits(looked_at, at_s, pose):
            pose = None
        if pose is None and self.has_pose:
            self.counts.without_pose += 1
        self.counts.delivered += 1
        if self.recorder is not None:
            self.recorder.stamp(picture.pts_us, time_us)
        yield DecodedFrame(
            image,
            time_us,
            picture.index,
            at_s,
            pose=pose,
            camera=camera,
            ground_amsl_m=sample.ground_amsl_m if sample else None,
            planes=planes,
        )

    def _sample(self, pts_us: int, time_us: int) -> PoseSample | None:
        if self._track is not None:
            return self._track.at((time_us if self._track.absolute else pts_us - self._first_us) + self._offset_us)
        return self._telemetry.at(pts_us + self._offset_us)

    def _camera_of(self, sample: PoseSample | None) -> CameraModel | None:
        if sample is None or sample.hfov_deg is None:
            return None
        return CameraModel.from_fov(self.width, self.height, sample.hfov_deg)
