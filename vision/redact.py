"""A copy of evidence that may be shared: everybody is made unrecognisable, except the tracks that are kept.

Evidence knows the boxes of its own tracks alone, so a detector looks at every picture of the clip again. What it finds
is blurred where it is and, since one missed picture would show a person, in all pictures within `hold_s` before and
after, and on the straight way between two sightings. A picture for which nothing is known within that time is blurred
whole: the detector may have failed there. Where a kept track and somebody else overlap, both are blurred.

A box is averaged to 3 by 3 cells, which alone are then drawn, smoothed: what was within a cell is gone. All pictures
are encoded anew; no packet and no picture of the original is copied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from vision.blur import GROW, GROW_PX, blurred
from vision.boxes import Box, between, overlap
from vision.errors import EvidenceError
from vision.evidence import MANIFEST, json_bytes, png_bytes, seal_folder, stage_folder
from vision.evidence_check import verify_evidence
from vision.finder import Finder, shipped_finder
from vision.source import open_source
from vision.types import Detection

__all__ = ["Redaction", "RedactionSettings", "redact_evidence"]

Image = NDArray[np.uint8]

_SAME = 4.0  # grey levels: a key picture and the clip's picture of its moment differ by no more on average


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """How carefully to blur.

    Parameters
    ----------
    hold_s
        Seconds for which a box is blurred before and after it was seen, and across which a way is filled in.
    grow, grow_px
        Margin on each side of a box, share of its size and least pixels.
    same
        Overlap (intersection over union) from which a detection is a kept track itself.
    quality
        Constant rate factor of the H.264 encoder: lower is better.
    """

    hold_s: float = 0.5
    grow: float = GROW
    grow_px: float = GROW_PX
    same: float = 0.4
    quality: int = 16


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was written: the folder, the manifest's hash, pictures in all, and pictures that were blurred whole."""

    folder: Path
    manifest_sha256: str
    pictures: int
    whole: int


def redact_evidence(
    folder: str | Path,
    out: str | Path,
    detector: Finder | None = None,
    *,
    keep: Sequence[int] = (),
    telemetry: bool = False,
    key: Ed25519PrivateKey | None = None,
    settings: RedactionSettings | None = None,
    written_us: int | None = None,
) -> Redaction:
    """Write a redacted copy of a folder of evidence; it appears whole or not at all.

    Parameters
    ----------
    folder
        As `write_evidence` left it; it must verify.
    out
        The folder to make.
    detector
        Finds who is to be blurred; by default the one that ships for the sensor of the clip.
    keep
        Numbers of tracks in the overlay that stay visible; none blurs all.
    telemetry
        Whether the file of telemetry goes along.
    key
        Signs the copy's manifest.

    Raises
    ------
    EvidenceError
        When the original does not verify, has no such track, or the copy cannot be written.
    """
    folder, out, settings = Path(folder), Path(out), settings or RedactionSettings()
    problems = verify_evidence(folder)
    if problems:
        raise EvidenceError(f"{folder}: is not whole, so it is not copied: {problems[0]}")
    if out.exists():
        raise EvidenceError(f"{out}: exists already: evidence is not overwritten, give another name")
    original = (folder / MANIFEST).read_bytes()
    manifest = json.loads(original)
    tracks = _tracks(folder, keep)
    name = manifest["clip"]["telemetry"]
    if telemetry and name is None:
        raise EvidenceError(f"{folder}: has no file of telemetry to go along: leave it out")
    staged = stage_folder(out)
    try:
        clip = folder / manifest["clip"]["file"]
        times, found = _look(clip, manifest["clip"]["start_us"], detector or shipped_finder(clip))
        masks = [_boxes_at(i, times, found, tracks, keep=frozenset(keep), settings=settings) for i in range(len(times))]
        stills = {p.name: _still(p) for p in sorted(folder.glob("*.png"))}
        best = _encode(
            folder / manifest["clip"]["file"], times, masks, staged / "clip.mp4", stills=stills, settings=settings
        )
        for still, image in stills.items():
            boxes = masks[best[still]] if still in best else None
            (staged / still).write_bytes(png_bytes(still, blurred(image, boxes, settings.grow, settings.grow_px)))
        for record in sorted(folder.glob("*.json")):
            if record.name not in {MANIFEST, "overlay.json"}:
                shutil.copyfile(record, staged / record.name)
        kept = [track for track in tracks if track["number"] in keep]
        (staged / "overlay.json").write_bytes(json_bytes("overlay", {"tracks": kept}, dense=True))
        if telemetry:
            shutil.copyfile(folder / name, staged / name)
        whole = sum(boxes is None for boxes in masks)
        content = seal_folder(
            staged,
            out,
            {
                "source": manifest["source"],
                "clip": {**manifest["clip"], "file": "clip.mp4", "telemetry": name if telemetry else None},
                "model": manifest["model"],
                "redaction": {
                    "of": manifest["id"],
                    "manifest_sha256": hashlib.sha256(original).hexdigest(),
                    "kept_tracks": sorted(keep),
                    "pictures_blurred_whole": whole,
                    "hold_s": settings.hold_s,
                },
            },
            key=key,
            written_us=written_us,
            replace=False,
        )
    except (OSError, av.error.FFmpegError) as error:
        raise EvidenceError(f"{out}: cannot be written ({error.strerror or error}): check the disk") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Redaction(out, hashlib.sha256(content).hexdigest(), len(times), whole)


