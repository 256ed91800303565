"""The decoder by table, beside pymavlink's own."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import wire
from autopilot.wire import Codec, identity
from autopilot.wire_decode import boot_ms_of, decoded, place_of, read, whole_frames

NUMBERS = sorted(mav.mavlink_map)


def frame(number, payload, *, seq=7, system=3, component=4):
    """A MAVLink 2 frame, by hand."""
    payload = payload.rstrip(b"\0") or payload[:1]
    head = struct.pack("<BBBBBBH", len(payload), 0, 0, seq, system, component, number & 0xFFFF)
    body = head + bytes([number >> 16]) + payload
    crc = mav.x25crc(body + bytes([mav.mavlink_map[number].crc_extra])).crc
    return bytearray(b"\xfd" + body + struct.pack("<H", crc))


def fields(message):
    values = {name: getattr(message, name) for name in message.get_fieldnames()}
    # By what they say: a NaN, in a list or not, is none other than itself.
    return {name: repr(value) for name, value in values.items()}


@given(st.sampled_from(NUMBERS), st.binary(min_size=255, max_size=255), st.integers(0, 255))
def test_it_makes_what_pymavlink_makes(number, noise, cut):
    size = mav.mavlink_map[number].unpacker.size
    payload = (noise[:cut] + bytes(255))[: min(size, 255)]
    data = frame(number, payload)
    ours = decoded(bytearray(data), mav.MAVLink(None).decode)
    theirs = mav.MAVLink(None).decode(bytearray(data))
    assert type(ours) is type(theirs)
    assert fields(ours) == fields(theirs)
    assert vars(ours.get_header()) == vars(theirs.get_header())
    assert (ours.get_msgbuf(), ours.get_payload(), ours.get_crc()) == (
        theirs.get_msgbuf(),
        theirs.get_payload(),
        theirs.get_crc(),
    )
    assert ours.get_signed() == theirs.get_signed()


def test_longer_payloads_of_younger_definitions_are_cut():
    data = frame(mav.MAVLINK_MSG_ID_MISSION_COUNT, struct.pack("<HBBBI", 5, 255, 190, 0, 99))
    assert decoded(data, mav.MAVLink(None).decode).count == 5


@given(st.integers(0, 37 * 8 - 1))
def test_a_flipped_bit_is_seen(bit):
    data = frame(mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT, bytes(range(1, 29)))
    place = 1 + bit // 8
    if place in (7, 8, 9):
        return  # another message: pymavlink's business
    data[place] ^= 1 << bit % 8
    with pytest.raises(mav.MAVError):
        decoded(data, mav.MAVLink(None).decode)


SOME = [number for number in NUMBERS if not mav.mavlink_map[number].__name__.startswith("MAVLink_file")]
PAYLOADS = st.tuples(st.sampled_from(SOME), st.binary(min_size=255, max_size=255), st.integers(1, 255))


def made(number, noise, cut):
    size = mav.mavlink_map[number].unpacker.size
    return frame(number, (noise[:cut] + bytes(255))[: min(size, 255)])


@given(st.lists(PAYLOADS, min_size=1, max_size=3), st.integers(0, 400), st.sampled_from([0, 0, 1, 0x80]), st.booleans())
def test_a_datagram_says_the_same_read_at_once_or_byte_by_byte(payloads, place, flip, stub):
    """Whole, damaged, cut short or with something behind it."""
    data = bytearray(b"".join(made(*one) for one in payloads))
    data[place % len(data)] ^= flip
    data = bytes(data) + (b"\xfd\x03" if stub else b"")

    def heard(codec):
        found = codec.feed(data, "peer", datagram=True)
        return [(identity(packet), packet, fields(read(message))) for message, packet in found], codec.bad_bytes

    fast = heard(Codec(255, 190))
    kept, wire.whole_frames = wire.whole_frames, lambda *_: None
    try:
        slow = heard(Codec(255, 190))
    finally:
        wire.whole_frames = kept
    assert fast == slow


@given(PAYLOADS)
def test_an_unread_message_has_all_that_a_read_one_has(payload):
    data = made(*payload)
    ((ours, packet),) = whole_frames(bytes(data), mav.MAVLink(None).decode)
    theirs = mav.MAVLink(None).decode(bytearray(data))
    assert packet == data
    assert boot_ms_of(ours) == getattr(theirs, "time_boot_ms", None)
    for name in ("get_type", "get_srcSystem", "get_srcComponent", "get_seq", "get_msgId", "get_msgbuf"):
        assert getattr(ours, name)() == getattr(theirs, name)()
    assert fields(ours) == fields(theirs)
    assert type(read(ours)) is type(theirs)
    assert not hasattr(ours, "no_such_field")


@pytest.mark.parametrize("spoil", [lambda d: d[:-1], lambda d: b"\0" + d, lambda d: d + b"\xfd", lambda d: d[:2]])
def test_anything_but_whole_frames_is_left_to_the_patient_reader(spoil):
    data = bytes(frame(mav.MAVLINK_MSG_ID_MISSION_COUNT, struct.pack("<HBBB", 5, 255, 190, 0)))
    assert len(whole_frames(data + data, mav.MAVLink(None).decode)) == 2
    assert whole_frames(spoil(data), mav.MAVLink(None).decode) is None


@given(st.integers(0, 2**32 - 1) | st.integers(0, 255), st.sampled_from([0, 1, 2**60]))
def test_the_clock_is_read_where_zeros_at_the_end_were_not_sent(boot_ms, unix_us):
    for message in (
        mav.MAVLink_system_time_message(unix_us, boot_ms),
        mav.MAVLink_global_position_int_message(boot_ms, *[0] * 8),
    ):
        ((ours, _),) = whole_frames(bytes(message.pack(mav.MAVLink(None))), mav.MAVLink(None).decode)
        assert boot_ms_of(ours) == boot_ms


E7 = st.integers(-(2**31), 2**31 - 1) | st.integers(0, 255)


@given(E7, E7, st.sampled_from([0, 90]))
def test_a_place_is_read_where_zeros_at_the_end_were_not_sent(lat, lon, heading):
    message = mav.MAVLink_global_position_int_message(0, lat, lon, 0, 0, 0, 0, 0, heading)
    ((ours, _),) = whole_frames(bytes(message.pack(mav.MAVLink(None))), mav.MAVLink(None).decode)
    assert place_of(ours) == place_of(message) == (lat, lon)


@pytest.mark.parametrize("flags", [1, 2, 0x80])
def test_a_frame_that_wants_more_than_is_known_is_left_to_the_patient_reader(flags):
    data = frame(mav.MAVLINK_MSG_ID_MISSION_COUNT, struct.pack("<HBBB", 5, 255, 190, 0))
    data[2] = flags
    extra = mav.mavlink_map[mav.MAVLINK_MSG_ID_MISSION_COUNT].crc_extra
    data[-2:] = struct.pack("<H", mav.x25crc(bytes(data[1:-2]) + bytes([extra])).crc)
    assert whole_frames(bytes(data), mav.MAVLink(None).decode) is None
    assert Codec(255, 190).feed(bytes(data), "peer", datagram=True) == []
