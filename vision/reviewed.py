"""Evidence that was judged, checked for use as training data, and sorted into flights.

Nothing is used that cannot answer for itself: a folder must verify, must not be a redacted copy (blurred people teach a
detector that people are blurred), and must carry purpose, owner, marking and retention. What has expired, or was kept
for a purpose that was not allowed, is left out.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vision.errors import EvidenceError
from vision.evidence import MANIFEST, NAME
from vision.evidence_check import verify_evidence
from vision.records import Custody
from vision.reviews import Judged, Review
from vision.timing import microseconds
from vision.training_data import CLASSES, class_id

__all__ = ["LeftOut", "ReviewedClip", "Seen", "find_evidence", "read_evidence", "sort_flights"]

_DAY_US = 86_400_000_000
_DATED_US = 946_684_800_000_000  # before 2000 a time counts from the first picture, and tells nothing of the day
_ONE_FLIGHT_US = 1_800_000_000  # clips closer than half an hour may show the same people at the same place


@dataclass(frozen=True, slots=True)
class Seen:
    """A box of a track: microseconds UTC, number of the frame in the recording, and x1, y1, x2, y2, pixels."""

    time_us: int
    frame: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ReviewedClip:
    """A folder of evidence with the verdict on it.

    Parameters
    ----------
    folder, clip
        The folder, and the video in it.
    name, crossing
        Name of the evidence as its manifest has it, and `source_id` of its crossing.
    manifest_sha256, recording
        SHA-256 of the manifest, and of the recording that the clip was cut from, in hexadecimal.
    start_us, end_us
        Times of its first and last picture.
    first
        Number of its first picture in the recording; None in older evidence, which does not tell.
    tracks
        Boxes of each track in the overlay.
    judged
        What the verdict says; None without one, or where it may not be used: then its boxes are doubtful.
    kind
        What the object is: one of `CLASSES`.
    custody
        What the record carried.
    expires_us
        When the record ends.
    """

    folder: Path
    clip: Path
    name: str
    crossing: str
    manifest_sha256: str
    recording: str
    start_us: int
    end_us: int
    first: int | None
    tracks: tuple[tuple[Seen, ...], ...]
    judged: Judged | None
    kind: str
    custody: Custody
    expires_us: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Evidence that is no training data, and why."""

    name: str
    why: str


def find_evidence(places: Sequence[str | Path]) -> list[Path]:
    """Folders of evidence: the places themselves, or what is in them.

    Raises
    ------
    EvidenceError
        When there is none at a place, or one is given twice.
    """
    found: list[Path] = []
    for place in map(Path, places):
        if (place / MANIFEST).is_file():
            found.append(place)
            continue
        try:
            inside = sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))
        except OSError as error:
            raise EvidenceError(f"{place}: cannot be read ({error.strerror}): give a folder of evidence") from error
        if not inside:
            raise EvidenceError(f"{place}: holds no evidence: give a folder of vedette watch, as runs/watch/evidence")
        found += inside
    real = [path.resolve() for path in found]
    twice = next((path for path in real if real.count(path) > 1), None)
    if twice is not None:
        raise EvidenceError(f"{twice}: is given twice: give it once")
    return found


def read_evidence(
    folders: Sequence[Path],
    reviews: Mapping[str, Review],
    *,
    now_us: int,
    purposes: Collection[str],
    public_key: Ed25519PublicKey | None = None,
) -> tuple[list[ReviewedClip], list[LeftOut]]:
    """Read folders of evidence; those that are no training data have `judged` None and are told with the reason.

    Parameters
    ----------
    folders
        As `find_evidence` gives them.
    reviews
        Verdicts by `source_id` of the crossing.
    now_us
        The time, microseconds UTC: what has expired by then is left out.
    purposes
        Purposes whose records may be used.
    public_key
        Whose signature to demand of each manifest.

    Raises
    ------
    EvidenceError
        When a folder does not verify, is a redacted copy, or its records are damaged.
    """
    clips, left_out = [], []
    names: dict[str, Path] = {}
    for folder in folders:
        clip, why = _read(folder, reviews, now_us, purposes, public_key)
        if names.setdefault(clip.name, folder) != folder:
            raise EvidenceError(f"{folder}: has the name of {names[clip.name]}: leave one of them out")
        clips.append(clip)
        if why is not None:
            left_out.append(LeftOut(clip.name, why))
    return clips, left_out


