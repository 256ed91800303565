"""How sure an encoder is of its figures: MISB ST 1010.3 standard deviations in ST 0601 tag 102 (SDCC-FLP).

The pack speaks of the items right before it in its packet, as many as its matrix has rows:

    rows (BER-OID), parse control, bit vector if sparse, standard deviations, correlation coefficients

Standard deviations are floats in the unit of the item they are of: degrees, of latitude and longitude too, and metres.
ST 0601 asks for parse control of two bytes (mode 2). Correlations are passed over: figures are taken as independent.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from vision.ber import ber_oid
from vision.errors import MetadataError

__all__ = ["decode_deviations"]

_MODE_2, _SPARSE = 0x80, 0x20
_MAPPED = 0x10
_LENGTH = 0x0F
_FLOATS = {2: ">e", 4: ">f", 8: ">d"}


class _UnfitError(MetadataError):
    """A pack that is set aside."""

    def __init__(self, what: str) -> None:
        super().__init__(f"tag 102 (standard deviations) {what}")


def decode_deviations(raw: bytes, before: Sequence[int]) -> dict[int, float]:
    """One sigma of the items right before a pack, by tag number; empty where it has correlations alone.

    Parameters
    ----------
    raw
        The value of tag 102.
    before
        Tags before it in the packet, in their order, from the last such pack on.

    Raises
    ------
    MetadataError
        When it is of another form, cut short, speaks of more items than there are, or holds what is no deviation.
    """
    rows, at = ber_oid(raw, 0, len(raw))
    if not 1 <= rows <= len(before):
        raise _UnfitError(f"speaks of {rows} items, with {len(before)} before it")
    if len(raw) < at + 2 or not raw[at] & _MODE_2:
        raise _UnfitError("has no parse control of two bytes")
    correlations, deviations = raw[at], raw[at + 1]
    at += 2
    pairs = rows * (rows - 1) // 2
    if correlations & _SPARSE:
        vector = raw[at : at + (pairs + 7) // 8]
        at += (pairs + 7) // 8
        pairs = int.from_bytes(vector, "big").bit_count()
    each = deviations & _LENGTH
    if len(raw) != at + rows * each + pairs * (correlations & _LENGTH):
        raise _UnfitError(f"has {len(raw)} bytes, which is not what its parse control says")
    if not each:
        return {}
    if deviations & _MAPPED or each not in _FLOATS:
        raise _UnfitError(f"has deviations in a form of {each} bytes that is no float: their range is not told")
    values = [struct.unpack_from(_FLOATS[each], raw, at + each * k)[0] for k in range(rows)]
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise _UnfitError("holds a deviation that is negative or not finite")
    return dict(zip(before[-rows:], values, strict=True))
