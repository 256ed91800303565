"""Lengths and tag numbers in the basic encoding rules, as KLV has them."""

from __future__ import annotations

from vision.errors import MetadataError

__all__ = ["ber_length", "ber_oid"]

_MAX_PACKET = 1 << 20
_SHORT_FORM = 0x80


def ber_length(data: bytes, at: int) -> tuple[int, int]:
    """A BER length at `at` and the position after it (ISO/IEC 8825-1, 8.1.3; definite forms only)."""
    if at >= len(data):
        raise MetadataError("KLV packet ends before a length field: discard it")
    first = data[at]
    if first < _SHORT_FORM:
        return first, at + 1
    count = first & 0x7F
    if not 1 <= count <= 8 or at + 1 + count > len(data):
        raise MetadataError(f"KLV length field 0x{first:02x} at byte {at} is broken: discard the packet")
    length = int.from_bytes(data[at + 1 : at + 1 + count], "big")
    if length > _MAX_PACKET:
        raise MetadataError(f"KLV length field at byte {at} says {length} bytes: discard the packet")
    return length, at + 1 + count


def ber_oid(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A BER-OID tag number at `at` and the position after it: seven bits a byte, the high bit says "more"."""
    tag = 0
    for position in range(at, min(at + 4, end)):
        tag = tag << 7 | data[position] & 0x7F
        if data[position] < _SHORT_FORM:
            return tag, position + 1
    raise MetadataError(f"KLV tag at byte {at} is broken: discard the packet")
