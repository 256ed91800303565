"""A message that is packed before it is needed: when its turn comes only its head and its checksum are left to make.

Pymavlink's message is not made for it at all: it would be most of what an item of a list costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["Ahead"]

_START = 0xFFFF
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

    __slots__ = ("_fields", "_kind", "_payload", "target_component")

    def __init__(self, kind: Any, fields: Sequence[float]) -> None:
        self._kind = kind
        self._fields = fields
        # Zeros at the end are not sent, but for the first byte (MAVLink 2).
        payload = kind.unpacker.pack(*_on_the_wire(kind)(fields))
        self._payload = payload.rstrip(b"\0") or payload[:1]
        self.target_component = fields[kind.fieldnames.index("target_component")]

    def pack(self, sender: Any) -> bytes:
        """The packet, with the sequence number and the names of a `MAVLink` object."""
        if sender.signing.sign_outgoing or mav.mcrf4xx is None:
            return bytes(self._kind(*self._fields).pack(sender))
        payload, kind = self._payload, self._kind
        head = bytes((len(payload), 0, 0, sender.seq, sender.srcSystem, sender.srcComponent))
        body = head + kind.id.to_bytes(3, "little") + payload
        crc = mav.mcrf4xx(body + bytes((kind.crc_extra,)), _START)
        return _V2 + body + crc.to_bytes(2, "little")  # type: ignore[no-any-return]


_orders: dict[int, Callable[[Any], Any]] = {}


def _on_the_wire(kind: Any) -> Callable[[Any], Any]:
    """Puts fields into the order in which they travel: the large ones first."""
    order = _orders.get(kind.id)
    if order is None:
        order = _orders[kind.id] = itemgetter(*(kind.fieldnames.index(name) for name in kind.ordered_fieldnames))
    return order
