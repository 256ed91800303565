"""Uploads, read-backs and refusals, as ArduCopter 4.7 answers them."""

import math
import time

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.mav_client import HOME, Client, fleet, home_item, item, small_mission, takeoff, vehicle, waypoint


def square(half_deg=0.01, command=5001, count=4):
    lat, lon, _ = HOME
    corners = [(lat - half_deg, lon - half_deg), (lat - half_deg, lon + half_deg)]
    corners += [(lat + half_deg, lon + half_deg), (lat + half_deg, lon - half_deg)]
    return [item(command, params=(float(count),), lat=a, lon=o) for a, o in corners]


def test_mission_reads_back_by_meaning():
    with vehicle() as client:
        sent = small_mission()
        assert client.upload(sent) == mav.MAV_MISSION_ACCEPTED
        back = client.download()
    assert [m.command for m in back] == [s[1] for s in sent]
    # Item 0 has become the vehicle's home, in absolute height.
    assert (back[0].frame, back[0].x, back[0].y, back[0].z) == (0, 313400000, -1109400000, pytest.approx(1180.0))
    for got, (frame, _, p1, *_, x, y, z) in zip(back[1:], sent[1:], strict=True):
        if frame == 6:
            assert (got.frame, got.x, got.y, got.z) == (3, x, y, pytest.approx(z))
        else:
            assert (got.frame, got.x, got.y, got.z) == (0, 0, 0, 0.0)
        assert got.param1 == p1


@pytest.mark.parametrize("frame", ["copter", "plane", "vtol"])
def test_the_mark_of_a_landing_is_stored_as_a_place(frame):
    """AP_Mission's `stored_in_location`: a frame that says nothing becomes the absolute one."""
    lat, lon, _ = HOME
    bare, there = item(189, frame=2), item(189, frame=6, lat=lat, lon=lon, z=40.0)
    with vehicle(frame=frame) as client:
        assert client.upload([home_item(), takeoff(20.0), bare, there, item(20)]) == mav.MAV_MISSION_ACCEPTED
        _, _, first, second, _ = client.download()
        off = item(189, frame=2, lat=95.0, lon=lon)
        assert client.upload([home_item(), takeoff(20.0), off]) == mav.MAV_MISSION_INVALID_PARAM5_X
    assert (first.frame, first.x, first.y, first.z) == (0, 0, 0, 0.0)
    assert (second.frame, second.x, second.y, second.z) == (3, there[6], there[7], 40.0)


@pytest.mark.parametrize(("sent", "back"), [(0.0, 1.0), (90.0, 1.0), (-1.0, -1.0), (math.nan, 1.0)])
def test_a_landing_keeps_a_direction_of_turn_alone(sent, back):
    """AP_Mission's `mission_cmd_to_mavlink_int`: parameter 4 is the side of a deep stall."""
    lat, lon, _ = HOME
    with vehicle() as client:
        landing = item(21, frame=6, params=(0.0, 0.0, 0.0, sent), lat=lat, lon=lon)
        assert client.upload([home_item(), takeoff(20.0), landing]) == mav.MAV_MISSION_ACCEPTED
        assert client.download()[2].param4 == back


def test_asks_with_mission_request_and_answers_it_in_floats():
    with vehicle() as client:
        assert client.upload(small_mission()) == 0
        client.send(mav.MAVLink_mission_request_message(client.target, 1, 5, 0))
        got = client.wait("MISSION_ITEM")
    assert got.x == pytest.approx(31.342, abs=1e-5)


@pytest.mark.parametrize(
    ("bad", "result"),
    [
        pytest.param(waypoint(95.0, -110.9, 50.0), 10, id="latitude"),
        pytest.param(waypoint(31.0, 190.0, 50.0), 11, id="longitude"),
        pytest.param(item(16, frame=6, params=(math.nan,), lat=31.0, lon=-110.0, z=5.0), 6, id="NaN in parameter 1"),
        pytest.param(item(178, params=(1.0, math.nan)), 7, id="NaN in parameter 2"),
        pytest.param(item(4242), 3, id="unknown command"),
        pytest.param(item(16, frame=8, lat=31.0, lon=-110.0), 2, id="frame"),
        pytest.param(item(16, frame=6, lat=31.0, lon=-110.0, z=math.inf), 12, id="height"),
    ],
)
def test_refuses_a_bad_item_at_once(bad, result):
    with vehicle() as client:
        assert client.upload([home_item(), takeoff(20.0), bad, takeoff(30.0)]) == result


def test_nan_heading_of_a_waypoint_is_no_error():
    with vehicle() as client:
        good = item(16, frame=6, params=(0.0, 0.0, 0.0, math.nan), lat=31.0, lon=-110.0, z=5.0)
        assert client.upload([home_item(), takeoff(20.0), good]) == 0


