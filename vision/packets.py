"""KLV packets of a data stream, laid on the stream's own clock and paired with its pictures."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable
from typing import TypeVar

from geo import PoseSigma
from vision.errors import MetadataError
from vision.klv import KlvPacket, decode_klv, split_klv
from vision.media import Media, Picture, SourceCounts, Telemetry
from vision.pose import PoseSample, axis_error_deg, camera_from_klv, sample_at, sample_from_klv

__all__ = ["PAIRING_WAIT_US", "PacketTrack", "Stamps"]

PAIRING_WAIT_US = 1_000_000
"""How long, in stream time, a picture waits for the packet after it."""

_MAX_GAP_US = 1_000_000
_KLV_KEPT = 600
_AXIS_TOLERANCE_DEG = 10.0

T = TypeVar("T")


class PacketTrack:
    """KLV packets of a data stream on the stream's own clock."""

    def __init__(self, media: Media, counts: SourceCounts, sigma: PoseSigma | None) -> None:
        self._media, self._counts, self._sigma = media, counts, sigma
        self._samples: list[PoseSample] = []  # their time_us is the PTS
        self._stamps = Stamps(_KLV_KEPT)
        self._axis_checked = self._without = False
        self.has_pose = False

    @property
    def expected(self) -> bool:
        """Whether a picture is to wait for packets.

        Action cameras and drones have other data beside their pictures: where `probe` saw no packet none is waited for
        until one comes. Pictures that wait are large.
        """
        return self._media.has_data and not (self._without and not self._samples)

    @property
    def newest_us(self) -> int:
        """PTS of the newest packet; far in the past before the first."""
        return self._samples[-1].time_us if self._samples else -(1 << 62)

    def probe(self) -> list[Picture]:
        """Read ahead to the first picture and, where there is a data stream, the first packet, for a second at most."""
        pictures: list[Picture] = []
        for event in self._media.events:
            if isinstance(event, Telemetry):
                self.add(event)
            else:
                pictures.append(event)
            if pictures and (
                self._samples or not self.expected or pictures[-1].pts_us - pictures[0].pts_us >= PAIRING_WAIT_US
            ):
                break
        self._without = not self._samples
        return pictures

    def add(self, event: Telemetry) -> None:
        """Decode what a data packet holds; what is not sound is counted."""
        for raw in split_klv(event.data):
            try:
                packet = decode_klv(raw)
            except MetadataError as error:
                self._counts.klv_errors += 1
                self._counts.note(f"{self._media.name}: {error}")
                continue
            self._counts.klv_packets += 1
            for problem in packet.problems:
                self._counts.note(f"{self._media.name}: KLV {problem}")
            sample, why = sample_from_klv(packet, event.pts_us, self._sigma)
            if why:
                self._counts.note(f"{self._media.name}: {why}")
            elif sample.hfov_deg and not camera_from_klv(packet, self._media.width, self._media.height)[1]:
                self._counts.note(f"{self._media.name}: KLV fields of view (tags 16, 17) differ from square pixels")
            self._check_axis(packet, sample)
            self.has_pose = self.has_pose or sample.pose is not None
            _append(self._samples, sample, sample.time_us, lambda s: s.time_us)
            if packet.time_us is not None and not self._stamps.add(event.pts_us, packet.time_us):
                self._counts.note(f"{self._media.name}: the KLV time stamp (tag 2) does not advance")

    def _check_axis(self, packet: KlvPacket, sample: PoseSample) -> None:
        if self._axis_checked or sample.pose is None:  # an encoder's habit does not change: the first packet tells
            return
        self._axis_checked = True
        error_deg = axis_error_deg(packet, sample.pose)
        if error_deg is not None and error_deg > _AXIS_TOLERANCE_DEG:
            self._counts.note(
                f"{self._media.name}: the camera's angles point {error_deg:.0f} degrees off the frame centre that "
                "the same KLV packet gives: positions will be wrong, check the encoder's angles"
            )

    def at(self, pts_us: int) -> PoseSample | None:
        """The sample interpolated to a PTS, or None; see `PoseTrack.at`."""
        if not self._samples:
            return None
        recent = self._samples[-20:]
        spacing = min((b.time_us - a.time_us for a, b in itertools.pairwise(recent)), default=0)
        return sample_at(self._samples, pts_us, _MAX_GAP_US, spacing // 2)

    def time_us(self, pts_us: int) -> int | None:
        """Precision time at a PTS; see `Stamps.time_us`."""
        return self._stamps.time_us(pts_us)

    @property
    def has_time(self) -> bool:
        """Whether a packet with a precision time stamp has come."""
        return bool(self._stamps)


class Stamps:
    """Precision times by PTS, both in microseconds. `keep` bounds how many are remembered."""

    def __init__(self, keep: int | None = None) -> None:
        self._keep = keep
        self._stamps: list[tuple[int, int]] = []

    def __bool__(self) -> bool:
        return bool(self._stamps)

    def add(self, pts_us: int, time_us: int) -> bool:
        """Remember a stamp. False, and left out, for a clock that stands or goes back: times then run on by PTS."""
        if self._stamps and time_us <= self._stamps[-1][1]:
            return False
        _append(self._stamps, (pts_us, time_us), pts_us, lambda stamp: stamp[0], self._keep)
        return True

    def time_us(self, pts_us: int) -> int | None:
        """Time at a PTS: on the line between two stamps, else as far from the nearest as their PTS are apart."""
        if not self._stamps:
            return None
        i = bisect.bisect_left(self._stamps, (pts_us, 0))
        if i == 0 or (i < len(self._stamps) and self._stamps[i][0] == pts_us):
            return self._stamps[i][1] + pts_us - self._stamps[i][0]
        before = self._stamps[i - 1]
        after = self._stamps[i] if i < len(self._stamps) else None
        if after and after[0] - before[0] <= _MAX_GAP_US:
            return before[1] + round((after[1] - before[1]) * (pts_us - before[0]) / (after[0] - before[0]))
        near = after if after and after[0] - pts_us < pts_us - before[0] else before
        return near[1] + pts_us - near[0]


def _append(items: list[T], item: T, at: int, key: Callable[[T], int], keep: int | None = _KLV_KEPT) -> None:
    """Add in rising order; of two at one time the later stands, one that goes back starts anew; the oldest go."""
    while items and key(items[-1]) >= at:
        items.pop()
    items.append(item)
    if keep is not None:
        del items[:-keep]
