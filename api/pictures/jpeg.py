"""Whether bytes are a JPEG picture, and how large it is, from its headers: nothing is unfolded to find out.

ITU-T T.81, annex B: a picture is a row of segments, each a marker with its length, up to the scan; the frame header
(SOF) among them says the size that whoever shows the picture will take memory for.
"""

from __future__ import annotations

from typing import Final

from api.errors import UnprocessableError

__all__ = ["jpeg_size"]

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_SHOWN: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what browsers show
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # all frame headers
_BARE: Final = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a segment, which have no place before the scan


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a JPEG picture, as its frame header says.

    Raises
    ------
    UnprocessableError
        When it is none, is cut short, or is of a kind that browsers do not show.
    """
    if not data.startswith(_START) or not data.endswith(_END):
        raise UnprocessableError("the picture does not begin and end as JPEG does: send one whole JPEG picture")
    size: tuple[int, int] | None = None
    at = len(_START)
    while True:
        marker, at = _marker(data, at)
        if marker == _SCAN:
            if size is None:
                raise UnprocessableError("the picture has a scan before its frame header: send a JPEG picture")
            return size
        length = int.from_bytes(data[at : at + 2])
        if marker in _BARE or length < 2 or at + length > len(data):
            raise UnprocessableError(f"the picture's segments are broken at byte {at}: send a JPEG picture")
        if marker in _FRAMES:
            if marker not in _SHOWN or size is not None:
                raise UnprocessableError("the picture is of a kind that browsers do not show: send a baseline JPEG")
            size = _size(data[at + 2 : at + length])
        at += length


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker that stands at a place, which any number of fill bytes may precede, and the place after it."""
    begin = at
    while data[at : at + 1] == b"\xff":
        at += 1
    if at == begin or at >= len(data):
        raise UnprocessableError(f"the picture has no marker at byte {begin}: send a JPEG picture")
    return data[at], at + 1


def _size(header: bytes) -> tuple[int, int]:
    """Of a frame header: precision, height, width, number of components, three bytes for each."""
    parts = header[5] if len(header) > 5 else 0
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    if parts not in {1, 3} or len(header) != 6 + 3 * parts or header[0] != 8 or not width or not height:
        raise UnprocessableError("the picture's frame header is none of 8 bits, grey or colour: send a baseline JPEG")
    return width, height
