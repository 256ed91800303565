"""H.264 that has no whole keyframes: each picture renews a strip, and a decoder shows none until all were.

Encoders that send with little delay do so (periodic intra refresh). What containers call a keyframe is then a recovery
point: it tells after how many pictures a decoder that begins there has a whole one. FFmpeg leaves those before out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["left_out"]

_IDR, _SEI, _RECOVERY_POINT = 5, 6, 6  # ITU-T H.264, tables 7-1 and D.1
_START = b"\x00\x00\x01"
_HEAD = 4096
"""Bytes of a packet that are looked at: such a message stands before the picture."""


def left_out(packet: Any, video: Any) -> int:
    """How many pictures, itself the first, a decoder that begins at a keyframe leaves out; 0 for a whole one.

    Parameters
    ----------
    packet
        A keyframe of PyAV.
    video
        Its stream.
    """
    if video.codec_context is None or video.codec_context.name != "h264":
        return 0
    header = video.codec_context.extradata or b""
    least = 7  # with a head of its own the length of each unit stands before it (ISO/IEC 14496-15, 5.3.3.1)
    length = (header[4] & 3) + 1 if len(header) >= least and header[0] == 1 else None
    count = 0
    for unit in _units(bytes(memoryview(packet)[:_HEAD]), length):
        kind = unit[0] & 31
        if kind == _IDR:
            return 0
        if kind == _SEI:
            count = max(count, _recovery_frames(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")))
    return count


def _units(data: bytes, length: int | None) -> Iterator[bytes]:
    """Units of a packet, by the length before each, or the start code (ITU-T H.264, annex B)."""
    if length is None:
        yield from (unit for unit in data.split(_START)[1:] if unit)
        return
    at = 0
    while at + length < len(data):
        size = int.from_bytes(data[at : at + length])
        yield data[at + length : at + length + size]
        at += length + max(size, 1)


def _recovery_frames(messages: bytes) -> int:
    """``recovery_frame_cnt`` of supplemental messages; 0 without (ITU-T H.264, 7.3.2.3.1 and D.1.8)."""
    at = 0
    while at + 2 < len(messages):
        kind = size = 0
        while at < len(messages) and messages[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + messages[at], at + 1
        while at < len(messages) and messages[at] == 255:
            size, at = size + 255, at + 1
        if at >= len(messages):
            break
        size, at = size + messages[at], at + 1
        if kind == _RECOVERY_POINT and size:
            bits = "".join(f"{byte:08b}" for byte in messages[at : at + size])
            zeros = len(bits) - len(bits.lstrip("0"))  # Exp-Golomb, 9.1
            return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
        at += size
    return 0