def sort_flights(clips: Sequence[ReviewedClip]) -> list[list[ReviewedClip]]:
    """Clips by flight, the earliest first: those of one recording, and those within half an hour of each other.

    Neighbouring pictures are nearly the same, and so is what two drones see of one place at one time: parted over
    training and validation they would make every figure too good.
    """
    ordered = sorted(clips, key=lambda clip: (clip.start_us, clip.name))
    flight_of = list(range(len(ordered)))
    first_of: dict[str, int] = {}
    end_us = 0
    for i, clip in enumerate(ordered):
        for j in {first_of.setdefault(clip.recording, i)} | ({i - 1} if _still(clip, end_us) else set()):
            flight_of = [flight_of[j] if number == flight_of[i] else number for number in flight_of]
        end_us = max(end_us, clip.end_us)
    flights: dict[int, list[ReviewedClip]] = {}
    for number, clip in zip(flight_of, ordered, strict=True):
        flights.setdefault(number, []).append(clip)
    return list(flights.values())


def _still(clip: ReviewedClip, end_us: int) -> bool:
    """Whether a clip begins within half an hour of the end of those before it; never where no time of day is told."""
    return clip.start_us - end_us < _ONE_FLIGHT_US and min(clip.start_us, end_us) >= _DATED_US


def _read(
    folder: Path,
    reviews: Mapping[str, Review],
    now_us: int,
    purposes: Collection[str],
    public_key: Ed25519PublicKey | None,
) -> tuple[ReviewedClip, str | None]:
    problems = verify_evidence(folder, public_key=public_key)
    if problems:
        raise EvidenceError(f"{folder}: is not whole, so nothing is learned from it: {problems[0]}")
    content = (folder / MANIFEST).read_bytes()
    manifest = json.loads(content)
    if "redaction" in manifest:
        raise EvidenceError(
            f"{folder}: is a redacted copy: blurred people are no training data; give the original or leave it out"
        )
    try:
        record = _json(folder / "record.json")
        overlay = _json(folder / "overlay.json")
        custody = Custody(record["purpose"], record["owner"], record["marking"], int(record["retention_days"]))
        written_us = microseconds(datetime.fromisoformat(manifest["written"])) or 0
        number = class_id(str(record["kind"]))
        clip_sha256 = str(manifest["files"][manifest["clip"]["file"]]["sha256"])
        review = reviews.get(str(record["source_id"]))
        expires_us = written_us + custody.retention_days * _DAY_US
        if review is not None and review.expires_us is not None:
            expires_us = min(expires_us, review.expires_us)
        tracks = tuple(tuple(_boxes(track)) for track in overlay["tracks"])
        clip = ReviewedClip(
            folder,
            folder / str(manifest["clip"]["file"]),
            _name(manifest["id"]),
            str(record["source_id"]),
            hashlib.sha256(content).hexdigest(),
            # Of a live stream nobody has the recording: all its clips stay together under its name.
            str(manifest["source"]["sha256"] or manifest["source"]["name"]),
            int(manifest["clip"]["start_us"]),
            int(manifest["clip"]["end_us"]),
            None if (first := manifest["clip"].get("first")) is None else int(first),
            tracks,
            None if review is None else review.judged,
            (review and review.kind) or (CLASSES[number] if number is not None else ""),
            custody,
            expires_us,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(
            f"{folder}: its records are not those of a crossing that vedette watch kept ({type(error).__name__}: "
            f"{error}): leave it out"
        ) from error
    why = _objection(clip, review, clip_sha256, now_us, purposes)
    return (clip, None) if why is None else (replace(clip, judged=None), why)


def _objection(
    clip: ReviewedClip, review: Review | None, clip_sha256: str, now_us: int, purposes: Collection[str]
) -> str | None:
    """Why a clip teaches nothing, or may not."""
    rules = (
        (review is None, "no verdict"),
        (clip.expires_us <= now_us, "its retention has ended: it should have been deleted"),
        (clip.custody.purpose not in purposes, f"kept for {clip.custody.purpose!r}, which was not allowed"),
        (clip.judged is Judged.UNSAID, "dismissed without saying that nothing was there"),
        (
            review is not None and review.clip_sha256 not in {None, clip_sha256},
            "the verdict is about another clip",
        ),
        (len(clip.tracks) != 1, f"shows {len(clip.tracks)} tracks: which one was judged is not known"),
        (clip.judged is Judged.PRESENT and not clip.kind, "its kind is none that a detector learns"),
    )
    return next((why for broken, why in rules if broken), None)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror}): this is no evidence of a crossing") from error
    if not isinstance(told, dict):
        raise TypeError(f"{path.name} is no object")
    return told


def _name(told: str) -> str:
    """The name of evidence, as files will bear it: nobody has to have written the manifest in good faith."""
    if not NAME.fullmatch(told):
        raise ValueError(f"id {told!r}")
    return told


def _boxes(track: Mapping[str, Any]) -> Iterator[Seen]:
    for told in track["boxes"]:
        box = (float(told["x1"]), float(told["y1"]), float(told["x2"]), float(told["y2"]))
        if not all(map(math.isfinite, box)) or not (box[0] < box[2] and box[1] < box[3]):
            raise ValueError(f"box {box} at {told['time_us']}")
        yield Seen(int(told["time_us"]), int(told["frame"]), box)
