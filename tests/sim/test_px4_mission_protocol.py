"""Uploads, read-backs and refusals, as PX4 answers them (its mavlink_mission.cpp)."""

import math
import struct
import zlib

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.crafts import KINDS, every_kind, px4_kinds, tail_ids
from tests.sim.mav_client import HOME, Client, fleet, item, vehicle, waypoint

PX4 = {"autopilot": "px4", "frame": "copter"}
LAT, LON, _ = HOME
NAN = math.nan


def small(up_m=30.0):
    return [
        item(22, frame=6, params=(0, 0, 0, NAN), lat=LAT, lon=LON, z=up_m),
        item(178, frame=2, params=(1.0, 8.0, -1.0)),
        item(205, frame=2, params=(-57.0, 0.0, 90.0), z=2.0),
        item(16, frame=6, params=(0, 2, 0, NAN), lat=31.342, lon=LON, z=up_m),
        item(16, frame=6, params=(0, 2, 0, NAN), lat=31.342, lon=-110.937, z=up_m),
        item(20, frame=2),
    ]


def opaque_id(ack):
    """MISSION_ACK.opaque_id, which stands behind the four bytes of the older definition."""
    return tail_ids(ack, 4, 1)[0]


def upload(client, items, kind=0):
    """The final MISSION_ACK of an upload."""
    client.count(len(items), kind)
    while True:
        asked = client.wait("MISSION_REQUEST_INT", "MISSION_ACK", where=lambda m: m.mission_type == kind)
        if asked.get_type() == "MISSION_ACK":
            return asked
        client.item(asked.seq, items[asked.seq], kind)


@px4_kinds
def test_the_first_item_is_the_first_item_and_all_reads_back(kind):
    with vehicle(**kind.config) as client:
        sent = small()
        assert client.upload(sent) == 0
        back = client.download()
    assert [(m.seq, m.command, m.frame) for m in back] == [(n, s[1], s[0]) for n, s in enumerate(sent)]
    for got, (_, _, p1, p2, p3, p4, x, y, z) in zip(back, sent, strict=True):
        assert (got.x, got.y, got.z) == (x, y, pytest.approx(z))
        for one, other in zip((got.param1, got.param2, got.param3, got.param4), (p1, p2, p3, p4), strict=True):
            assert one == pytest.approx(other) or (math.isnan(one) and math.isnan(other))


def test_a_fence_comes_back_without_autocontinue():
    """As PX4 main of May 2026 answers, whose fence points have no room for it; rally points keep it."""
    corners = [item(5001, params=(3.0,), lat=LAT + n / 100, lon=LON + e / 100) for n, e in ((-1, 0), (1, -1), (1, 1))]
    with vehicle(**PX4) as client:
        assert client.upload(corners, 1) == client.upload([item(5100, frame=3, lat=LAT, lon=LON, z=9.0)], 2) == 0
        assert [m.autocontinue for m in client.download(1)] == [0, 0, 0]
        assert [m.autocontinue for m in client.download(2)] == [1]


def test_who_asks_in_floats_is_asked_in_floats_until_he_says_otherwise():
    """And the present item is marked, as PX4 main of May 2026 does both."""
    with vehicle(**PX4) as client:
        assert client.upload(small()) == 0
        assert [m.current for m in client.download()] == [1, 0, 0, 0, 0, 0]
        client.send_list_request()
        client.wait("MISSION_COUNT")
        client.send(mav.MAVLink_mission_request_message(1, 1, 0, 0))
        assert client.wait("MISSION_ITEM").current == 1
        client.send(mav.MAVLink_mission_ack_message(1, 1, 0, 0))
        client.count(6)
        asked = ["MISSION_REQUEST", *["MISSION_REQUEST_INT"] * 5]
        for seq, (kind, one) in enumerate(zip(asked, small(), strict=True)):
            assert (
                client.wait("MISSION_REQUEST", "MISSION_REQUEST_INT", where=lambda m, s=seq: m.seq == s).get_type()
                == kind
            )
            client.item(seq, one)
        assert client.wait("MISSION_ACK").type == 0


