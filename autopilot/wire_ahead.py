"""A message that is packed before it is needed: when its turn comes only its head and its checksum are left to make.

Pymavlink's message is not made for it at all: it would be most of what an item of a list costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from autopilot.wire_decode import checksum

__all__ = ["Ahead", "framed"]

_V2 = b"\xfd"


class Ahead:
    """A message that `Codec.encode` takes in place of pymavlink's.

    Parameters
    ----------
    kind
        Pymavlink's class of the message: one to a vehicle, of figures only.
    fields
        What pymavlink's class takes, in its order.
    """

    __slots__ = ("_fields", "_kind", "_length", "_tail", "target_component")

    def __init__(self, kind: Any, fields: Sequence[float]) -> None:
        self._kind = kind
        self._fields = fields
        layout = _layouts.get(kind.id) or _layout(kind)
        # Zeros at the end are not sent, but for the first byte (MAVLink 2).
        payload = layout.pack(*layout.in_order(fields))
        payload = payload.rstrip(b"\0") or payload[:1]
        self._length = len(payload)
        self._tail = layout.number + payload
        self.target_component = fields[layout.component_at]

    def pack(self, sender: Any) -> bytes:
        """The packet, with the sequence number and the names of a `MAVLink` object."""
        if sender.signing.sign_outgoing:
            return bytes(self._kind(*self._fields).pack(sender))
        head = bytes((self._length, 0, 0, sender.seq, sender.srcSystem, sender.srcComponent))
        return framed(head + self._tail, _layouts[self._kind.id].extra)


def framed(body: bytes, extra: bytes) -> bytes:
    """An unsigned MAVLink 2 frame: what stands between magic byte and checksum, and the byte of its definition."""
    return _V2 + body + checksum(body + extra).to_bytes(2, "little")


class _Layout(NamedTuple):
    """How the fields of a kind of message travel."""

    in_order: Callable[[Any], Any]
    """Puts them into the order in which they travel: the large ones first."""
    pack: Callable[..., bytes]
    number: bytes
    extra: bytes
    component_at: int
    """Which of the fields names the component that it is for."""


_layouts: dict[int, _Layout] = {}


def _layout(kind: Any) -> _Layout:
    in_order = itemgetter(*(kind.fieldnames.index(name) for name in kind.ordered_fieldnames))
    number, extra = kind.id.to_bytes(3, "little"), bytes((kind.crc_extra,))
    component_at = kind.fieldnames.index("target_component")
    layout = _layouts[kind.id] = _Layout(in_order, kind.unpacker.pack, number, extra, component_at)
    return layout
