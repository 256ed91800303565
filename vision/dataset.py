"""Judged evidence as a data set to train on: YOLO, COCO, or both over the same pictures.

::

    evidence + verdicts --read_evidence()--> judged clips --sort_flights()--> train | val --cut_pictures()--> data set

A flight is in one split, whole. Which one hangs on its first recording and the seed, so that a flight stays in its
split when the data set is made again with more. ``dataset.json`` says where every picture came from, by whose records,
and by when the data set has to be deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vision.errors import EvidenceError
from vision.evidence import json_bytes, png_bytes, stage_folder
from vision.finder import Finder, shipped_finder
from vision.records import Custody, iso_time
from vision.reviewed import LeftOut, ReviewedClip, find_evidence, read_evidence, sort_flights
from vision.reviewed_pictures import PictureSettings, ReviewedPicture, cut_pictures
from vision.reviews import Review
from vision.training_data import CLASSES, label_text

__all__ = ["DATASET_FORMATS", "Dataset", "DatasetSettings", "write_dataset"]

DATASET_FORMATS = ("yolo", "coco")
"""What a data set is written as."""

_FORMAT = "vedette-dataset/1"
_HOW = (
    "Boxes are the detector's own; a person judged each track as a whole. Only the square about a judged object is "
    "visible. Grey is what nobody judged: outside the square, and over other tracks and whatever the detector "
    "suspected. Pictures without a box show a false alarm."
)


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """How a data set is made.

    Parameters
    ----------
    formats
        Of `DATASET_FORMATS`.
    val_share
        Share of the flights that is held out, 0 to 1.
    purposes
        Purposes whose records may be used: by default that which the detector serves.
    pictures
        How pictures are cut.
    seed
        Same seed and evidence, same data set.
    """

    formats: Collection[str] = DATASET_FORMATS
    val_share: float = 0.2
    purposes: Collection[str] = (Custody().purpose,)
    pictures: PictureSettings = field(default_factory=PictureSettings)
    seed: int = 7

    def __post_init__(self) -> None:
        if not self.formats or not set(self.formats) <= set(DATASET_FORMATS):
            raise EvidenceError(f"formats {', '.join(self.formats) or 'none'}: give {' or '.join(DATASET_FORMATS)}")
        if not 0 <= self.val_share < 1:
            raise EvidenceError(f"share {self.val_share} of the flights held out: give 0 or more, and less than 1")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was written.

    Parameters
    ----------
    folder
        Where.
    flights, pictures, boxes, negatives
        By split, "train" and "val": flights, pictures, labelled objects, and pictures that show a false alarm.
    left_out
        Evidence that was judged or not, and gave nothing.
    unmatched
        Verdicts on crossings of which no evidence was given.
    delete_by_us
        When the first of its records expires, microseconds UTC.
    """

    folder: Path
    flights: Mapping[str, int]
    pictures: Mapping[str, int]
    boxes: Mapping[str, int]
    negatives: Mapping[str, int]
    left_out: Sequence[LeftOut]
    unmatched: int
    delete_by_us: int


@dataclass(slots=True)
class _Split:
    """One split while it is written."""

    flights: int = 0
    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)


