"""What people said about crossings, as far as it tells what was in the picture.

To confirm a crossing is to say that its object was there. To dismiss one says less: a farmer on his own field is no
crossing and a person all the same. So a dismissal teaches something only where its reason begins with words that say
that nothing was there (`NOTHING_THERE`), or whose category says what was there instead (`review_of`); any other is
left out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vision.errors import EvidenceError
from vision.training_data import CLASSES, class_id

__all__ = ["NOTHING_THERE", "Judged", "Review", "read_reviews", "review_of", "what_was_judged"]


class Judged(StrEnum):
    """What a verdict says of the object of a crossing."""

    PRESENT = "confirmed"
    """It was there."""
    ABSENT = "false-alarm"
    """Nothing of the kinds that the detector looks for was there."""
    UNSAID = "dismissed"
    """No crossing to follow; whether anything was there is not said."""


NOTHING_THERE = ("false alarm", "no object", "nothing there")
"""Beginnings of the reason of a dismissal that say that nothing was there."""

_WORDS: Mapping[str, Judged] = MappingProxyType(
    {
        **dict.fromkeys(("confirmed", "confirm", "confirmed crossing"), Judged.PRESENT),
        **dict.fromkeys(("false alarm", "no object", "nothing there", "false"), Judged.ABSENT),
        **dict.fromkeys(("dismissed", "dismiss"), Judged.UNSAID),
    }
)
_UNJUDGED = frozenset({"pending", ""})
_COLUMNS = ("crossing", "verdict", "kind", "reason")


@dataclass(frozen=True, slots=True)
class Review:
    """A person's verdict on one crossing.

    Parameters
    ----------
    judged
        What it says of the object.
    kind
        What the object is, where the person corrected it: one of `CLASSES`.
    clip_sha256
        Of the clip that was looked at; None where that is not known.
    expires_us
        When the record that was judged ends by its retention, microseconds UTC; None where only the evidence tells.
    """

    judged: Judged
    kind: str | None = None
    clip_sha256: str | None = None
    expires_us: int | None = None


_CATEGORIES: Mapping[str, Review] = MappingProxyType(
    {
        "animal": Review(Judged.PRESENT, kind="animal"),
        "vegetation": Review(Judged.ABSENT),
        "camera-artefact": Review(Judged.ABSENT),
    }
)


def what_was_judged(verdict: str, reason: str | None = None) -> Judged | None:
    """What a verdict with its reason says of the object; None for one that is still pending.

    Raises
    ------
    EvidenceError
        When the word is none that is known.
    """
    word = " ".join(verdict.lower().replace("-", " ").replace("_", " ").split())
    if word in _UNJUDGED:
        return None
    judged = _WORDS.get(word)
    if judged is None:
        raise EvidenceError(f"verdict {verdict!r} is unknown: give confirmed, false-alarm or dismissed")
    if judged is Judged.UNSAID and reason is not None and reason.strip().lower().startswith(NOTHING_THERE):
        return Judged.ABSENT
    return judged


def review_of(verdict: str, reason: str | None = None, category: str | None = None) -> Review | None:
    """The verdict of a service; None for one that is still pending.

    Parameters
    ----------
    verdict, reason
        As in `what_was_judged`.
    category
        Of a dismissal: "vegetation" and "camera-artefact" say that nothing was there; "animal" that what was there is
        an animal, which is a kind to learn. "other" and None leave it to the reason; any other leaves it unsaid, for a
        duplicate shows something, and so does an authorised person, who is nobody's material.

    Raises
    ------
    EvidenceError
        When the verdict is none that is known.
    """
    judged = what_was_judged(verdict, reason)
    if judged is None or judged is Judged.PRESENT or category in {None, "other"}:
        return None if judged is None else Review(judged)
    return _CATEGORIES.get(str(category), Review(Judged.UNSAID))


def read_reviews(path: str | Path) -> dict[str, Review]:
    """Read verdicts by the crossing's `source_id`.

    Parameters
    ----------
    path
        ``.csv`` with the columns ``crossing,verdict`` and perhaps ``kind`` and ``reason``; or ``.json``: an object of
        verdicts by crossing, or a list of objects with those members. Verdicts are ``confirmed``, ``false-alarm``
        (nothing was there) and ``dismissed``; what is ``pending`` is passed over.

    Raises
    ------
    EvidenceError
        When the file cannot be read, or a line is wrong or contradicts another; the message names it.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: verdicts cannot be read ({getattr(error, 'strerror', None) or error})") from error
    reader = {".csv": _csv_rows, ".json": _json_rows}.get(path.suffix.lower())
    if reader is None:
        raise EvidenceError(f"{path}: verdicts are read from .csv or .json: choose one")
    found: dict[str, Review] = {}
    for where, row in reader(path, text):
        try:
            crossing, review = _review(row)
        except EvidenceError as error:
            raise EvidenceError(f"{where}: {error}") from error
        if review is None:
            continue
        if found.setdefault(crossing, review) != review:
            raise EvidenceError(f"{where}: crossing {crossing} has two verdicts that differ: keep the one that counts")
    return found


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not {"crossing", "verdict"} <= set(reader.fieldnames or ()) <= set(_COLUMNS):
            raise EvidenceError(f"{path}, line 1: give the columns {', '.join(_COLUMNS)}; the last two may be absent")
        for row in reader:
            if None in row or None in row.values():
                raise EvidenceError(f"{path}, line {reader.line_num}: has not as many values as there are columns")
            yield f"{path}, line {reader.line_num}", row
    except csv.Error as error:
        raise EvidenceError(f"{path}, line {reader.line_num}: is no CSV ({error})") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise EvidenceError(f"{path}: is not JSON ({error})") from error
    if isinstance(told, dict):
        told = [{"crossing": crossing, "verdict": verdict} for crossing, verdict in told.items()]
    if not isinstance(told, list):
        raise EvidenceError(f"{path}: give a list of objects with crossing and verdict, or verdicts by crossing")
    for number, row in enumerate(told, start=1):
        where = f"{path}, entry {number}"
        if not isinstance(row, dict) or not {"crossing", "verdict"} <= set(row) <= set(_COLUMNS):
            raise EvidenceError(f"{where}: give the members {', '.join(_COLUMNS)}; the last two may be absent")
        if not all(value is None or isinstance(value, str) for value in row.values()):
            raise EvidenceError(f"{where}: every member is text")
        yield where, row


def _review(row: Mapping[str, str | None]) -> tuple[str, Review | None]:
    crossing, kind = (row["crossing"] or "").strip(), (row.get("kind") or "").strip()
    if not crossing:
        raise EvidenceError("names no crossing")
    judged = what_was_judged(row["verdict"] or "", row.get("reason"))
    if judged is None:
        return crossing, None
    review = Review(judged)
    if kind:
        number = class_id(kind)
        if number is None:
            raise EvidenceError(f"kind {kind!r} is unknown: give one of {', '.join(CLASSES)}")
        review = replace(review, kind=CLASSES[number])
    return crossing, review
