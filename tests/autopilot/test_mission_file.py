"""ArduPilot's files of lists: beside MISSION_ITEM_INT as pymavlink packs it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import MissionKind, TransferError
from autopilot.mission_file import SPOIL, pack_list, path_of, pieces, unpack_list
from missions import MissionItem

floats = st.floats(width=32, allow_nan=False)
items = st.lists(
    st.builds(
        MissionItem,
        st.just(0), st.integers(0, 21), st.integers(1, 65535), floats, floats, floats, floats,
        st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), floats, st.booleans(),
    ),
    max_size=40,
).map(lambda found: [MissionItem(n, *(getattr(i, f) for f in FIELDS)) for n, i in enumerate(found)])  # fmt: skip
FIELDS = ("frame", "command", "p1", "p2", "p3", "p4", "x", "y", "z", "autocontinue")


@given(items, st.sampled_from(MissionKind))
def test_what_is_packed_is_read_and_lies_as_on_the_wire(found, kind):
    data = pack_list(found, kind, 7, 1)
    assert unpack_list(data, kind) == tuple(found)
    assert data[:10] == struct.pack("<5H", 0x763D, kind, 0, 0, len(found))
    for number, item in enumerate(found):
        message = mav.MAVLink_mission_item_int_message(
            7, 1, number, item.frame, item.command, 0, item.autocontinue, item.p1, item.p2, item.p3, item.p4,
            item.x, item.y, item.z, kind,
        )  # fmt: skip
        packet = message.pack(mav.MAVLink(None, srcSystem=255))
        assert data[10 + 38 * number :][:38] == packet[10 : 10 + packet[1]].ljust(38, b"\0")


@given(st.integers(0, 300))
def test_pieces_hold_whole_items_and_make_up_the_file(count):
    data = pack_list([MissionItem(n, 3, 16, x=n + 1) for n in range(count)], MissionKind.MISSION, 1, 1)
    cut = pieces(data)
    assert b"".join(part for _, part in cut) == data
    for at, part in cut:
        assert data[at : at + len(part)] == part
        assert 0 < len(part) <= 239
        assert at == 0 or (at - 10) % 38 == 0
        assert (at + len(part) - 10) % 38 == 0


def test_500_items_take_19010_bytes():
    data = pack_list([MissionItem(n, 3, 16) for n in range(500)], MissionKind.MISSION, 1, 1)
    assert len(data) == 19010
    assert len(SPOIL) == 10
    assert [path_of(kind) for kind in MissionKind] == [
        "@MISSION/mission.dat",
        "@MISSION/fence.dat",
        "@MISSION/rally.dat",
    ]


GOOD = pack_list([MissionItem(0, 0, 16), MissionItem(1, 3, 22)], MissionKind.MISSION, 1, 1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "are no list"),
        (GOOD[:9], "are no list"),
        (b"\x1b\x67" + GOOD[2:], "begins with 0x671b"),
        (GOOD[:2] + b"\1\0" + GOOD[4:], "for list 1"),
        (GOOD[:-1], "85 bytes for 2 items"),
        (GOOD + b"\0", "87 bytes for 2 items"),
        (GOOD[:6] + b"\1\0" + GOOD[8:], "from 1 on"),
        (GOOD[:8] + b"\3\0" + GOOD[10:], "for 3 items"),
    ],
)
def test_what_is_no_such_file_is_refused(data, words):
    with pytest.raises(TransferError, match=words):
        unpack_list(data, MissionKind.MISSION)


@given(st.binary(max_size=120), st.sampled_from(MissionKind))
def test_noise_is_refused_or_read(data, kind):
    try:
        found = unpack_list(data, kind)
    except TransferError:
        return
    assert len(data) == 10 + 38 * len(found)


def test_a_file_counts_to_65535():
    with pytest.raises(TransferError, match="65536 items"):
        pack_list([MissionItem(0, 0, 16)] * 65536, MissionKind.MISSION, 1, 1)