def write_dataset(
    places: Sequence[str | Path],
    reviews: Mapping[str, Review],
    out: str | Path,
    *,
    settings: DatasetSettings | None = None,
    finder: Finder | None = None,
    public_key: Ed25519PublicKey | None = None,
    now_us: int | None = None,
) -> Dataset:
    """Write a data set of judged evidence; it appears whole or not at all.

    Parameters
    ----------
    places
        Folders of evidence, or folders of those. Such as nobody judged help too: their boxes are hidden.
    reviews
        Verdicts by `source_id` of the crossing, see `read_reviews`.
    out
        New or empty folder. It gets ``images/{train,val}/<flight>/``, ``dataset.json``; for YOLO ``data.yaml`` and
        ``labels/`` beside; for COCO ``annotations/instances_{train,val}.json``.
    settings
        How.
    finder
        Looks for what nobody judged, in every picture; None takes the shipped detector for each clip's sensor.
    public_key
        Whose signature to demand of every manifest.
    now_us
        The time, microseconds UTC; None takes now.

    Raises
    ------
    EvidenceError
        When evidence does not verify or is redacted, nothing is left to learn from, or `out` cannot be written.
    """
    out, settings = Path(out), settings or DatasetSettings()
    now_us = time.time_ns() // 1000 if now_us is None else now_us
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise EvidenceError(f"{out} is not empty: name a new folder for the data set")
    clips, left_out = read_evidence(
        find_evidence(places), reviews, now_us=now_us, purposes=settings.purposes, public_key=public_key
    )
    judged = [clip for clip in clips if clip.judged is not None]
    if not judged:
        reasons = Counter(one.why for one in left_out)
        why = "; ".join(f"{number} of {len(clips)}: {why}" for why, number in reasons.most_common())
        raise EvidenceError(f"nothing to learn from ({why}): give verdicts on this evidence")
    staged = stage_folder(out)
    try:
        splits, used = _write_pictures(staged, clips, settings, finder)
        without = [clip for clip in judged if clip not in used]
        left_out += [LeftOut(clip.name, "none of its boxes fits a picture of its clip") for clip in without]
        if not used:
            raise EvidenceError("nothing to learn from: no box of a judged track fits a picture of its clip")
        delete_by_us = min(clip.expires_us for clip in used)
        told = _record(splits, used, left_out, settings, now_us=now_us, delete_by_us=delete_by_us)
        (staged / "dataset.json").write_bytes(json_bytes("dataset", told))
        if "yolo" in settings.formats:
            _write_yaml(staged)
        if "coco" in settings.formats:
            _write_coco(staged, splits, told)
        staged.chmod(0o755)
        staged.replace(out)
    except OSError as error:
        raise EvidenceError(f"{out}: cannot be written ({error.strerror or error}): check the disk") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Dataset(
        out,
        {name: split.flights for name, split in splits.items()},
        {name: len(split.images) for name, split in splits.items()},
        {name: len(split.annotations) for name, split in splits.items()},
        {name: _negatives(split) for name, split in splits.items()},
        left_out,
        len(set(reviews) - {clip.crossing for clip in clips}),
        delete_by_us,
    )


def _write_pictures(
    staged: Path, clips: Sequence[ReviewedClip], settings: DatasetSettings, finder: Finder | None
) -> tuple[dict[str, _Split], list[ReviewedClip]]:
    """Write all pictures, and labels for YOLO; the splits, and the clips that gave a picture."""
    splits = {"train": _Split(), "val": _Split()}
    used: list[ReviewedClip] = []
    opened: dict[Path, Finder] = {}
    of_recording: dict[str, list[ReviewedClip]] = {}
    for clip in clips:
        of_recording.setdefault(clip.recording, []).append(clip)
    flights = sort_flights([clip for clip in clips if clip.judged is not None])
    for flight, name in zip(flights, _splits(flights, settings), strict=True):
        split, before = splits[name], len(used)
        for clip in flight:
            others = [other for other in of_recording[clip.recording] if other is not clip]
            look = finder or shipped_finder(clip.clip, CLASSES, opened)
            images = len(split.images)
            for number, picture in enumerate(cut_pictures(clip, others, look, settings.pictures, settings.seed)):
                path = f"{name}/flight-{flight[0].recording[:12]}/{clip.name}-{number}"
                _write_picture(staged, path, picture, settings)
                _add(split, path, picture, clip)
            used += [clip] if len(split.images) > images else []
        split.flights += len(used) > before
    return splits, used


def _splits(flights: Sequence[Sequence[ReviewedClip]], settings: DatasetSettings) -> list[str]:
    """The split of each flight; with two flights or more and something to hold out, neither is empty."""
    digests = [hashlib.sha256(f"{settings.seed} {flight[0].recording}".encode()).digest() for flight in flights]
    lots = [int.from_bytes(digest[:8]) / 2**64 for digest in digests]
    val = {i for i, lot in enumerate(lots) if lot < settings.val_share}
    if settings.val_share and len(lots) > 1:
        ordered = sorted(range(len(lots)), key=lambda i: lots[i])
        val = (val | {ordered[0]}) - {ordered[-1]}
    return ["val" if i in val else "train" for i in range(len(flights))]


def _write_picture(staged: Path, name: str, picture: ReviewedPicture, settings: DatasetSettings) -> None:
    image = staged / "images" / f"{name}.png"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(png_bytes(name, picture.image))
    if "yolo" in settings.formats:
        label = staged / "labels" / f"{name}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(label_text(_shares(picture)), encoding="utf-8")


