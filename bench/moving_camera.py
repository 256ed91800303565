"""Tracks of a camera that moves and does not say how, beside ByteTrack and BoT-SORT with its camera motion.

A window goes about in the real video of a fixed camera, as a gimbal that is turned by hand does: people come in and
leave by its edges all the time. All trackers are given the same boxes of the same detector, found in the window's
pictures. Truth is the labels as far as the window shows them, a new object for each visit. The peers run in a process
of their own (``make vision-peers``), by their own settings and with the scores that ours begins a track with; the
better of the two counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bench.rows import Row, wanted
from bench.vision_peers import ABSENT, PYTHON, Replay, peer_says
from vision import Detection, Detector, Frame, TrackerSettings, load_video_truth, open_source
from vision.scene import PictureScene
from vision.track_scores import FrameTracks, TrackScore, score_tracks
from vision.watch import watch

__all__ = ["rows"]

Floats = NDArray[np.float64]

_RATE, _WINDOW = 10, (448, 336)
# How far it goes about, pixels, in how many seconds; and how much it shakes.
_REACH, _SECONDS, _SHAKE_PX = (150.0, 110.0), (13.0, 9.0), 1.5
_SHOWN, _AWAY_S, _SEED = 0.25, 2.5, 11
_PEERS = {"bytetrack": "ByteTrack", "botsort": "BoT-SORT with camera motion"}


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """HOTA over ``videos/vtest.avi`` of `data`, one row for each peer."""
    asked = [name for name in _PEERS if wanted(f"moving/{name}", only)]
    if data is None or not asked:
        return
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "window.mp4"
        corners = _filmed(data / "videos" / "vtest.avi", video)
        true = _true(data / "videos" / "vtest.gt.txt", corners)
        detector = Detector(data / "weights" / "coco-yolo11n.onnx", kinds=("person",), confidence=0.05)
        with open_source(video) as source:
            frames = list(source)
        boxes = [detector.detect([frame.image])[0] for frame in frames]
        ours = _scored(true, _of_ours(frames, Replay(detector.model, boxes)))
        for name in asked:
            yield _row(name, ours, None if not PYTHON.exists() else _of_peer(name, video, boxes, true))


def _row(name: str, ours: TrackScore, peer: TrackScore | None) -> Row:
    own = float(ours.hota.mean())
    said = f"IDF1 {ours.idf1:.3f}, {ours.switches} switches"
    if peer is None:
        return Row(f"moving/{name}", own, "HOTA", f"{_PEERS[name]}, {ABSENT}; ours {said}")
    theirs = float(peer.hota.mean())
    label = f"{_PEERS[name]}, IDF1 {peer.idf1:.3f}, {peer.switches} switches; ours {said}"
    return Row(f"moving/{name}", own, "HOTA", label, theirs, own / theirs, "ratio >= 1", own >= theirs)


def _filmed(whole: Path, out: Path) -> Floats:
    """Film through the window; where its upper left corner is in each picture, shape (n, 2), whole pixels."""
    with open_source(whole) as source, av.open(str(out), "w") as container:
        count = round((source.duration or 0) * (source.frame_rate or _RATE))
        corners = _corners(count, (source.width, source.height))
        video = container.add_stream("libx264", rate=_RATE)
        video.width, video.height = _WINDOW
        video.pix_fmt, video.options = "yuv420p", {"preset": "veryfast", "crf": "18"}
        number = 0
        for number, (frame, (x, y)) in enumerate(zip(source, corners.tolist(), strict=False), start=1):
            part = np.ascontiguousarray(frame.image[int(y) : int(y) + _WINDOW[1], int(x) : int(x) + _WINDOW[0]])
            picture = av.VideoFrame.from_ndarray(part, format="bgr24").reformat(format="yuv420p")
            picture.pts, picture.time_base = number - 1, Fraction(1, _RATE)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return corners[:number]


def _corners(count: int, size: tuple[int, int]) -> Floats:
    time_s = np.arange(count)[:, None] / _RATE
    middle = (np.array(size) - _WINDOW) / 2
    way = middle + np.array(_REACH) * np.sin(2 * np.pi * time_s / np.array(_SECONDS))
    way += np.random.default_rng(_SEED).normal(0, _SHAKE_PX, way.shape)
    return np.asarray(np.clip(way.round(), 0, np.array(size) - _WINDOW))


def _true(path: Path, corners: Floats) -> list[tuple[NDArray[np.int64], Floats]]:
    """Ids and boxes, shape (n, 4), that each picture shows."""
    labels = load_video_truth(path).boxes.frames
    visits: dict[int, tuple[int, int]] = {}  # by object: the visit's id, and the picture that showed it last
    told = []
    for number, corner in enumerate(corners):
        ids, shown = [], []
        for box in labels.get(number, ()):
            whole = np.array([box.x1, box.y1, box.x2, box.y2]) - np.tile(corner, 2)
            part = np.clip(whole, 0, np.tile(_WINDOW, 2))
            if box.id is None or np.prod(part[2:] - part[:2]) < _SHOWN * np.prod(whole[2:] - whole[:2]):
                continue
            visit, last = visits.get(box.id, (-1, -number))
            if visit < 0 or number - last > _AWAY_S * _RATE:
                visit = len(visits) + 1000 * number
            visits[box.id] = visit, number
            ids.append(visit)
            shown.append(part)
        told.append((np.array(ids, np.int64), np.array(shown, float).reshape(-1, 4)))
    return told


_Found = Sequence[Sequence[Sequence[float]]]
"""For each picture: id and corners of each box."""


def _of_ours(frames: Sequence[Frame], detector: Replay) -> _Found:
    found: list[list[list[float]]] = [[] for _ in frames]
    for track in watch(frames, detector, name="window", scene=PictureScene(None)).tracks:
        for one in track.observations:
            box = one.detection
            found[one.frame_index].append([track.number, box.x1, box.y1, box.x2, box.y2])
    return found


def _of_peer(name: str, video: Path, boxes: Sequence[Sequence[Detection]], true: Any) -> TrackScore:
    begins = TrackerSettings().high_score
    scores = []
    for settings in ({}, {"track_activation_threshold": begins, "high_conf_det_threshold": begins}):
        order = {
            "video": str(video),
            "rate": _RATE,
            "tracker": name,
            "settings": settings,
            "boxes": [[[b.x1, b.y1, b.x2, b.y2, b.score] for b in some] for some in boxes],
        }
        scores.append(_scored(true, peer_says("bench.peer_tracks", order, video.parent)))
    return max(scores, key=lambda one: float(one.hota.mean()))


def _scored(true: Sequence[tuple[NDArray[np.int64], Floats]], found: _Found) -> TrackScore:
    frames = []
    for (ids, boxes), some in zip(true, found, strict=True):
        table = np.array(some, float).reshape(-1, 5)
        frames.append(FrameTracks(ids, boxes, table[:, 0].astype(np.int64), table[:, 1:]))
    return score_tracks(frames)
