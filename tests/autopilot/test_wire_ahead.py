"""What is packed ahead is, byte for byte, what pymavlink packs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.wire import Codec, Signing
from autopilot.wire_ahead import Ahead

ITEM = mav.MAVLink_mission_item_int_message
SMALL, WORD, PLACE = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(-(2**31), 2**31 - 1)
FLOAT = st.floats(width=32) | st.just(0.0)
ITEMS = st.tuples(SMALL, SMALL, WORD, SMALL, WORD, SMALL, SMALL, FLOAT, FLOAT, FLOAT, FLOAT, PLACE, PLACE, FLOAT, SMALL)


@given(ITEMS, SMALL, SMALL, st.integers(0, 255))
def test_items(fields, system, component, seq):
    codec = mav.MAVLink(None, srcSystem=system, srcComponent=component)
    codec.seq = seq
    ahead = Ahead(ITEM, fields)
    assert ahead.pack(codec) == bytes(ITEM(*fields).pack(codec))
    assert ahead.target_component == fields[1]


@pytest.mark.parametrize("count", [0, 1, 0xFFFF])
def test_zeros_at_the_end_are_not_sent_but_for_the_first_byte(count):
    codec = mav.MAVLink(None)
    fields = (0, 0, count, 0)
    assert Ahead(mav.MAVLink_mission_count_message, fields).pack(codec) == bytes(
        mav.MAVLink_mission_count_message(*fields).pack(codec)
    )


def test_a_signed_link_signs_it():
    fields = (1, 1, 5, 3, 16, 0, 1, 0.0, 0.0, 0.0, 0.0, 7, 8, 9.0, 0)
    packet = Codec(255, 190, Signing("secret")).encode(Ahead(ITEM, fields))
    assert packet[2] & mav.MAVLINK_IFLAG_SIGNED
    key = hashlib.sha256(b"secret").digest()
    assert hashlib.sha256(key + packet[:-6]).digest()[:6] == packet[-6:]


def test_sequence_numbers_go_on():
    codec = Codec(255, 190)
    ahead = Ahead(mav.MAVLink_mission_count_message, (1, 1, 5, 0))
    assert [codec.encode(ahead)[4] for _ in range(3)] == [0, 1, 2]
