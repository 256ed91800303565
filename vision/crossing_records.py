"""Crossings and open passages as they are told: in degrees, with an id that stays."""

from __future__ import annotations

import hashlib

import numpy as np

from geo import LocalFrame
from vision.crossing import Passage
from vision.records import Crossing, Ellipse, Method, OpenPassage, TrackPoint
from vision.types import GroundTrack

__all__ = ["crossing_of", "open_passage_of", "source_id"]


def source_id(source: str, time_us: int, place: str, way: str, track_number: int) -> str:
    """Id of a crossing (`way` is its direction), 32 hexadecimal digits: the same when a recording is watched again."""
    text = "\n".join((source, str(time_us), place, way, str(track_number)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def crossing_of(
    passage: Passage,
    track: GroundTrack,
    *,
    frame: LocalFrame,
    source: str,
    border: str,
    method: Method = Method.GROUND,
    around_s: float = 15.0,
) -> Crossing:
    """The crossing that a passage is, in degrees; its track runs `around_s` before and after at most."""
    chosen = np.flatnonzero(np.abs(track.times_us - passage.time_us) <= around_s * 1e6)
    places = np.concatenate([passage.xy[None], track.xy[chosen]])
    lat, lon, _ = frame.to_geodetic(places[:, 0], places[:, 1])
    sigma = np.sqrt(np.trace(track.covariance[chosen], axis1=1, axis2=2) / 2)
    points = tuple(
        TrackPoint(int(track.times_us[i]), float(lat[k + 1]), float(lon[k + 1]), float(sigma[k]))
        for k, i in enumerate(chosen)
    )
    place = f"{lat[0]:.6f} {lon[0]:.6f}"
    return Crossing(
        source=source,
        source_id=source_id(source, passage.time_us, place, passage.direction, track.number),
        time_us=passage.time_us,
        update_time_us=passage.decided_us,
        kind=track.kind,
        direction=passage.direction,
        status=passage.status,
        method=method,
        border=border,
        confidence=min(1.0, passage.probability * track.score),
        lat_deg=float(lat[0]),
        lon_deg=float(lon[0]),
        ellipse=Ellipse.of(passage.covariance),
        track=points,
        track_number=track.number,
    )


def open_passage_of(
    at: int, track: GroundTrack, *, frame: LocalFrame, source: str, border: str, method: Method = Method.GROUND
) -> OpenPassage:
    """What may have been a passage, by the point `at` of its way (`Verdict.open_at`), in degrees."""
    lat, lon, _ = frame.to_geodetic(*track.xy[at])
    first_us, time_us, last_us = (int(track.times_us[i]) for i in (0, at, -1))
    return OpenPassage(
        source=source,
        source_id=source_id(source, time_us, f"{lat:.6f} {lon:.6f}", "open", track.number),
        time_us=time_us,
        update_time_us=last_us,
        first_us=first_us,
        last_us=last_us,
        kind=track.kind,
        method=method,
        border=border,
        lat_deg=float(lat),
        lon_deg=float(lon),
        ellipse=Ellipse.of(track.covariance[at]),
        track_number=track.number,
    )