def _shares(picture: ReviewedPicture) -> Any:
    """Class, centre, width and height in shares of the picture, shape (n, 5)."""
    height, width = picture.image.shape[:2]
    rows = [
        (
            CLASSES.index(kind),
            (x1 + x2) / 2 / width,
            (y1 + y2) / 2 / height,
            (x2 - x1) / width,
            (y2 - y1) / height,
        )
        for kind, (x1, y1, x2, y2) in picture.boxes
    ]
    return np.array(rows, np.float64).reshape(-1, 5)


def _add(split: _Split, name: str, picture: ReviewedPicture, clip: ReviewedClip) -> None:
    """A picture and its objects as COCO has them."""
    height, width = picture.image.shape[:2]
    x1, y1, x2, y2 = picture.region
    number = len(split.images) + 1
    split.images.append(
        {
            "id": number,
            "file_name": f"{name}.png",
            "width": width,
            "height": height,
            "evidence": clip.name,
            "time": iso_time(picture.time_us),
            "window": list(picture.window),
            "region": [x1, y1, x2 - x1, y2 - y1],
            "hidden": picture.hidden,
        }
    )
    for kind, (left, top, right, bottom) in picture.boxes:
        box = [left, top, round(right - left, 2), round(bottom - top, 2)]
        split.annotations.append(
            {
                "id": len(split.annotations) + 1,
                "image_id": number,
                "category_id": CLASSES.index(kind) + 1,
                "bbox": box,
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
                "segmentation": [],
            }
        )


def _negatives(split: _Split) -> int:
    return len({image["id"] for image in split.images} - {one["image_id"] for one in split.annotations})


def _record(
    splits: Mapping[str, _Split],
    used: Sequence[ReviewedClip],
    left_out: Sequence[LeftOut],
    settings: DatasetSettings,
    *,
    now_us: int,
    delete_by_us: int,
) -> dict[str, Any]:
    """What the data set says of itself."""
    pictures = Counter(image["evidence"] for split in splits.values() for image in split.images)
    split_of = {image["evidence"]: name for name, split in splits.items() for image in split.images}
    return {
        "format": _FORMAT,
        "written": iso_time(now_us),
        "delete_by": iso_time(delete_by_us),
        "how": _HOW,
        "classes": list(CLASSES),
        "formats": sorted(settings.formats),
        "purposes": sorted({clip.custody.purpose for clip in used}),
        "owners": sorted({clip.custody.owner for clip in used}),
        "markings": sorted({clip.custody.marking for clip in used if clip.custody.marking is not None}),
        "unmarked": sum(clip.custody.marking is None for clip in used),
        "settings": {
            "val_share": settings.val_share,
            "seed": settings.seed,
            "purposes": sorted(settings.purposes),
            **asdict(settings.pictures),
        },
        "splits": {
            name: {
                "flights": split.flights,
                "pictures": len(split.images),
                "boxes": len(split.annotations),
                "negatives": _negatives(split),
            }
            for name, split in splits.items()
        },
        "evidence": [
            {
                "name": clip.name,
                "manifest_sha256": clip.manifest_sha256,
                "recording_sha256": clip.recording,
                "judged": str(clip.judged),
                "kind": clip.kind,
                "split": split_of[clip.name],
                "pictures": pictures[clip.name],
                "purpose": clip.custody.purpose,
                "owner": clip.custody.owner,
                "marking": clip.custody.marking,
                "retention_days": clip.custody.retention_days,
                "expires": iso_time(clip.expires_us),
            }
            for clip in used
        ],
        "left_out": [{"name": one.name, "why": one.why} for one in left_out],
    }


def _write_yaml(staged: Path) -> None:
    """Without a path: the data set is where the file is, wherever it was moved."""
    (staged / "images" / "val").mkdir(parents=True, exist_ok=True)
    (staged / "images" / "train").mkdir(parents=True, exist_ok=True)
    told = {"train": "images/train", "val": "images/val", "names": dict(enumerate(CLASSES))}
    (staged / "data.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")


def _write_coco(staged: Path, splits: Mapping[str, _Split], told: Mapping[str, Any]) -> None:
    (staged / "annotations").mkdir()
    members = ("written", "delete_by", "how", "purposes", "owners", "markings")
    for name, split in splits.items():
        document = {
            "info": {"description": f"judged crossings, {name}", **{member: told[member] for member in members}},
            "licenses": [],
            "images": split.images,
            "annotations": split.annotations,
            "categories": [
                {"id": number, "name": kind, "supercategory": ""} for number, kind in enumerate(CLASSES, start=1)
            ],
        }
        (staged / "annotations" / f"instances_{name}.json").write_text(json.dumps(document), encoding="utf-8")
