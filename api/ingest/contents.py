"""Whether a file of evidence looks like what its name says, told from bytes that pass by on their way to the store.

It is no decoder: the first bytes must be those of the format, JSON must be JSON, and a picture may not unfold to more
than can be held. What looks right may still be broken inside; nothing here is ever run or shown in place.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Final, NoReturn

from api.errors import TooLargeError, UnprocessableError

__all__ = ["LARGEST_JSON", "LARGEST_PICTURE", "ContentCheck"]

LARGEST_JSON: Final = 4 << 20
"""Bytes of JSON that are read: empty lists take 25 times as much memory when parsed, and a second."""
LARGEST_PICTURE: Final = 1 << 26
"""Pixels of a PNG: whoever opens it, as redaction does, takes three bytes or more for each."""
_PARSING: Final = threading.BoundedSemaphore(1)  # one at a time: that much memory once
_HEAD: Final = 512
_TS_PACKET: Final = 188  # ISO/IEC 13818-1, 2.4.3: each packet begins with the sync byte 0x47
_KLV_KEY: Final = b"\x06\x0e\x2b\x34"  # SMPTE 336M: every universal key begins so


def _is_ts(head: bytes) -> bool:
    return len(head) >= _TS_PACKET and set(head[::_TS_PACKET]) == {0x47}


def _is_png(head: bytes) -> bool:
    # The signature, then IHDR with width and height (ISO/IEC 15948, 5.2 and 11.2.2).
    return head.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and len(head) >= 24


_LOOKS: Final[dict[str, tuple[str, Callable[[bytes], bool]]]] = {
    ".ts": ("an MPEG transport stream", _is_ts),
    ".mp4": ("an MP4 file", lambda head: head[4:8] in {b"ftyp", b"styp"}),  # ISO/IEC 14496-12, 4.3 and 8.16.2
    ".mkv": ("a Matroska file", lambda head: head.startswith(b"\x1a\x45\xdf\xa3")),  # RFC 8794, 11.2.1
    ".webm": ("a WebM file", lambda head: head.startswith(b"\x1a\x45\xdf\xa3")),
    ".jpg": ("a JPEG picture", lambda head: head.startswith(b"\xff\xd8\xff")),
    ".jpeg": ("a JPEG picture", lambda head: head.startswith(b"\xff\xd8\xff")),
    ".png": ("a PNG picture", _is_png),
    ".webp": ("a WebP picture", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),  # RFC 9649, 2.4
    # Telemetry out of a transport stream may have a header of a few bytes before its first key.
    ".klv": ("KLV telemetry", lambda head: _KLV_KEY in head[:64]),
    ".json": ("JSON", lambda _head: True),
    ".sig": ("JSON", lambda _head: True),
}
_PARTS: Final = {
    "clip": {".ts", ".mp4", ".mkv", ".webm"},
    "manifest": {".json"},
    "thumbnail": {".jpg", ".jpeg", ".png", ".webp"},
}
"""Endings of the parts with a meaning; other files may have any ending of `_LOOKS`."""


class ContentCheck:
    """Looks at a file as its bytes come in; memory is bounded by `LARGEST_JSON`.

    Parameters
    ----------
    part
        What it is: clip, manifest, thumbnail, or the name of another file.
    name
        Its file name, whose ending says its format.

    Raises
    ------
    UnprocessableError
        When the ending is not one of evidence, or not one that `part` may have.
    """

    def __init__(self, part: str, name: str) -> None:
        self._what = f"the {part} {name}" if part in _PARTS else name
        ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
        allowed = _PARTS.get(part, set(_LOOKS))
        if ending not in allowed:
            raise UnprocessableError(f"{self._what} has no ending that is taken here: {', '.join(sorted(allowed))}")
        self._ending = ending
        self._format, self._looks_right = _LOOKS[ending]
        self._is_json = self._format == "JSON"
        self._kept = bytearray()

    def take(self, chunk: bytes) -> None:
        """The next bytes.

        Raises
        ------
        TooLargeError
            When it is JSON and larger than `LARGEST_JSON`.
        """
        if self._is_json:
            if len(self._kept) + len(chunk) > LARGEST_JSON:
                raise TooLargeError(f"{self._what} is over {LARGEST_JSON} bytes, the most for JSON: send less of it")
            self._kept += chunk
        elif len(self._kept) < _HEAD:
            self._kept += chunk[: _HEAD - len(self._kept)]

    def finish(self) -> None:
        """Judge what came.

        Raises
        ------
        UnprocessableError
            When it is not what its name says, or a picture that unfolds to more than can be held.
        """
        head = bytes(self._kept)
        if not self._looks_right(head):
            raise UnprocessableError(f"{self._what} does not begin as {self._format} does: send what its name says")
        if self._is_json:
            self._parse(head)
        if self._ending == ".png":
            width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
            if not 0 < width * height <= LARGEST_PICTURE:
                raise UnprocessableError(
                    f"{self._what} has {width} x {height} pixels: send one of {LARGEST_PICTURE} at most, and not empty"
                )

    def _parse(self, content: bytes) -> None:
        try:
            with _PARSING:
                json.loads(content.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
            where = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
            raise UnprocessableError(f"{self._what} is no JSON in UTF-8{where}: send what its name says") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which RFC 8259, 6, does not have
