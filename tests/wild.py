"""Valid MAVLink packets with whatever hypothesis thinks of in them."""

import math
from dataclasses import dataclass

from fastcrc.crc16 import mcrf4xx
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

__all__ = ["FLOATS", "Packet", "fields_of", "packets", "whole"]

WHOLE = {f"{sign}int{bits}_t": (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}
FLOATS = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, -1.0, 3.4e38, 1e-40]) | st.floats(width=32)


def whole(sign, bits):
    low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return st.sampled_from([low, high, 0, 1, 2]) | st.integers(low, high)


def fields_of(kind, systems=(0, 1)):
    """A strategy for the fields of a message, in the order of its making, for one of some systems (0: all)."""
    drawn = []
    for name, of, length in zip(kind.fieldnames, kind.fieldtypes, lengths(kind), strict=True):
        if of == "char":
            drawn.append(st.binary(max_size=max(length, 1)))
        elif name.startswith("target_system"):
            drawn.append(st.sampled_from(systems))
        else:
            one = FLOATS if of in {"float", "double"} else whole(*WHOLE[of.replace("_mavlink_version", "")])
            drawn.append(st.lists(one, min_size=length, max_size=length) if length else one)
    return st.tuples(*drawn)


def lengths(kind):
    """Of the arrays among the fields, in the order of `fieldnames`."""
    by_name = dict(zip(kind.ordered_fieldnames, kind.array_lengths, strict=True))
    return [by_name[name] for name in kind.fieldnames]


@dataclass(frozen=True)
class Packet:
    """A packet of MAVLink 2 whose checksum is right.

    Its payload may be cut off, which stands for zeros, or be longer than this dialect knows, as of a later one.
    """

    message: object
    system: int
    component: int
    sequence: int
    more: int

    @property
    def data(self):
        kind = type(self.message)
        whole_packet = self.message.pack(mav.MAVLink(None))
        payload = whole_packet[10:-2].ljust(kind.unpacker.size, b"\0")
        length = max(1, min(255, len(payload) + self.more))
        payload = payload.ljust(length, b"\7")[:length]
        body = bytes([length, 0, 0, self.sequence, self.system, self.component]) + kind.id.to_bytes(3, "little")
        checksum = mcrf4xx(body + payload + bytes([kind.crc_extra]))
        return b"\xfd" + body + payload + checksum.to_bytes(2, "little")

    def __repr__(self):
        return f"<{self.message} of {self.system}/{self.component}, {self.more:+} bytes>"


def packets(numbers, *, speakers, systems=(0, 1), shortest=-40):
    """Of these messages, from one of some (system, component), to one of some systems; cut off by so much at most."""
    kinds = [mav.mavlink_map[number] for number in numbers]
    message = st.sampled_from(kinds).flatmap(
        lambda kind: fields_of(kind, systems).map(lambda fields: kind(*fields))  # type: ignore[misc]
    )
    more = st.just(0) | st.integers(shortest, 12)
    return st.builds(
        lambda message, who, sequence, more: Packet(message, *who, sequence, more),
        message,
        st.sampled_from(speakers),
        st.integers(0, 255),
        more,
    )
