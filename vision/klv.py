"""MISB ST 0601 UAS Datalink local sets: bytes in, named figures out.

Written from the tables of MISB ST 0601.17, ST 1201.5 (IMAPB) and ST 0107.4 (KLV); one row of `FIELDS` a tag. It shares
no code with any encoder, so that an error on one side of a wire shows on the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vision.ber import ber_length, ber_oid
from vision.errors import MetadataError
from vision.klv_sigma import decode_deviations

__all__ = ["FIELDS", "UAS_LOCAL_SET_KEY", "KlvField", "KlvFile", "KlvPacket", "decode_klv", "read_klv", "split_klv"]

UAS_LOCAL_SET_KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
"""Universal label of the UAS Datalink local set (ST 0601, 6.2)."""

_DEVIATIONS = 102

Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class KlvField:
    """How one tag is read.

    Parameters
    ----------
    name
        Name of the figure with its unit, e.g. ``sensor_lat_deg``.
    decode
        Function from the value's bytes to the figure; None is the standard's own "out of range" or "no value".
    sizes
        Lengths in bytes that the standard allows.
    """

    name: str
    decode: Callable[[bytes], Value]
    sizes: range


@dataclass(frozen=True, slots=True)
class KlvPacket:
    """One decoded ST 0601 packet.

    Parameters
    ----------
    values
        Figures by tag number, in the units of `FIELDS`; None where the encoder said "out of range".
    unknown
        Bytes of the tags that `FIELDS` does not know, or whose size the standard does not allow, by tag number.
    problems
        One message a tag that was set aside for its size. Real encoders do this (a flight in the test data sends tag
        22 in four bytes instead of two), and the rest of such a packet, whose checksum holds, is sound.
    sigmas
        One sigma of figures by tag number, in their units, where the encoder states it (tag 102).
    """

    values: Mapping[int, Value]
    unknown: Mapping[int, bytes]
    problems: tuple[str, ...] = ()
    sigmas: Mapping[int, float] = field(default_factory=dict)

    @property
    def time_us(self) -> int | None:
        """Precision time stamp, tag 2: UTC microseconds since the Unix epoch, or None."""
        value = self.values.get(2)
        return value if isinstance(value, int) else None

    def number(self, tag: int) -> float | None:
        """The figure of a tag, or None where it is absent, out of range or not a number."""
        value = self.values.get(tag)
        return float(value) if isinstance(value, int | float) else None

    def named(self) -> dict[str, Value]:
        """The figures by name."""
        return {FIELDS[tag].name: value for tag, value in self.values.items()}


@dataclass(slots=True)
class KlvFile:
    """The packets of a raw KLV file and what was wrong with the others.

    Parameters
    ----------
    packets
        Packets in file order.
    problems
        One message a packet that was refused, and one a tag that was set aside.
    """

    packets: list[KlvPacket] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def decode_klv(data: bytes) -> KlvPacket:
    """Decode one UAS Datalink packet, key first.

    Parameters
    ----------
    data
        The whole packet: 16 bytes of key, BER length, local set.

    Returns
    -------
    KlvPacket
        Its figures; a tag that comes twice keeps its last value, as ST 0107 has it.

    Raises
    ------
    MetadataError
        On another key, a length that runs past the end, a missing checksum or one that does not match. Nothing of such
        a packet is used.
    """
    if data[:16] != UAS_LOCAL_SET_KEY:
        raise MetadataError(f"KLV packet begins with {data[:16].hex() or 'nothing'}: not a MISB ST 0601 local set")
    length, start = ber_length(data, 16)
    end = start + length
    if end > len(data):
        raise MetadataError(f"KLV packet of {length} bytes is cut short after {len(data) - start}: discard it")
    values: dict[int, Value] = {}
    unknown: dict[int, bytes] = {}
    problems: list[str] = []
    sigmas: dict[int, float] = {}
    before: list[int] = []
    position, checked = start, False
    while position < end:
        tag, position = ber_oid(data, position, end)
        size, position = ber_length(data, position)
        if position + size > end:
            raise MetadataError(f"KLV tag {tag} of {size} bytes runs past the end of its packet: discard the packet")
        raw = data[position : position + size]
        if tag == 1:
            _verify_checksum(data[:position], raw)
            checked = True
        position += size
        if tag == _DEVIATIONS:
            sigmas |= _deviations(raw, before, unknown, problems)
            before.clear()
            continue
        before.append(tag)
        known = FIELDS.get(tag)
        if known is None or not size:  # ST 0601 lets an encoder send length zero for "unknown from now on"
            unknown[tag] = raw
            continue
        if size not in known.sizes:
            problems.append(f"tag {tag} ({known.name}) has {size} bytes, the standard allows {_sizes(known.sizes)}")
            unknown[tag] = raw
            continue
        values[tag] = known.decode(raw)
    if not checked:
        raise MetadataError("KLV packet has no checksum (tag 1): it cannot be trusted, discard it")
    return KlvPacket(values, unknown, tuple(problems), sigmas)


def split_klv(data: bytes) -> Iterator[bytes]:
    """The UAS Datalink packets in a run of bytes, in order; what lies between them is skipped.

    A packet whose length field is broken or runs past the end is yielded as far as it goes, so that `decode_klv` says
    what is wrong with it and the caller can count it.
    """
    at = data.find(UAS_LOCAL_SET_KEY)
    while at >= 0:
        following = data.find(UAS_LOCAL_SET_KEY, at + 16)
        end = following if following >= 0 else len(data)
        try:
            length, start = ber_length(data, at + 16)
        except MetadataError:
            pass
        else:
            end = min(start + length, end)  # a broken length must not swallow the sound packets after it
        yield data[at:end]
        at = following


def read_klv(path: str | Path) -> KlvFile:
    """Read a raw ``.klv`` file: packets one after the other.

    Raises
    ------
    MetadataError
        When the file cannot be read or holds no sound packet.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise MetadataError(f"{path}: cannot be read ({error.strerror}): give a raw KLV file") from error
    result = KlvFile()
    for number, raw in enumerate(split_klv(data), 1):
        try:
            packet = decode_klv(raw)
        except MetadataError as error:
            result.problems.append(f"{path}: packet {number}: {error}")
        else:
            result.packets.append(packet)
            result.problems += [f"{path}: packet {number}: {problem}" for problem in packet.problems]
    if not result.packets:
        first = f" (first problem: {result.problems[0]})" if result.problems else ""
        raise MetadataError(f"{path}: holds no sound MISB ST 0601 packet{first}: give a raw KLV file")
    return result


