"""Files of evidence on their way to a service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.courier.spool import evidence_files
from api.errors import SpoolError

__all__ = ["SIGNATURE", "checked_files", "chunks", "signs", "written_twice"]

SIGNATURE = "manifest.sig"
"""The file of evidence that a manifest is signed in."""


def checked_files(crossing: dict[str, Any], evidence_dir: Path | None) -> list[tuple[str, Path]]:
    """The files to send, known to be there and the clip to be the declared one before anything is sent."""
    files = []
    for part, name in evidence_files(crossing):
        if evidence_dir is None:
            raise SpoolError("the crossing announces evidence: say in which folder it lies")
        path = evidence_dir / name
        try:
            digest = _sha256(path)
        except OSError as error:
            raise SpoolError(f"{part} {path} cannot be read: {error.strerror}") from error
        if part == "clip" and digest != crossing["evidence"].get("sha256"):
            raise SpoolError(f"clip {path} is not the one whose SHA-256 the crossing declares")
        files.append((part, path))
    return files


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chunks(path: Path) -> Iterator[bytes]:
    """A file's bytes, a quarter of a mebibyte at a time."""
    with path.open("rb") as file:
        while chunk := file.read(1 << 18):
            yield chunk


def written_twice(ours: Path, kept: bytes) -> bool:
    """Whether two manifests are of one piece of evidence, cut from the same recording on two machines.

    They then differ in when they were written and in nothing else, hashes of all files included.

    Parameters
    ----------
    ours
        The manifest here.
    kept
        The manifest that the service has.
    """
    try:
        ours_told, kept_told = json.loads(ours.read_bytes()), json.loads(kept)
    except (OSError, ValueError):
        return False
    if not isinstance(ours_told, dict) or not isinstance(kept_told, dict):
        return False
    return ours_told | {"written": None} == kept_told | {"written": None}


def signs(signature: bytes, manifest: bytes) -> bool:
    """Whether a signature's file holds for a manifest, by the key that it names: who verifies says whose it must be.

    Parameters
    ----------
    signature, manifest
        Both as the service has them.
    """
    import vision  # noqa: PLC0415 - inference engines take a second to load, and this is seldom asked

    return not vision.signature_problems(signature, manifest)