def test_what_is_kept_of_a_place():
    sent = [
        item(22, frame=3, params=(15.0, 7.0, 7.0, -90.0), lat=LAT, lon=LON, z=20.0),
        item(16, frame=0, params=(3.0, 4.0, 5.0, 350.0), lat=LAT, lon=LON, z=1300.0),
        item(19, frame=6, params=(9.0, 2.0, 60.0, 0.5), lat=LAT, lon=LON, z=20.0),
        item(21, frame=6, params=(40.0, 1.0, 5.0, 370.0), lat=LAT, lon=LON),
    ]
    with vehicle(**PX4) as client:
        assert client.upload(sent) == 0
        back = client.download()
        kept = [(m.frame, m.param1, m.param2, m.param3, m.param4) for m in back]
        client.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        client.wait("MISSION_COUNT")
        client.send(mav.MAVLink_mission_request_message(1, 1, 0, 0))
        as_float = client.wait("MISSION_ITEM")
    assert kept == [
        (6, 0.0, 0.0, 0.0, pytest.approx(270.0)),
        (5, 3.0, 4.0, 0.0, pytest.approx(350.0)),
        (6, 9.0, 1.0, 60.0, 1.0),
        (6, 0.0, 1.0, 0.0, pytest.approx(10.0)),
    ]
    assert (as_float.frame, as_float.x) == (3, pytest.approx(LAT, abs=1e-5))


@pytest.mark.parametrize(
    ("bad", "result"),
    [
        pytest.param(item(4242, frame=2), 3, id="unknown action"),
        pytest.param(item(16, frame=10, lat=LAT, lon=LON, z=50.0), 2, id="terrain frame"),
        pytest.param(item(16, frame=2), 3, id="place without a frame"),
        pytest.param(item(178, frame=0, params=(1.0, 8.0)), 3, id="action in a global frame"),
        pytest.param(item(178, frame=10, params=(1.0, 8.0)), 2, id="action in a terrain frame"),
        pytest.param(item(112, frame=6), 3, id="condition in a global frame"),
    ],
)
def test_refuses_a_bad_item_at_once_and_keeps_the_old_list(bad, result):
    with vehicle(**PX4) as client:
        assert client.upload(small()) == 0
        assert client.upload([small()[0], bad, small()[0]]) == result
        assert len(client.download()) == len(small())


def test_an_upload_that_stops_leaves_the_old_list_and_no_acknowledgement():
    with vehicle(**PX4) as client:
        assert client.upload(small(30.0)) == 0
        fresh = small(60.0)
        client.count(len(fresh))
        for seq in range(4):
            client.wait("MISSION_REQUEST_INT", where=lambda m, s=seq: m.seq == s)
            client.item(seq, fresh[seq])
        # Asked for again and again, then only a text.
        later = list(client.messages(3.0))
        assert {m.seq for m in later if m.get_type() == "MISSION_REQUEST_INT"} == {4}
        assert sum(m.get_type() == "MISSION_REQUEST_INT" for m in later) >= 3
        assert not [m for m in later if m.get_type() == "MISSION_ACK"]
        assert "Mission sync timeout\t" in client.texts
        assert {m.z for m in client.download() if m.command == 16} == {30.0}


def test_cancelling_and_beginning_again():
    with vehicle(**PX4) as client:
        client.count(4)
        client.wait("MISSION_REQUEST_INT", where=lambda m: m.seq == 0)
        client.count(4)  # the request may have been lost
        client.wait("MISSION_REQUEST_INT", where=lambda m: m.seq == 0)
        client.item(0, small()[0])
        client.wait("MISSION_REQUEST_INT", where=lambda m: m.seq == 1)
        client.count(4)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        client.send(mav.MAVLink_mission_ack_message(1, 1, mav.MAV_MISSION_OPERATION_CANCELLED, 0))
        assert client.upload(small()) == 0


def test_one_transfer_at_a_time_for_all_lists_and_peers():
    with fleet(**PX4) as ends, Client(ends[0]) as first, Client(ends[0], sysid=254) as second:
        first.count(5)
        first.wait("MISSION_REQUEST_INT")
        second.count(3)
        assert second.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        first.count(3, kind=1)  # before the first item it is taken for the same again
        assert first.wait("MISSION_REQUEST_INT").mission_type == 0
        first.item(0, small()[0])
        first.wait("MISSION_REQUEST_INT", where=lambda m: m.seq == 1)
        first.count(3, kind=1)
        assert first.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        second.item(0, small()[0])
        second.wait_text("partner id mismatch")
        first.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        first.wait_text("IGN CLEAR CMD")


