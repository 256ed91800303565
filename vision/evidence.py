"""Evidence: a clip, pictures and records in one folder, with a manifest that shows whether any of it was changed.

The manifest (``manifest.json``) holds the SHA-256 of every file, of the recording and of the detector's model. With a
key it is signed (``manifest.sig``, Ed25519 over the manifest's bytes). Pictures are whole and untouched: what was seen
in them is a record beside them (``overlay.json``), to be drawn by whoever shows them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from vision.clip import Clip, cut_clip, suffix_for
from vision.clip_picture import pictures_at
from vision.errors import EvidenceError
from vision.records import EvidenceRef, ModelRef, iso_time
from vision.types import Track

__all__ = [
    "FORMAT",
    "MANIFEST",
    "NAME",
    "SIGNATURE",
    "Evidence",
    "SourceFile",
    "file_sha256",
    "json_bytes",
    "png_bytes",
    "seal_folder",
    "sign_manifest",
    "signature_bytes",
    "stage_folder",
    "track_overlay",
    "write_evidence",
]

MANIFEST, SIGNATURE, FORMAT = "manifest.json", "manifest.sig", "vedette-evidence/1"
_CHUNK = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What may name evidence and its files."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A recording with its hash; hash it once for all its clips (`SourceFile.of`).

    Parameters
    ----------
    path, sha256, size
        File, SHA-256 in hexadecimal, length in bytes.
    live
        Name of the live stream that the file is a stretch of. Nobody has that file afterwards, so the manifest names
        the stream and no hash.
    """

    path: Path
    sha256: str
    size: int
    live: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As a manifest names it."""
        if self.live is not None:
            return {"name": self.live, "live": True, "sha256": None, "bytes": None}
        return {"name": self.path.name, "sha256": self.sha256, "bytes": self.size}

    @classmethod
    def of(cls, path: str | Path) -> SourceFile:
        """Hash a recording. Raises `EvidenceError` when it cannot be read."""
        path = Path(path)
        return cls(path, file_sha256(path), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was written: the folder, the clip in it, and the reference that a crossing carries."""

    folder: Path
    clip: Clip
    manifest_sha256: str
    ref: EvidenceRef


def write_evidence(
    folder: str | Path,
    source: SourceFile | str | Path,
    start_us: int,
    end_us: int,
    *,
    pictures: Mapping[str, NDArray[np.uint8] | int] | None = None,
    overlay: Mapping[str, Any] | None = None,
    records: Mapping[str, Any] | None = None,
    model: ModelRef | None = None,
    start_time: int | None = None,
    pre_s: float = 3.0,
    post_s: float = 3.0,
    key: Ed25519PrivateKey | None = None,
    written_us: int | None = None,
    replace: bool = False,
) -> Evidence:
    """Write a folder of evidence; it appears whole or not at all.

    Parameters
    ----------
    folder
        The folder to make.
    source
        The recording.
    start_us, end_us, start_time, pre_s, post_s
        What to cut, see `cut_clip`.
    pictures
        Key pictures by name (no suffix), blue-green-red, or the time of one, microseconds: then the clip's picture
        nearest to it. Written as PNG, pixel by pixel.
    overlay
        What was seen, e.g. from `track_overlay`; written as ``overlay.json``.
    records
        Further records by name (no suffix), e.g. ``{"crossing": crossing.to_json()}``.
    model
        The detector that saw it.
    key
        Signs the manifest.
    written_us
        Time of writing, microseconds UTC; None takes now.
    replace
        Whether a folder that is there gives way. Without it that is an error: evidence is not overwritten unasked.
        Where the new one would say the same, it keeps the time of writing too, and so is the same to the byte.

    Raises
    ------
    EvidenceError
        When the clip cannot be cut, a record is not JSON, a name is unfit, or the folder cannot be written.
    """
    folder = Path(folder)
    source = source if isinstance(source, SourceFile) else SourceFile.of(source)
    if folder.exists() and not replace:
        raise EvidenceError(f"{folder}: exists already: evidence is not overwritten, give another name")
    staged = stage_folder(folder)
    try:
        clip = cut_clip(
            source.path,
            start_us,
            end_us,
            staged / f"clip{suffix_for(source.path)}",
            start_time=start_time,
            pre_s=pre_s,
            post_s=post_s,
        )
        for name, image in _pictures(pictures or {}, clip).items():
            _write(staged / f"{_checked(name)}.png", png_bytes(name, image))
        for name, record in (records or {}).items():
            _write(staged / f"{_checked(name)}.json", json_bytes(name, record))
        if overlay is not None:
            _write(staged / "overlay.json", json_bytes("overlay", overlay, dense=True))
        manifest = {
            "source": source.to_json(),
            "clip": {
                "file": clip.path.name,
                "telemetry": clip.telemetry.name if clip.telemetry else None,
                "start": iso_time(clip.start_us),
                "end": iso_time(clip.end_us),
                "start_us": clip.start_us,
                "end_us": clip.end_us,
                "pictures": clip.pictures,
                "first": clip.first,
            },
            "model": None if model is None else model.to_json(),
        }
        content = seal_folder(staged, folder, manifest, key=key, written_us=written_us, replace=replace)
    except OSError as error:
        raise EvidenceError(f"{folder}: cannot be written ({error.strerror or error}): check the disk") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    files = json.loads(content)["files"]
    others = [name for name in files if name != clip.path.name] + ([] if key is None else [SIGNATURE])
    return Evidence(
        folder,
        Clip(
            folder / clip.path.name,
            folder / clip.telemetry.name if clip.telemetry else None,
            clip.start_us,
            clip.end_us,
            clip.pictures,
            clip.first,
        ),
        hashlib.sha256(content).hexdigest(),
        EvidenceRef(MANIFEST, clip.path.name, str(files[clip.path.name]["sha256"]), tuple(others)),
    )