def test_storage_is_closed_after_boot_and_no_space_keeps_the_old_mission():
    with vehicle(boot=sim.Boot(20.0, 22.0, 41.0)) as client:
        assert client.upload(small_mission()) == mav.MAV_MISSION_NO_SPACE
        client.ready()
        assert "Only 0 items are supported" in client.texts
        assert client.upload(small_mission()) == 0
        client.count(651)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_NO_SPACE
        assert len(client.download()) == len(small_mission())


def test_a_lost_upload_is_asked_for_again_then_ends_in_a_hybrid():
    with vehicle() as client:
        assert client.upload(small_mission(30.0)) == 0
        fresh = small_mission(60.0)
        client.count(len(fresh))
        for seq in range(6):
            client.wait("MISSION_REQUEST", where=lambda m, s=seq: m.seq == s)
            client.item(seq, fresh[seq])
        asked = [client.wait("MISSION_REQUEST", "MISSION_ACK") for _ in range(4)]
        assert [(m.get_type(), m.seq) for m in asked] == [("MISSION_REQUEST", 6)] * 4
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_OPERATION_CANCELLED
        back = client.download()
    assert (back[1].z, back[5].z, back[6].z) == (60.0, 60.0, 30.0)
    assert len(back) == len(fresh)


def test_a_second_uploader_and_a_download_are_denied_during_an_upload():
    with fleet() as endpoints, Client(endpoints[0]) as first, Client(endpoints[0], sysid=254) as second:
        first.count(5)
        first.wait("MISSION_REQUEST")
        second.count(3)
        assert second.wait("MISSION_ACK").type == mav.MAV_MISSION_DENIED
        second.send(mav.MAVLink_mission_request_list_message(1, 1, 0))
        assert second.wait("MISSION_ACK").type == mav.MAV_MISSION_DENIED


def test_an_item_of_a_stranger_is_out_of_turn_first_and_denied_in_turn():
    """ArduPilot looks at the number before it looks at who sends (MissionItemProtocol::handle_mission_item)."""
    with fleet() as endpoints, Client(endpoints[0]) as first, Client(endpoints[0], sysid=254) as second:
        sent = small_mission()
        first.count(len(sent))
        first.wait("MISSION_REQUEST")
        for seq, result in ((3, mav.MAV_MISSION_INVALID_SEQUENCE), (0, mav.MAV_MISSION_DENIED)):
            second.item(seq, sent[seq])
            assert second.wait("MISSION_ACK").type == result


def test_who_asks_past_the_end_of_a_mission_is_told_its_length():
    with vehicle() as client:
        sent = small_mission()
        assert client.upload(sent) == 0
        client.send(mav.MAVLink_mission_request_int_message(client.target, 1, len(sent), 0))
        assert client.wait("MISSION_COUNT").count == len(sent)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR


def test_a_mission_that_came_is_told_on_the_link_that_brought_it():
    with fleet() as endpoints, Client(endpoints[0]) as first, Client(endpoints[0], sysid=254) as second:
        assert second.upload(small_mission()) == 0
        assert "Flight plan received" in second.texts
        assert first.upload(square(), 1) == 0
        assert "Flight plan received" not in first.texts


def test_an_item_out_of_turn_is_answered_and_does_not_end_the_upload():
    with vehicle() as client:
        sent = small_mission()
        client.count(len(sent))
        client.wait("MISSION_REQUEST")
        client.item(3, sent[3])
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_INVALID_SEQUENCE
        for seq in range(len(sent)):
            client.item(seq, sent[seq])
        assert client.wait("MISSION_ACK").type == 0


@pytest.mark.parametrize(("command", "kind"), [(5001, 1), (5002, 1), (5100, 2)])
def test_fence_and_rally_go_both_ways(command, kind):
    with vehicle() as client:
        sent = square(command=command)
        assert client.upload(sent, kind) == 0
        back = client.download(kind)
    assert [(m.command, m.x, m.y) for m in back] == [(s[1], s[6], s[7]) for s in sent]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(square()[:3], id="vertex missing"),
        pytest.param(square(count=2), id="two vertices"),
        pytest.param(square(count=3), id="count and vertices differ"),
        pytest.param([item(5003, lat=31.3, lon=-110.9)], id="circle without radius"),
    ],
)
def test_an_invalid_fence_is_refused_and_the_old_one_kept(bad):
    with vehicle() as client:
        assert client.upload(square(), 1) == 0
        assert client.upload(bad, 1) == mav.MAV_MISSION_ERROR
        assert len(client.download(1)) == 4


