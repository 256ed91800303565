"""When a frame was exposed, and which frames an analysis rate takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Self

from vision.errors import SourceError
from vision.media import Media
from vision.packets import PacketTrack
from vision.pose import Poses, PoseTrack

__all__ = ["TIME_BASES", "Clock", "Sampler", "microseconds", "microseconds_of"]

TIME_BASES: Mapping[str, str] = {
    "given": "the caller's start time plus the picture's PTS",
    "klv": "precision time (ST 0601 tag 2) of the telemetry at the picture's PTS",
    "rtcp": "the sender's wall clock (RTCP) plus PTS",
    "device": "this machine's clock, by which its camera's driver stamps (v4l2), or at the first picture, plus PTS",
    "sidecar": "first time stamp of a raw KLV file, laid on the first picture, plus PTS",
    "aircraft": "date and time in a DJI file, in the zone that was given, plus PTS",
    "container": "the container's creation time plus PTS",
    "relative": "PTS alone, from 0 at the first picture: not a time of day",
}
"""Where the times of a source's frames come from, best first."""


@dataclass(frozen=True, slots=True)
class Clock:
    """From PTS to time of exposure."""

    basis: str
    zero_us: int
    telemetry: PacketTrack

    @classmethod
    def choose(
        cls,
        media: Media,
        telemetry: PacketTrack,
        track: Poses | None,
        start_us: int | None,
        first_us: int,
        *,
        zone: tzinfo | None = None,
    ) -> Self:
        """The best clock that there is; `first_us` is the PTS of the first picture, `zone` that of the aircraft."""
        created = microseconds_of(media.created)
        is_klv = isinstance(track, PoseTrack) and track.absolute and track.origin == "klv"
        laid = track.samples[0].time_us if isinstance(track, PoseTrack) and is_klv else None
        local = track.local_start if isinstance(track, PoseTrack) else None
        flown = None if local is None or zone is None else microseconds(local.replace(tzinfo=zone))
        zeros = {
            "given": None if start_us is None else start_us - first_us,
            "klv": 0 if telemetry.has_time else None,
            "rtcp": media.wall_clock_us if media.clock == "rtcp" else None,
            "device": media.wall_clock_us if media.clock == "device" else None,
            "sidecar": None if laid is None else laid - first_us,
            "aircraft": None if flown is None else flown - first_us,
            "container": None if created is None else created - first_us,
            "relative": -first_us,
        }
        basis = next(name for name in TIME_BASES if zeros[name] is not None)
        return cls(basis, zeros[basis] or 0, telemetry)

    def time_us(self, pts_us: int) -> int:
        """Time of exposure of the picture at a PTS, microseconds."""
        precise = self.telemetry.time_us(pts_us) if self.basis == "klv" else None
        return self.zero_us + pts_us if precise is None else precise


class Sampler:
    """Picks the picture nearest to each tick of the analysis rate."""

    def __init__(self, fps: float | None, frame_rate: float | None, first_us: int) -> None:
        self._period_us = 1e6 / fps if fps else 0.0
        self._early_us = 5e5 / frame_rate if frame_rate else 0.0
        self._first_us, self._tick = first_us, 0

    def wants(self, pts_us: int) -> bool:
        """Whether to take the picture at a PTS; asked once a picture, in order."""
        if not self._period_us:
            return True
        reached = (pts_us - self._first_us + self._early_us) / self._period_us
        if reached < self._tick:
            return False
        self._tick = int(reached) + 1
        return True


def microseconds_of(text: str | None) -> int | None:
    """A container's creation time, or None where it is none (cameras without a clock write 1904 or 1970)."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return round(moment.timestamp() * 1e6) if moment.tzinfo and moment.year > 1990 else None


def microseconds(moment: datetime | int | None) -> int | None:
    """Microseconds since the Unix epoch of a time with its zone, or of such microseconds themselves.

    Raises
    ------
    SourceError
        When a datetime has no zone.
    """
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise SourceError(f"start time {moment.isoformat()} has no zone: end it with Z or an offset")
        return round(moment.timestamp() * 1e6)
    return moment