def track_overlay(tracks: Sequence[Track]) -> dict[str, Any]:
    """Boxes of tracks by time, as a record to be drawn over the clip."""
    return {
        "tracks": [
            {
                "number": track.number,
                "kind": track.kind,
                "score": round(track.score, 4),
                "boxes": [
                    {
                        "time": iso_time(o.time_us),
                        "time_us": o.time_us,
                        "frame": o.frame_index,
                        **{name: round(getattr(o.detection, name), 2) for name in ("x1", "y1", "x2", "y2")},
                        "score": round(o.detection.score, 4),
                    }
                    for o in track.observations
                ],
            }
            for track in tracks
        ]
    }


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file in hexadecimal. Raises `EvidenceError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def stage_folder(folder: Path) -> Path:
    """An empty folder beside one that is to come. Raises `EvidenceError`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise EvidenceError(f"{folder.parent}: cannot be written to ({error.strerror}): check it") from error


def seal_folder(
    staged: Path,
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    key: Ed25519PrivateKey | None,
    written_us: int | None,
    replace: bool,
) -> bytes:
    """Write manifest and signature for what is staged, put it in its place, and return the manifest's bytes."""
    files = {
        path.name: {"sha256": file_sha256(path), "bytes": path.stat().st_size} for path in sorted(staged.iterdir())
    }
    whole = {"format": FORMAT, "id": folder.name, "written": "", **manifest, "files": files}
    now = iso_time(written_us if written_us is not None else time.time_ns() // 1000)
    content = json_bytes("manifest", {**whole, "written": _written_before(folder, whole) or now})
    _write(staged / MANIFEST, content)
    if key is not None:
        _write(staged / SIGNATURE, sign_manifest(key, content))
    _publish(staged, folder, replace=replace)
    return content


def _written_before(folder: Path, manifest: Mapping[str, Any]) -> str | None:
    """When a folder that stands and says the same was written: watching again must not make it look new."""
    try:
        earlier = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(earlier, dict):
        return None
    written = earlier.pop("written", None)
    return str(written) if earlier == {name: value for name, value in manifest.items() if name != "written"} else None


def _publish(staged: Path, folder: Path, *, replace: bool) -> None:
    for path in staged.iterdir():  # also the clip, which the media library wrote
        _sync(path)
    staged.chmod(0o755)
    if replace and folder.exists():
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-old-"))
        folder.replace(old)
        try:
            staged.replace(folder)
        except OSError:
            old.replace(folder)
            raise
        shutil.rmtree(old)
    else:
        staged.rename(folder)
    if os.name == "posix":
        _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        raise EvidenceError(f"{path.name}: two records of one name: name them apart")
    path.write_bytes(content)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name) or name in {Path(MANIFEST).stem, "clip"}:
        raise EvidenceError(f"{name!r} cannot name a file of evidence: use letters, digits, dots, dashes, underscores")
    return name


def _pictures(wanted: Mapping[str, NDArray[np.uint8] | int], clip: Clip) -> dict[str, NDArray[np.uint8]]:
    """The pictures, those asked for by time taken from the clip."""
    at = pictures_at(clip.path, clip.start_us, [one for one in wanted.values() if isinstance(one, int)])
    return {name: at[one] if isinstance(one, int) else one for name, one in wanted.items()}


def png_bytes(name: str, image: NDArray[np.uint8]) -> bytes:
    """A picture as PNG, pixel by pixel. Raises `EvidenceError` where it is none."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise EvidenceError(f"picture {name!r} of shape {image.shape} cannot be kept: give (height, width, 3) of uint8")
    return bytes(cv2.imencode(".png", image)[1])


def json_bytes(name: str, record: Any, *, dense: bool = False) -> bytes:
    """A record as JSON that is always the same; `dense` on one line, for numbers by the hundred that nobody reads.

    Raises
    ------
    EvidenceError
        When it is not JSON.
    """
    indent = None if dense else 1  # with one, Python writes it without its C encoder: four times as slow
    try:
        return (json.dumps(record, indent=indent, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise EvidenceError(f"record {name!r} is not JSON ({error})") from error


def sign_manifest(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    """What the file of a signature over a manifest's bytes holds."""
    return signature_bytes(key.public_key().public_bytes_raw(), key.sign(manifest))


def signature_bytes(public_key: bytes, signature: bytes) -> bytes:
    """What a signature's file holds, to the byte."""
    told = {"public_key": public_key, "signature": signature}
    encoded = {name: base64.b64encode(raw).decode() for name, raw in told.items()}
    return json_bytes("signature", {"algorithm": "Ed25519", **encoded})