def test_items_out_of_turn_are_passed_over_and_requests_end_a_download():
    with vehicle(**PX4) as client:
        sent = small()
        client.count(len(sent))
        client.wait("MISSION_REQUEST_INT")
        client.item(3, sent[3])
        assert "MISSION_ACK" not in client.silent(0.1)
        for seq in range(len(sent)):
            client.item(seq, sent[seq])
        ack = client.wait("MISSION_ACK")
        assert ack.type == 0
        client.item(len(sent) - 1, sent[-1])  # the acknowledgement may have been lost
        assert opaque_id(client.wait("MISSION_ACK")) == opaque_id(ack)
        client.item(0, sent[0])
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        client.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        client.wait("MISSION_COUNT")
        for seq, answered in ((0, True), (0, True), (1, True), (4, False)):
            client.send(mav.MAVLink_mission_request_int_message(1, 1, seq, 0))
            answer = client.wait("MISSION_ITEM_INT", "MISSION_ACK")
            assert (answer.get_type() == "MISSION_ITEM_INT") is answered
        assert answer.type == mav.MAV_MISSION_ERROR
        # Nobody downloads: silence.
        client.send(mav.MAVLink_mission_request_int_message(1, 1, 0, 0))
        assert not {"MISSION_ITEM_INT", "MISSION_ACK"} & client.silent(0.2)


def test_the_download_of_an_empty_list_lasts_until_its_end_is_acknowledged():
    """PX4 goes back to idle by MISSION_ACK alone, or by its timeout, however few items there are."""
    with vehicle(**PX4) as client:
        client.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        assert client.wait("MISSION_COUNT").count == 0
        client.count(3)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        client.wait_text("IGN MISSION_COUNT: Busy")
        client.send(mav.MAVLink_mission_ack_message(1, 1, mav.MAV_MISSION_ACCEPTED, 0))
        assert client.upload(small()) == 0


def test_what_comes_late_of_another_list_is_refused_in_the_name_of_this_one_which_goes_on():
    corners = [item(5001, params=(3.0,), lat=LAT + a, lon=LON + b) for a, b in ((0, 0), (0.01, 0), (0, 0.01))]
    with vehicle(**PX4) as client:
        assert client.upload(corners, 1) == 0
        sent = small()
        client.count(len(sent))
        client.wait("MISSION_REQUEST_INT", where=lambda m: m.mission_type == 0)
        client.item(2, corners[2], 1)
        refused = client.wait("MISSION_ACK")
        assert (refused.type, refused.mission_type) == (mav.MAV_MISSION_ERROR, 0)
        # Nor does an acceptance of the other side end an upload: only what cancels it does.
        client.send(mav.MAVLink_mission_ack_message(1, 1, mav.MAV_MISSION_ACCEPTED, 0))
        for seq, one in enumerate(sent):
            client.item(seq, one)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ACCEPTED
        assert len(client.download()) == len(sent)
        assert len(client.download(1)) == 3


def test_lists_have_ids_that_follow_their_contents():
    with vehicle(**PX4) as client:
        one = opaque_id(upload(client, small(30.0)))
        assert one == opaque_id(upload(client, small(30.0))) != 0
        other = opaque_id(upload(client, small(31.0)))
        assert other not in (0, one)
        rally = opaque_id(upload(client, [item(5100, frame=6, lat=LAT, lon=LON, z=20.0)], 2))
        client.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        count = client.wait("MISSION_COUNT")
        assert tail_ids(count, 5, 1) == (other,)
        client.stream(42)
        current = client.wait("MISSION_CURRENT")
        assert (current.seq, current.total) == (0, len(small()))
        assert tail_ids(current, 6, 3) == (other, 0, rally)
        client.send(mav.MAVLink_mission_ack_message(1, 1, 0, 0))
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        assert opaque_id(client.wait("MISSION_ACK")) == 0
        assert tail_ids(client.wait("MISSION_CURRENT", where=lambda m: m.total == 0xFFFF), 6, 3) == (0, 0, rally)