def _deviations(raw: bytes, before: list[int], unknown: dict[int, bytes], problems: list[str]) -> dict[int, float]:
    """One sigma of the items before tag 102; one that is not sound is set aside, and the packet stands without it."""
    try:
        return decode_deviations(raw, before)
    except MetadataError as error:
        problems.append(str(error))
        unknown[_DEVIATIONS] = raw
        return {}


def _sizes(sizes: range) -> str:
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def _verify_checksum(covered: bytes, raw: bytes) -> None:
    """ST 0601 tag 1: the 16-bit sum of the packet's big-endian words up to and including the checksum's own length."""
    if len(raw) != 2:
        raise MetadataError(f"KLV checksum (tag 1) has {len(raw)} bytes instead of 2: discard the packet")
    expected = (sum(covered[0::2]) * 256 + sum(covered[1::2])) & 0xFFFF
    said = int.from_bytes(raw, "big")
    if said != expected:
        raise MetadataError(f"KLV checksum is 0x{said:04x} and should be 0x{expected:04x}: discard the packet")


# Decoders. Each returns a function of the value's bytes.


def _linear(low: float, high: float) -> Callable[[bytes], Value]:
    """Unsigned integer mapped onto [low, high]: all bits clear is low, all bits set is high."""

    def decode(raw: bytes) -> Value:
        return low + int.from_bytes(raw, "big") * (high - low) / ((1 << 8 * len(raw)) - 1)

    return decode


def _symmetric(limit: float) -> Callable[[bytes], Value]:
    """Signed integer mapped onto [-limit, limit]; the most negative integer says "out of range"."""

    def decode(raw: bytes) -> Value:
        value, top = int.from_bytes(raw, "big", signed=True), (1 << (8 * len(raw) - 1)) - 1
        return None if value < -top else value * limit / top

    return decode


def _imapb(low: float, high: float) -> Callable[[bytes], Value]:
    """ST 1201 IMAPB of any length onto [low, high]; infinities, NaN and reserved patterns are None."""

    def decode(raw: bytes) -> Value:
        value = int.from_bytes(raw, "big")
        top_bit = 1 << (8 * len(raw) - 1)
        if value > top_bit:  # exactly the top bit is the largest value when high - low is a power of two
            return None
        range_bits = math.ceil(math.log2(high - low))
        scale = 2.0 ** (8 * len(raw) - 1 - range_bits)
        offset = scale * low - math.floor(scale * low) if low < 0 < high else 0.0
        result = (value - offset) / scale + low
        return result if low <= result <= high else None

    return decode


def _unsigned(raw: bytes) -> Value:
    return int.from_bytes(raw, "big")


def _signed(raw: bytes) -> Value:
    return int.from_bytes(raw, "big", signed=True)


def _text(raw: bytes) -> Value:
    return raw.decode("utf-8", errors="replace")


_1, _2, _4, _8 = range(1, 2), range(2, 3), range(4, 5), range(8, 9)
_TEXT = range(1, 256)
_IMAP = range(2, 9)
_LAT, _LON = _symmetric(90.0), _symmetric(180.0)
_HEIGHT = _linear(-900.0, 19000.0)
_OFFSET = _symmetric(0.075)

