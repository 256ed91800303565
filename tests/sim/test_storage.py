"""What ArduPilot's storage makes of lists, by its sources: room in bytes, whole numbers, what goes in one by one."""

import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from tests.sim.mav_client import ACCEPTED, HOME, home_item, item, takeoff, vehicle

ERROR, NO_SPACE, OUT_OF_TURN = mav.MAV_MISSION_ERROR, mav.MAV_MISSION_NO_SPACE, mav.MAV_MISSION_INVALID_SEQUENCE
FENCE, RALLY = 1, 2


def ring(count):
    """A polygon of so many vertices."""
    around = [math.tau * k / count for k in range(count)]
    lat, lon, _ = HOME
    return [
        item(5001, params=(float(count),), lat=lat + 0.01 * math.sin(a), lon=lon + 0.01 * math.cos(a)) for a in around
    ]


def rally(*heights, frame=3):
    lat, lon, _ = HOME
    return [item(5100, frame=frame, lat=lat + 0.001 * n, lon=lon, z=z) for n, z in enumerate(heights)]


@pytest.mark.parametrize(
    ("frame", "bytes_"),
    [("copter", 560), ("plane", 672), ("vtol", 672)],  # StorageManager.cpp, of 16 kB
)
def test_a_fence_is_as_large_as_its_board_has_bytes_for(frame, bytes_):
    """4 in front, 2 a polygon and 8 a vertex, 13 a circle; counted once the last vertex is there."""
    most = (bytes_ - 6) // 8
    circle = item(5004, params=(300.0,), lat=HOME[0], lon=HOME[1])
    with vehicle(frame=frame) as client:
        assert client.upload(ring(most), FENCE) == ACCEPTED
        assert client.upload(ring(bytes_ // 8), FENCE) == (ERROR if most < bytes_ // 8 else ACCEPTED)
        client.wait_text("Fence exceeds storage size")
        assert len(client.download(FENCE)) == most
        assert client.upload(ring(bytes_ // 8 + 1), FENCE) == NO_SPACE
        client.wait_text(f"Only {bytes_ // 8} items are supported")
        assert client.upload([*ring(most - 1), circle], FENCE) == ERROR
        assert client.upload([*ring(most - 2), circle], FENCE) == (
            ACCEPTED if 4 + 2 + 8 * (most - 2) + 13 <= bytes_ else ERROR
        )


@pytest.mark.parametrize(("frame", "most"), [("copter", 46), ("plane", 50)])
def test_rally_points_take_15_bytes_each(frame, most):
    with vehicle(frame=frame) as client:
        assert client.upload(rally(*[30.0] * most), RALLY) == ACCEPTED
        assert client.upload(rally(*[30.0] * (most + 1)), RALLY) == NO_SPACE


def test_a_card_counts_from_the_next_start():
    with vehicle() as client:
        assert client.set_param("BRD_SD_FENCE", 1.0) == 1.0
        assert client.set_param("BRD_SD_MISSION", 2.0) == 2.0
        assert client.upload(ring(100), FENCE) == NO_SPACE
        assert client.command(246, 1) == ACCEPTED
        client.ready()
        assert client.upload(ring(127), FENCE) == ACCEPTED
        client.count(137)
        assert client.wait("MISSION_ACK").type == NO_SPACE
        client.wait_text("Only 136 items are supported")


def test_rally_points_go_in_one_by_one():
    """AP_Rally: those of an upload that stops are there, and the old ones are not (MissionItemProtocol_Rally.cpp)."""
    with vehicle() as client:
        assert client.upload(rally(10.0, 20.0, 30.0), RALLY) == ACCEPTED
        client.wait_text("Rally points received")
        new = rally(11.0, 21.0, 31.0)
        client.count(3, RALLY)
        client.wait("MISSION_REQUEST")
        client.item(0, new[0], RALLY)
        client.wait_text("Rally upload timeout")
        assert [m.z for m in client.download(RALLY)] == [11.0, 20.0, 30.0]
        client.count(1, RALLY)
        client.wait("MISSION_REQUEST")
        client.wait_text("Rally upload timeout")
        assert [m.z for m in client.download(RALLY)] == [11.0]


@pytest.mark.parametrize(("sent", "back"), [(30.9, 30.0), (-3.7, -3.0), (32767.0, 32767.0)])
def test_rally_points_have_whole_metres(sent, back):
    with vehicle() as client:
        assert client.upload(rally(sent), RALLY) == ACCEPTED
        assert [m.z for m in client.download(RALLY)] == [back]


@pytest.mark.parametrize(
    ("bad", "kind", "result"),
    [
        (rally(32768.0), RALLY, mav.MAV_MISSION_INVALID_PARAM7),
        (rally(30.0, frame=2), RALLY, mav.MAV_MISSION_UNSUPPORTED_FRAME),
        ([(2, *ring(4)[0][1:])], FENCE, mav.MAV_MISSION_UNSUPPORTED_FRAME),
    ],
)
def test_what_no_rally_point_and_no_fence_has_is_refused(bad, kind, result):
    with vehicle() as client:
        assert client.upload(bad, kind) == result


def test_a_part_of_a_fence_adds_nothing_to_it():
    """It is made anew with as many items as there are (MissionItemProtocol_Fence.cpp); rally points are appended."""
    with vehicle() as client:
        assert client.upload(ring(4), FENCE) == ACCEPTED
        assert client.upload(rally(30.0), RALLY) == ACCEPTED
        for values, kind, result in ((ring(5)[4], FENCE, OUT_OF_TURN), (rally(40.0)[0], RALLY, ACCEPTED)):
            seq = {FENCE: 4, RALLY: 1}[kind]
            client.send(mav.MAVLink_mission_write_partial_list_message(1, 1, seq, seq, kind))
            client.wait("MISSION_REQUEST", where=lambda m, seq=seq: m.seq == seq)
            client.item(seq, values, kind)
            assert client.wait("MISSION_ACK").type == result
        assert [m.z for m in client.download(RALLY)] == [30.0, 40.0]


@pytest.mark.parametrize(
    ("frame", "command", "params", "back"),
    [
        ("copter", 16, (12.7,), (12.0, 0.0, 0.0)),  # a wait at a place, in a word of 16 bits
        ("copter", 19, (5.5,), (5.0, 0.0, 1.0)),
        ("plane", 16, (0.0, 30.5, 300.0), (0.0, 30.0, 255.0)),
        ("plane", 17, (0.0, 0.0, -60.9), (0.0, 0.0, -60.0)),
        ("plane", 31, (0.0, 80.2), (0.0, 80.0, 0.0)),
    ],
)
def test_figures_that_are_held_in_words_come_back_whole(frame, command, params, back):
    """AP_Mission.cpp, ``mavlink_int_to_mission_cmd``."""
    there = item(command, frame=3, params=params, lat=HOME[0], lon=HOME[1], z=40.0)
    with vehicle(frame=frame) as client:
        assert client.upload([home_item(), takeoff(20.0), there]) == ACCEPTED
        got = client.download()[2]
    assert (got.param1, got.param2, got.param3) == back


def test_px4_holds_them_as_they_come():
    with vehicle(autopilot="px4", frame="copter", boot=sim.Boot(0.0, 0.0, 0.0)) as client:
        assert client.upload(rally(30.9), RALLY) == ACCEPTED
        assert [m.z for m in client.download(RALLY)] == [pytest.approx(30.9)]