def test_all_lists_are_cleared_at_once_and_acknowledged_once():
    """mavlink_mission.cpp: MAV_MISSION_TYPE_ALL is the type of the answer too."""
    with vehicle(**PX4) as client:
        upload(client, small(30.0))
        upload(client, [item(5100, frame=6, lat=LAT, lon=LON, z=20.0)], 2)
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 255))
        answer = client.wait("MISSION_ACK")
        assert (answer.type, answer.mission_type) == (mav.MAV_MISSION_ACCEPTED, 255)
        for kind in (0, 2):
            client.send(mav.MAVLink_mission_request_list_message(1, 1, kind))
            assert client.wait("MISSION_COUNT").count == 0
            client.send(mav.MAVLink_mission_ack_message(1, 1, 0, kind))


def test_id_is_the_crc_of_the_items_as_they_came():
    """By its definition: CRC-32 from 0, not inverted, over frame, command, autocontinue and seven floats."""
    sent = small()
    crc = 0
    for frame, command, p1, p2, p3, p4, x, y, z in sent:
        raw = struct.pack("<BHB4f2if", frame, command, 1, p1, p2, p3, p4, x, y, z)
        crc = zlib.crc32(raw, crc ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    with vehicle(**PX4) as client:
        assert opaque_id(upload(client, sent)) == crc


@pytest.mark.parametrize(("kind", "most", "one"), [(0, 2000, small()[3]), (1, 64, None), (2, 32, None)])
def test_room(kind, most, one):
    with vehicle(**PX4) as client:
        client.count(most + 1, kind)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_NO_SPACE
        client.count(most, kind)
        assert client.wait("MISSION_REQUEST_INT").seq == 0


def test_a_polygon_of_two_corners_is_refused():
    with vehicle(**PX4) as client:
        good = [item(5001, params=(3.0,), lat=LAT + a, lon=LON + b) for a, b in ((0, 0), (0.01, 0), (0, 0.01))]
        assert client.upload(good, 1) == 0
        bad = [item(5001, params=(2.0,), lat=LAT + a, lon=LON) for a in (0, 0.01)]
        assert client.upload(bad, 1) == mav.MAV_MISSION_ERROR
        assert len(client.download(1)) == 3


def test_jumps_count_from_the_first_item(tmp_path):
    mission = [
        item(22, frame=6, lat=LAT, lon=LON, z=20.0), waypoint(31.3405, LON, 20.0), waypoint(31.3402, LON, 20.0),
        item(177, frame=2, params=(1, 2)), item(20, frame=2),
    ]  # fmt: skip
    kind = next(k for k in KINDS if str(k) == "px4 copter")
    with vehicle(**PX4, speedup=400.0) as client:
        assert client.upload(mission) == 0
        kind.arm_and_start(client)
        client.wait_text("Disarming", timeout_s=30.0)
        assert client.reached == [0, 1, 2, 1, 2, 1, 2]


def test_a_new_mission_in_the_air_begins_at_its_first_item():
    kind = next(k for k in KINDS if str(k) == "px4 copter")
    far = [item(22, frame=6, lat=LAT, lon=LON, z=30.0), waypoint(31.40, LON, 30.0)]
    with vehicle(**PX4, speedup=50.0) as client:
        assert client.upload(far) == 0
        client.stream(33, 42)
        kind.arm_and_start(client)
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.lat > 313405000)
        assert client.upload([waypoint(LAT, LON + 0.002, 30.0), waypoint(LAT, LON, 30.0)]) == 0
        client.wait("GLOBAL_POSITION_INT", where=lambda m: m.lon > -1109385000)
        assert client.wait("MISSION_ITEM_REACHED").seq == 0


@every_kind
def test_a_vehicle_that_rejects_missions_keeps_its_fence(kind):
    with vehicle(**kind.config, faults=sim.Faults(reject_mission=1)) as client:
        assert client.upload(kind.mission()) == 1
        corners = [item(5001, params=(3.0,), lat=LAT + a, lon=LON + b) for a, b in ((0, 0), (0.01, 0), (0, 0.01))]
        assert client.upload(corners, 1) == 0
        assert [m.command for m in client.download(1)] == [5001] * 3
