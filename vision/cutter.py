"""Evidence of each crossing as it is found: what `watch` calls."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vision.errors import EvidenceError
from vision.evidence import SourceFile, track_overlay, write_evidence
from vision.source import Source
from vision.types import Crossing, EvidenceRef, Track

__all__ = ["EvidenceWriter"]

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


class EvidenceWriter:
    """Writes a folder of evidence for each crossing of one recording.

    The folder is named after the crossing's `source_id` (`folder_of`); it holds the clip around the track's stay near
    the line, the picture of the crossing, the boxes of the track, and the record. Watching the recording again
    replaces it.

    Parameters
    ----------
    root
        Folder of the folders.
    source
        The source that is watched; its recording is hashed once, at the first crossing.
    pre_s, post_s
        Seconds of clip before and after the crossing.
    key
        Signs the manifests.
    written_us
        Time of writing to record, microseconds UTC; None takes now.

    Raises
    ------
    EvidenceError
        From `__call__`: as `write_evidence`; a live stream is no recording to cut from.
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
        if self._file is None:
            raise EvidenceError(f"{self._source.name}: a live stream cannot be cut: record it, and watch the recording")
        self._hashed = self._hashed or SourceFile.of(self._file)
        record = crossing.to_json()
        record.pop("evidence")
        return write_evidence(
            self.folder_of(crossing),
            self._hashed,
            crossing.time_us,
            crossing.time_us,
            pictures={"crossing": crossing.time_us},
            overlay=track_overlay([track]),
            records={"record": record},
            model=crossing.model,
            # The frames' own clock: the recording's stamps where it has some, else the start the source was given.
            start_time=None if self._source.time_basis == "klv" else self._source.start_us,
            pre_s=self._pre_s,
            post_s=self._post_s,
            key=self._key,
            written_us=self._written_us,
            replace=True,
        ).ref
