"""H.264 that has no whole keyframes: each picture renews a strip, and a decoder shows none until all were.

Encoders that send with little delay do so (periodic intra refresh). What containers call a keyframe is then a recovery
point: it tells after how many pictures a decoder that begins there has a whole one. FFmpeg leaves those before out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["left_out", "referred_to"]

_SLICES, _IDR, _SEI, _RECOVERY_POINT = (1, 2, 5), 5, 6, 6  # ITU-T H.264, tables 7-1 and D.1
_START = b"\x00\x00\x01"
_HEAD = 4096
"""Bytes of a packet that are looked at: such a message stands before the picture."""
_MOST_FRAMES = 1 << 16
"""Frames are counted up to here at most before the count begins anew: no more can be told."""


def left_out(packet: Any, video: Any) -> int | None:
    """How many pictures a decoder that begins at a keyframe leaves out, itself the first.

    Counted are those to which others may refer (`referred_to`), as they are decoded; what is shown before the next of
    them is left out too. 0 for a whole one, None where its packet does not tell.

    Parameters
    ----------
    packet
        A keyframe of PyAV.
    video
        Its stream.
    """
    if video.codec_context is None or video.codec_context.name != "h264":
        return 0
    count = None
    for unit in _units(packet, video):
        kind = unit[0] & 31
        if kind == _IDR:
            return 0
        told = _recovery_frames(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")) if kind == _SEI else None
        if told is not None:
            count = max(count or 0, told)
    return count


def referred_to(packet: Any, video: Any) -> bool:
    """Whether other pictures of H.264 may refer to that of a packet; so it is taken where a damaged one does not tell.

    Parameters
    ----------
    packet
        Of PyAV.
    video
        Its stream.
    """
    return next((bool(unit[0] & 0x60) for unit in _units(packet, video) if unit[0] & 31 in _SLICES), True)


def _units(packet: Any, video: Any) -> Iterator[bytes]:
    """Those that a packet begins with; the last may be cut short. None is empty."""
    header = video.codec_context.extradata or b""
    least = 7  # with a head of its own the length of each unit stands before it (ISO/IEC 14496-15, 5.3.3.1)
    length = (header[4] & 3) + 1 if len(header) >= least and header[0] == 1 else None
    yield from (unit for unit in _split(bytes(memoryview(packet)[:_HEAD]), length) if unit)


def _split(data: bytes, length: int | None) -> Iterator[bytes]:
    """Units by the length before each, or the start code (ITU-T H.264, annex B)."""
    if length is None:
        yield from data.split(_START)[1:]
        return
    at = 0
    while at + length < len(data):
        size = int.from_bytes(data[at : at + length])
        yield data[at + length : at + length + size]
        at += length + max(size, 1)


def _recovery_frames(messages: bytes) -> int | None:
    """``recovery_frame_cnt`` of supplemental messages; None without (ITU-T H.264, 7.3.2.3.1 and D.1.8)."""
    at = 0
    while at + 2 < len(messages):
        kind, at = _number(messages, at)
        size, at = _number(messages, at)
        if kind == _RECOVERY_POINT and size:
            bits = "".join(f"{byte:08b}" for byte in messages[at : at + size])
            zeros = len(bits) - len(bits.lstrip("0"))  # Exp-Golomb, 9.1
            told = int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
            return told if told < _MOST_FRAMES else None
        at += size
    return None


def _number(messages: bytes, at: int) -> tuple[int, int]:
    """A kind or size, each byte of 255 going on in the next one; and where it ends."""
    number = 0
    while messages[at : at + 1] == b"\xff":
        number, at = number + 255, at + 1
    return number + sum(messages[at : at + 1]), at + 1