FIELDS: Mapping[int, KlvField] = {
    tag: KlvField(name, decode, sizes)
    for tag, name, decode, sizes in (
        (1, "checksum", _unsigned, _2),
        (2, "precision_time_us", _unsigned, _8),
        (3, "mission_id", _text, _TEXT),
        (4, "platform_tail_number", _text, _TEXT),
        (5, "platform_heading_deg", _linear(0.0, 360.0), _2),
        (6, "platform_pitch_deg", _symmetric(20.0), _2),
        (7, "platform_roll_deg", _symmetric(50.0), _2),
        (8, "platform_true_airspeed_mps", _unsigned, _1),
        (9, "platform_indicated_airspeed_mps", _unsigned, _1),
        (10, "platform_designation", _text, _TEXT),
        (11, "image_source_sensor", _text, _TEXT),
        (12, "image_coordinate_system", _text, _TEXT),
        (13, "sensor_lat_deg", _LAT, _4),
        (14, "sensor_lon_deg", _LON, _4),
        (15, "sensor_amsl_m", _HEIGHT, _2),
        (16, "sensor_horizontal_fov_deg", _linear(0.0, 180.0), _2),
        (17, "sensor_vertical_fov_deg", _linear(0.0, 180.0), _2),
        (18, "sensor_relative_azimuth_deg", _linear(0.0, 360.0), _4),
        (19, "sensor_relative_elevation_deg", _symmetric(180.0), _4),
        (20, "sensor_relative_roll_deg", _linear(0.0, 360.0), _4),
        (21, "slant_range_m", _linear(0.0, 5_000_000.0), _4),
        (22, "target_width_m", _linear(0.0, 10_000.0), _2),
        (23, "frame_center_lat_deg", _LAT, _4),
        (24, "frame_center_lon_deg", _LON, _4),
        (25, "frame_center_amsl_m", _HEIGHT, _2),
        *(
            (26 + 2 * corner + axis, f"offset_corner_{name}_{corner + 1}_deg", _OFFSET, _2)
            for corner in range(4)
            for axis, name in enumerate(("lat", "lon"))
        ),
        (38, "density_altitude_m", _HEIGHT, _2),
        (40, "target_lat_deg", _LAT, _4),
        (41, "target_lon_deg", _LON, _4),
        (42, "target_amsl_m", _HEIGHT, _2),
        (45, "target_error_ce90_m", _linear(0.0, 4095.0), _2),
        (46, "target_error_le90_m", _linear(0.0, 4095.0), _2),
        (47, "generic_flags", _unsigned, _1),
        (50, "platform_angle_of_attack_deg", _symmetric(20.0), _2),
        (51, "platform_vertical_speed_mps", _symmetric(180.0), _2),
        (52, "platform_sideslip_deg", _symmetric(20.0), _2),
        (56, "platform_ground_speed_mps", _unsigned, _1),
        (57, "ground_range_m", _linear(0.0, 5_000_000.0), _4),
        (59, "platform_call_sign", _text, _TEXT),
        (65, "st0601_version", _unsigned, range(1, 3)),
        (70, "alternate_platform_name", _text, _TEXT),
        (72, "event_start_time_us", _unsigned, _8),
        (75, "sensor_hae_m", _HEIGHT, _2),
        (76, "alternate_platform_hae_m", _HEIGHT, _2),
        (78, "frame_center_hae_m", _HEIGHT, _2),
        *(
            (82 + 2 * corner + axis, f"corner_{name}_{corner + 1}_deg", decode, _4)
            for corner in range(4)
            for axis, (name, decode) in enumerate((("lat", _LAT), ("lon", _LON)))
        ),
        (90, "platform_pitch_full_deg", _symmetric(90.0), _4),
        (91, "platform_roll_full_deg", _symmetric(90.0), _4),
        (92, "platform_angle_of_attack_full_deg", _symmetric(90.0), _4),
        (93, "platform_sideslip_full_deg", _symmetric(180.0), _4),
        (96, "target_width_extended_m", _imapb(0.0, 1_500_000.0), _IMAP),
        (103, "density_altitude_extended_m", _imapb(-900.0, 40_000.0), _IMAP),
        (104, "sensor_hae_extended_m", _imapb(-900.0, 40_000.0), _IMAP),
        (105, "alternate_platform_hae_extended_m", _imapb(-900.0, 40_000.0), _IMAP),
        (113, "altitude_agl_m", _imapb(-900.0, 40_000.0), _IMAP),
        (136, "leap_seconds", _signed, range(1, 5)),
    )
}
"""What is decoded, by tag number. Latitudes and longitudes are WGS 84; ``amsl`` and ``hae`` name the datum."""
