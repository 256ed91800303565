"""Evidence of each crossing as it is found: what `watch` calls."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vision.errors import EvidenceError
from vision.evidence import SourceFile, track_overlay, write_evidence
from vision.frames import Source
from vision.records import Crossing, EvidenceRef
from vision.types import Track

__all__ = ["EvidenceWriter"]

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class EvidenceWriter:
    """Writes a folder of evidence for each crossing of one recording or live stream.

    The folder is named after the crossing's `source_id` (`folder_of`); it holds the clip around the track's stay near
    the line, the picture of the crossing, the boxes of the track, and the record. Watching the recording again
    replaces it.

    Parameters
    ----------
    root
        Folder of the folders.
    source
        The source that is watched; its recording is hashed once, at the first crossing. Of a live stream the clip is
        cut out of what its recorder kept, and waits for the seconds after the crossing.
    pre_s, post_s
        Seconds of clip before and after the crossing.
    key
        Signs the manifests.
    written_us
        Time of writing to record, microseconds UTC; None takes now.

    Raises
    ------
    EvidenceError
        From `__call__`: as `write_evidence` and `Recorder.recording`; a live stream that nothing keeps cannot be cut.
    """

    def __init__(
        self,
        root: str | Path,
        source: Source,
        *,
        pre_s: float = 4.0,
        post_s: float = 4.0,
        key: Ed25519PrivateKey | None = None,
        written_us: int | None = None,
    ) -> None:
        self.root = Path(root)
        self._source, self._file = source, None if source.live else Path(source.name)
        self._hashed: SourceFile | None = None
        self._pre_s, self._post_s, self._key, self._written_us = pre_s, post_s, key, written_us

    def folder_of(self, crossing: Crossing) -> Path:
        """Where the evidence of a crossing lies."""
        return self.root / _UNFIT.sub("-", crossing.source_id).strip(".-")

    def __call__(self, crossing: Crossing, track: Track) -> EvidenceRef:
        """Write clip, picture, records and manifest of a crossing."""
        record = crossing.to_json()
        record.pop("evidence")
        with self._recording(crossing.time_us) as (recording, start_us):
            return write_evidence(
                self.folder_of(crossing),
                recording,
                crossing.time_us,
                crossing.time_us,
                pictures={"crossing": crossing.time_us},
                overlay=track_overlay([track]),
                records={"record": record},
                model=crossing.model,
                # The frames' own clock: the stamps of a file where it has some, else when its first picture was.
                start_time=None if self._source.time_basis == "klv" and self._file is not None else start_us,
                pre_s=self._pre_s,
                post_s=self._post_s,
                key=self._key,
                written_us=self._written_us,
                replace=True,
            ).ref

    @contextlib.contextmanager
    def _recording(self, time_us: int) -> Iterator[tuple[SourceFile, int]]:
        """What to cut from, and the time of its first picture, microseconds."""
        if self._file is not None:
            self._hashed = self._hashed or SourceFile.of(self._file)
            yield self._hashed, self._source.start_us
            return
        recorder = self._source.recorder
        if self._source.name.lower().startswith("http"):
            raise EvidenceError(f"{self._source.name}: a recording on a web server cannot be cut: copy it here")
        if recorder is None:
            raise EvidenceError(f"{self._source.name}: a live stream is not kept by itself: open it with a recorder")
        with recorder.recording(time_us, self._pre_s, self._post_s) as kept:
            size = kept.path.stat().st_size
            yield SourceFile(kept.path, "", size, live=self._source.name), kept.start_us