def _tracks(folder: Path, keep: Sequence[int]) -> list[dict[str, Any]]:
    path = folder / "overlay.json"
    tracks: list[dict[str, Any]] = json.loads(path.read_bytes())["tracks"] if path.exists() else []
    strange = sorted(set(keep) - {track["number"] for track in tracks})
    if strange:
        there = ", ".join(str(track["number"]) for track in tracks) or "none"
        raise EvidenceError(f"{folder}: has no track {strange[0]} to keep; there is {there}")
    return tracks


def _look(clip: Path, start_us: int, detector: Finder) -> tuple[list[int], list[list[Detection]]]:
    """Times of all pictures, and what the detector finds in them."""
    times, found = [], []
    with open_source(clip, start_time=start_us, sidecar=False, decode="software") as source:
        for frame in source:
            times.append(frame.time_us)
            found += detector.detect([frame.image])
        if not source.complete or source.counts.out_of_order:
            raise EvidenceError(f"{clip}: not every picture can be decoded: it is not copied")
    return times, found


def _boxes_at(
    i: int,
    times: Sequence[int],
    found: Sequence[Sequence[Detection]],
    tracks: Sequence[dict[str, Any]],
    *,
    keep: frozenset[int],
    settings: RedactionSettings,
) -> list[Box] | None:
    """What to blur in a picture; None for all of it."""
    now, hold_us = times[i], round(settings.hold_s * 1e6)
    near = [j for j in range(len(times)) if abs(times[j] - now) <= hold_us]
    others = {j: _others(found[j], times[j], tracks, keep, settings) for j in near}
    boxes = [box for j in near for box in others[j]]
    for before in (j for j in near if j < i):
        for box in others[before]:
            # The way to the next sighting of what may be the same: the nearest of the first picture after that has one.
            after = next((j for j in near if j > i and others[j]), None)
            if after is not None:
                next_box = min(others[after], key=lambda b, box=box: _apart(b, box))  # type: ignore[misc]
                share = (now - times[before]) / (times[after] - times[before])
                boxes.append(between(box, next_box, share))
    known = bool(boxes)
    for track in tracks:
        at = _track_box(track, now, hold_us)
        if at is not None:
            known = True
            if track["number"] not in keep:
                boxes.append(at)
    return boxes if known or any(found[j] for j in near) else None


def _others(
    detections: Sequence[Detection],
    time_us: int,
    tracks: Sequence[dict[str, Any]],
    keep: frozenset[int],
    settings: RedactionSettings,
) -> list[Box]:
    """Boxes of one picture without those of kept tracks: one detection for each, the one that fits best."""
    boxes = [(d.x1, d.y1, d.x2, d.y2) for d in detections]
    for track in tracks:
        kept = _track_box(track, time_us, round(settings.hold_s * 1e6)) if track["number"] in keep else None
        if kept is not None and boxes:
            best = max(range(len(boxes)), key=lambda n, kept=kept: overlap(boxes[n], kept))  # type: ignore[misc]
            if overlap(boxes[best], kept) >= settings.same:
                del boxes[best]
    return boxes


def _track_box(track: dict[str, Any], time_us: int, hold_us: int) -> Box | None:
    """Box of a track at a time: between two of its own, or the nearest one within the time it is held."""
    rows = track["boxes"]
    stamps = [row["time_us"] for row in rows]
    i = int(np.searchsorted(stamps, time_us))
    corners = [(row["x1"], row["y1"], row["x2"], row["y2"]) for row in rows[max(0, i - 1) : i + 1]]
    if 0 < i < len(rows):
        return between(corners[0], corners[1], (time_us - stamps[i - 1]) / (stamps[i] - stamps[i - 1]))
    nearest = stamps[min(i, len(rows) - 1)]
    return corners[-1] if abs(nearest - time_us) <= hold_us else None


def _apart(a: Box, b: Box) -> float:
    return abs(a[0] + a[2] - b[0] - b[2]) + abs(a[1] + a[3] - b[1] - b[3])


def _still(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise EvidenceError(f"{path}: is no picture")
    return np.asarray(image, dtype=np.uint8)


def _encode(
    clip: Path,
    times: Sequence[int],
    masks: Sequence[list[Box] | None],
    out: Path,
    *,
    stills: dict[str, Image],
    settings: RedactionSettings,
) -> dict[str, int]:
    """Write the clip anew; which picture of it each still is, where there is one."""
    best: dict[str, tuple[float, int]] = {}
    with (
        open_source(clip, start_time=times[0], sidecar=False, decode="software") as source,
        av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream: Any = container.add_stream("libx264", rate=Fraction(source.frame_rate or 25.0).limit_denominator(1001))
        stream.width, stream.height = source.width + source.width % 2, source.height + source.height % 2
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(settings.quality)}
        stream.codec_context.time_base = Fraction(1, 90_000)
        for i, frame in enumerate(source):
            for name, still in stills.items():
                miss = _difference(still, frame.image)
                if miss <= min(_SAME, best.get(name, (_SAME, 0))[0]):
                    best[name] = (miss, i)
            image = blurred(frame.image, masks[i], settings.grow, settings.grow_px)
            image = cv2.copyMakeBorder(image, 0, image.shape[0] % 2, 0, image.shape[1] % 2, cv2.BORDER_REPLICATE)
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = round((times[i] - times[0]) * 0.09), Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return {name: i for name, (_, i) in best.items()}


def _difference(a: Image, b: Image) -> float:
    """Mean difference, grey levels; infinite for other sizes."""
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a[::4, ::4].astype(np.int16) - b[::4, ::4]).mean())