def test_clear_and_rejecting_vehicle():
    with vehicle() as client:
        assert client.upload(small_mission()) == 0
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        assert client.wait("MISSION_ACK").type == 0
        assert client.download() == []
    with vehicle(faults=sim.Faults(reject_mission=1)) as client:
        assert client.upload(small_mission()) == 1


@pytest.mark.parametrize("target", [0, 4, 9])
def test_a_jump_to_where_nothing_is_ends_the_upload(target):
    """MissionItemProtocol_Waypoints.cpp; seen on ArduCopter 4.7-dev."""
    with vehicle() as client:
        jump = item(177, params=(target, 2.0))
        assert client.upload([*small_mission()[:3], jump]) == mav.MAV_MISSION_ERROR
        assert client.upload([*small_mission()[:3], item(177, params=(1, 2.0))]) == 0


def test_clearing_breaks_ones_own_upload_off_and_not_that_of_another():
    """MissionItemProtocol.cpp, ``cancel_upload``; seen on ArduCopter 4.7-dev."""
    with vehicle() as client:
        assert client.upload(small_mission()) == 0
        client.send(mav.MAVLink_mission_count_message(1, 1, 3, 0))
        client.wait("MISSION_REQUEST")
        client._mav.srcSystem = 254
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        assert [client.wait("MISSION_ACK").type for _ in range(2)] == [mav.MAV_MISSION_DENIED, mav.MAV_MISSION_ERROR]
        client._mav.srcSystem = 255
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 0))
        assert client.wait("MISSION_ACK").type == 0
        assert client.download() == []


def test_a_list_of_every_kind_at_once_is_none_to_ardupilot():
    """GCS_Common.cpp: there is no protocol of MAV_MISSION_TYPE_ALL."""
    with vehicle() as client:
        assert client.upload(small_mission()) == 0
        assert client.upload(square(), 1) == 0
        client.send(mav.MAVLink_mission_clear_all_message(1, 1, 255))
        answer = client.wait("MISSION_ACK")
        assert (answer.type, answer.mission_type) == (mav.MAV_MISSION_UNSUPPORTED, 255)
        assert len(client.download(1)) == 4


def test_upload_survives_loss():
    with vehicle(faults=sim.Faults(loss=0.15), seed=3) as client:
        sent = small_mission()
        end = time.monotonic() + 15.0
        result = None
        while result != 0 and time.monotonic() < end:
            client.count(len(sent))
            for m in client.messages(1.5):
                if m.get_type() == "MISSION_REQUEST":
                    client.item(m.seq, sent[m.seq])
                elif m.get_type() == "MISSION_ACK" and m.type != mav.MAV_MISSION_INVALID_SEQUENCE:
                    result = m.type
                    break
    assert result == 0


def partial(client, first, last, kind=0):
    client.send(mav.MAVLink_mission_write_partial_list_message(1, 1, first, last, kind))


def test_part_of_a_mission_is_replaced():
    with vehicle() as client:
        assert client.upload(small_mission(30.0)) == 0
        fresh = small_mission(60.0)
        partial(client, 5, 6)
        for seq in (5, 6):
            client.wait("MISSION_REQUEST", where=lambda m, s=seq: m.seq == s)
            client.item(seq, fresh[seq])
        assert client.wait("MISSION_ACK").type == 0
        assert [m.z for m in client.download()][4:8] == [0.0, 60.0, 60.0, 0.0]


def test_a_part_may_add_one_item():
    with vehicle() as client:
        sent = small_mission()
        assert client.upload(sent) == 0
        partial(client, len(sent), len(sent))
        client.wait("MISSION_REQUEST", where=lambda m: m.seq == len(sent))
        client.item(len(sent), sent[5])
        assert client.wait("MISSION_ACK").type == 0
        assert len(client.download()) == len(sent) + 1


@pytest.mark.parametrize(("first", "last"), [(3, 2), (-1, 2), (4, 40), (40, 41)])
def test_a_part_that_is_not_there_is_refused(first, last):
    with vehicle() as client:
        assert client.upload(small_mission()) == 0
        partial(client, first, last)
        assert client.wait("MISSION_ACK").type == mav.MAV_MISSION_ERROR
        client.wait_text("Flight plan update rejected")


def test_part_of_a_fence_is_checked_with_the_rest():
    with vehicle() as client:
        sent = square()
        assert client.upload(sent, 1) == 0
        for values, result in ((square(0.02)[2], 0), (square(count=3)[2], mav.MAV_MISSION_ERROR)):
            partial(client, 2, 2, 1)
            client.wait("MISSION_REQUEST", where=lambda m: m.seq == 2)
            client.item(2, values, 1)
            assert client.wait("MISSION_ACK").type == result
        back = client.download(1)
    assert [(m.x, m.y) for m in back] == [(s[6], s[7]) for s in [*sent[:2], square(0.02)[2], sent[3]]]
