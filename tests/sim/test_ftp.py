"""MAVLink FTP of a simulated vehicle: beside pymavlink's own client, and request by request."""

import errno
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink import mavftp
from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.mavftp_op import FTP_OP

import sim
from sim.flight_items import Item
from sim.vehicle import Vehicle
from tests.asked import few
from tests.sim.mav_client import HOME, fleet, vehicle

NONE, TERMINATE, RESET, LIST, OPEN, READ, CREATE, WRITE, REMOVE, MKDIR = range(10)
CRC, BURST, ACK, NAK = 14, 15, 128, 129
FAIL, ERRNO, SIZE, NO_SESSIONS, END, UNKNOWN, EXISTS, NOT_FOUND = 1, 2, 3, 5, 6, 7, 8, 10
MISSION, FENCE, RALLY = b"@MISSION/mission.dat", b"@MISSION/fence.dat", b"@MISSION/rally.dat"


def body(command, seq=1, frame=3, p1=0.0, lat=31.342, lon=-110.94, up=30.0, kind=0):
    """One item as it lies in a file, field by field."""
    return (
        struct.pack("<ffff", p1, 0.0, 0.0, 0.0)
        + struct.pack("<iif", round(lat * 1e7), round(lon * 1e7), up)
        + struct.pack("<HH", seq, command)
        + bytes([1, 1, frame, 0, 1, kind])
    )


def file_of(*bodies, kind=0, options=0, start=0, magic=0x763D, count=None):
    return struct.pack("<HHHHH", magic, kind, options, start, len(bodies) if count is None else count) + b"".join(
        bodies
    )


SHORT = file_of(body(16, 0, 0), body(22, 1), body(16, 2), body(20, 3))


class Desk:
    """A vehicle in memory and somebody who sends it FTP requests, packed by pymavlink."""

    def __init__(self, **config):
        values = {"home": HOME, "boot": sim.Boot(0.0, 0.0, 0.0), "start_time_us": 0} | config
        self.sent = []
        self.vehicle = Vehicle(sim.FleetConfig(**values), 0, lambda _, data: self.sent.append(data), 0)
        self.now, self.seq = 0.0, 0
        self._packer = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self._parser = mav.MAVLink(None)

    def post(self, op, data=b"", *, session=1, offset=0, size=None, seq=None, channel="a", payload=None):
        """Hand a request in; it is served with the next turn."""
        if seq is None:
            self.seq = seq = self.seq + 1
        if payload is None:
            size = len(data) if size is None else size
            payload = FTP_OP(seq, session, op, size, 0, 0, offset, bytearray(data)).pack().ljust(251, b"\0")
        packet = mav.MAVLink_file_transfer_protocol_message(0, 1, 1, payload).pack(self._packer)
        self.vehicle.receive(channel, packet, self.now)

    def replies(self):
        """What was answered since: as pymavlink's own reading of the fields."""
        self.vehicle.pump(self.now)
        messages = [m for data in self.sent for m in self._parser.parse_buffer(data) or ()]
        self.sent.clear()
        found = [bytes(m.payload) for m in messages if m.get_type() == "FILE_TRANSFER_PROTOCOL"]
        return [FTP_OP(*struct.unpack("<HBBBBBxI", p[:12]), payload=p[12 : 12 + p[4]]) for p in found]

    def ask(self, op, data=b"", **more):
        self.post(op, data, **more)
        replies = self.replies()
        assert len(replies) == 1
        assert replies[0].req_opcode == op
        return replies[0]

    def refused(self, op, data=b"", **more):
        """The bytes of a NAK."""
        reply = self.ask(op, data, **more)
        assert reply.opcode == NAK
        return bytes(reply.payload)

    def done(self, op, data=b"", **more):
        reply = self.ask(op, data, **more)
        assert reply.opcode == ACK, bytes(reply.payload)
        return bytes(reply.payload)

    def put(self, path, data, session=1):
        """Write a file; what closing it answers."""
        self.done(CREATE, path, session=session)
        for at in range(0, len(data), 239):
            self.done(WRITE, data[at : at + 239], session=session, offset=at)
        return self.ask(TERMINATE, session=session)

    def items(self, kind=0):
        return self.vehicle._transfers[kind].items


# pymavlink's own client.


@pytest.fixture
def peer(monkeypatch):
    """pymavlink's client, connected to a simulated vehicle."""
    monkeypatch.setenv("MAVLINK20", "1")
    from pymavlink import mavutil

    with fleet() as endpoints:
        link = mavutil.mavlink_connection(endpoints[0].url, source_system=255, source_component=190)
        try:
            link.mav.timesync_send(0, 1)
            link.wait_heartbeat(timeout=30.0)
            client = mavftp.MAVFTP(link, 1, 1)
            # It knows the end of most operations by silence alone.
            client.ftp_settings.idle_detection_time, client.ftp_settings.read_retry_time = 0.8, 0.4
            yield client
        finally:
            link.close()


def finished(client, operation, started):
    assert started.error_code == 0
    result = client.process_ftp_reply(operation, timeout=60)
    assert result.error_code == 0, result


def test_pymavlinks_client_writes_reads_lists_sums_and_removes(peer, tmp_path):
    content = bytes(range(256)) * 9
    source = tmp_path / "from"
    source.write_bytes(content)
    finished(peer, "put", peer.cmd_put([str(source), "notes.bin"]))
    assert peer.read("notes.bin", len(content)) == content
    assert peer.cmd_list(["/"]).error_code == 0
    assert [(e.name, e.is_dir, e.size_b) for e in peer.list_result] == [("notes.bin", False, len(content))]
    assert peer.cmd_crc(["notes.bin"]).error_code == 0
    assert peer.cmd_rm(["notes.bin"]).error_code == 0
    assert peer.cmd_rm(["notes.bin"]).error_code == mavftp.FtpError.FileNotFound


def test_pymavlinks_client_uploads_a_mission_and_reads_it(peer, tmp_path):
    whole = file_of(body(16, 0, 0), *(body(16, n, lon=-110.94 + n * 1e-3) for n in range(1, 120)))
    finished(peer, "put", peer.cmd_put(["ignored", MISSION.decode()], fh=io.BytesIO(whole)))
    to = tmp_path / "mission.dat"
    finished(peer, "BurstReadFile", peer.cmd_get([MISSION.decode(), str(to)]))
    back = to.read_bytes()
    assert back[:10] == whole[:10]
    assert len(back) == len(whole)
    one = struct.Struct("<4f2if2H6B")
    sent, read = (list(one.iter_unpack(data[10:])) for data in (whole, back))
    assert [i[4:9] for i in read[1:]] == [(*i[4:6], pytest.approx(i[6]), *i[7:9]) for i in sent[1:]]


# Request by request.


def test_a_mission_is_taken_when_its_file_is_closed():
    desk = Desk()
    desk.done(CREATE, MISSION)
    desk.done(WRITE, SHORT)
    assert desk.items() == []
    assert desk.ask(TERMINATE).opcode == ACK
    assert [item.command for item in desk.items()] == [16, 22, 16, 20]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(SHORT[:-1], id="last byte missing"),
        pytest.param(SHORT[:-38], id="last item missing"),
        pytest.param(SHORT + bytes(38), id="an item too many"),
        pytest.param(SHORT[:48] + bytes(38) + SHORT[86:], id="an item of zeros"),
        pytest.param(bytes(10) + SHORT[10:], id="no head"),
        pytest.param(SHORT[:9], id="short head"),
        pytest.param(b"", id="empty"),
        pytest.param(file_of(magic=0x671B), id="another magic"),
    ],
)
def test_a_file_that_is_not_whole_leaves_the_old_mission(bad):
    desk = Desk()
    desk.put(MISSION, SHORT)
    closed = desk.put(MISSION, bad)
    assert (closed.opcode, bytes(closed.payload)) == (NAK, bytes([ERRNO, errno.EINVAL]))
    assert len(desk.items()) == 4


@pytest.mark.parametrize(
    ("bad", "left"),
    [
        pytest.param(file_of(body(16, 0, 0), body(22, 1), body(4242, 2), body(20, 3)), 2, id="unknown command"),
        pytest.param(file_of(body(16, 0, 0), body(177, 1, p1=7.0)), 1, id="jump out of the list"),
        pytest.param(file_of(*(body(16, n) for n in range(700))), 650, id="more than fit"),
    ],
)
def test_a_mission_with_a_bad_item_is_left_half_way(bad, left):
    desk = Desk()
    desk.put(MISSION, SHORT)
    assert desk.put(MISSION, bad).opcode == NAK
    assert len(desk.items()) == left


def test_a_mission_can_be_changed_in_part():
    desk = Desk()
    desk.put(MISSION, SHORT)
    assert desk.put(MISSION, file_of(body(16, 2, up=77.0), options=1, start=2)).opcode == ACK
    assert [item.z for item in desk.items()] == [30.0, 30.0, 77.0, 0.0]


def test_a_fence_is_taken_whole_or_not_at_all():
    corners = [(31.3, -111.0), (31.3, -110.9), (31.4, -110.9), (31.4, -111.0)]
    good = [body(5001, n, 0, 4.0, lat, lon, 0.0, 1) for n, (lat, lon) in enumerate(corners)]
    desk = Desk()
    assert desk.put(FENCE, file_of(*good, kind=1)).opcode == ACK
    assert desk.put(FENCE, file_of(*good[:3], kind=1)).opcode == NAK
    assert desk.put(FENCE, file_of(*good, kind=1, options=1)).opcode == NAK
    assert len(desk.items(1)) == 4


def test_rally_points_are_replaced_one_by_one():
    desk = Desk()
    points = [body(5100, n, lat=31.3 + n / 100, kind=2) for n in range(3)]
    assert desk.put(RALLY, file_of(*points, kind=2)).opcode == ACK
    assert desk.put(RALLY, file_of(points[0], body(16, 1), kind=2)).opcode == NAK
    assert len(desk.items(2)) == 1


def test_what_is_read_is_what_the_vehicle_holds():
    desk = Desk()
    desk.put(MISSION, SHORT)
    assert desk.done(OPEN, MISSION) == struct.pack("<I", 1 << 20)
    data = desk.done(READ, size=239)
    assert data[:10] == struct.pack("<5H", 0x763D, 0, 0, 0, 4)
    assert struct.unpack_from("<iif", data, 10 + 16) == (313400000, -1109400000, 1180.0)
    assert desk.refused(READ, size=239, offset=len(data)) == bytes([END])
    assert desk.refused(WRITE, b"x") == bytes([FAIL])
    assert desk.done(CRC, MISSION, session=2) == struct.pack("<I", crc_by_hand(data))


def crc_by_hand(data):
    """CRC-32 bit by bit, without inversions."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc


def test_a_burst_counts_on_and_ends_with_the_end_of_the_file():
    desk = Desk()
    desk.put(b"a", bytes(range(200)) * 3)
    desk.done(OPEN, b"a")
    desk.post(BURST, size=100, seq=65534)
    replies = desk.replies()
    assert [(r.seq, r.offset, r.size) for r in replies[:-1]] == [
        (65535, 0, 100), (0, 100, 100), (1, 200, 100), (2, 300, 100), (3, 400, 100), (4, 500, 100),
    ]  # fmt: skip
    assert b"".join(r.payload for r in replies[:-1]) == bytes(range(200)) * 3
    assert (replies[-1].opcode, bytes(replies[-1].payload), replies[-1].offset) == (NAK, bytes([END]), 600)


def test_a_request_that_is_repeated_gets_the_same_reply_and_is_not_done_again():
    desk = Desk()
    desk.done(CREATE, b"a", seq=7)
    desk.done(CREATE, b"a", seq=7)
    assert desk.refused(CREATE, b"a", seq=8) == bytes([FAIL])


def test_sessions_run_out_and_an_idle_one_is_taken_over():
    desk = Desk()
    for session in range(1, 6):
        desk.done(CREATE, b"f%d" % session, session=session)
    assert desk.refused(CREATE, b"g", session=9) == bytes([NO_SESSIONS])
    desk.now = 4.0
    desk.done(CREATE, b"g", session=9)
    assert desk.done(WRITE, b"x", session=5) == b""
    assert desk.refused(WRITE, b"x", session=1) == bytes([NOT_FOUND])


def test_a_reset_closes_the_sessions_of_who_asks_on_its_channel_alone():
    desk = Desk()
    desk.done(CREATE, b"a", session=1)
    desk.done(CREATE, b"b", session=1, channel="b")
    desk.done(RESET)
    assert desk.refused(WRITE, b"x", session=1) == bytes([NOT_FOUND])
    desk.post(WRITE, b"x", session=1, channel="b")
    assert {r.opcode for r in desk.replies()} == {ACK}


def test_an_idle_session_is_closed_and_its_file_judged():
    desk = Desk()
    desk.done(CREATE, MISSION)
    desk.done(WRITE, SHORT)
    desk.now = 21.0
    desk.replies()
    assert len(desk.items()) == 4


def test_one_uploads_at_a_time():
    desk = Desk()
    desk.done(CREATE, MISSION, session=1)
    assert desk.refused(CREATE, FENCE, session=2)[0] == ERRNO


def test_five_requests_wait_and_the_sixth_is_lost():
    desk = Desk()
    for _ in range(8):
        desk.post(NONE)
    assert len(desk.replies()) == 5


@pytest.mark.parametrize(
    ("op", "data", "more", "answer"),
    [
        (OPEN, b"nothing", {}, [NOT_FOUND]),
        (OPEN, b"@MISSION/other.dat", {}, [NOT_FOUND]),
        (CREATE, b"no/where", {}, [NOT_FOUND]),
        (REMOVE, b"nothing", {}, [NOT_FOUND]),
        (LIST, b"nothing", {}, [NOT_FOUND]),
        (LIST, b"/", {}, [END]),
        (OPEN, b"a", {"size": 0}, [SIZE]),
        (OPEN, b"a", {"size": 200}, [SIZE]),
        (READ, b"", {"size": 240}, [SIZE]),
        (READ, b"", {"size": 9}, [NOT_FOUND]),
        (WRITE, b"x", {}, [NOT_FOUND]),
        (12, b"a", {}, [UNKNOWN]),
        (99, b"a", {}, [UNKNOWN]),
    ],
)
def test_errors_have_the_numbers_that_ardupilot_gives(op, data, more, answer):
    assert Desk().refused(op, data, **more) == bytes(answer)


def test_folders():
    desk = Desk()
    desk.done(MKDIR, b"logs")
    assert desk.refused(MKDIR, b"logs") == bytes([EXISTS])
    desk.put(b"logs/1.bin", b"abc")
    assert desk.done(LIST, b"/") == b"Dlogs\0"
    assert desk.done(LIST, b"logs") == b"F1.bin\t3\0"
    assert desk.refused(REMOVE, b"logs") == bytes([ERRNO, errno.ENOTEMPTY])


def test_it_can_be_switched_off():
    desk = Desk(params={"BRD_OPTIONS": 2.0})
    desk.post(NONE)
    assert desk.replies() == []
    with vehicle(params={"BRD_OPTIONS": 2.0}) as client:
        client.send(mav.MAVLink_file_transfer_protocol_message(0, 1, 1, bytes(251)))
        client.wait_text("FTP disabled")
        client.send(mav.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0))
        assert not client.wait("AUTOPILOT_VERSION").capabilities & mav.MAV_PROTOCOL_CAPABILITY_FTP


requests = st.one_of(
    st.binary(min_size=251, max_size=251),
    st.builds(
        lambda seq, session, op, size, offset, data: FTP_OP(
            seq, session, op, size, 0, 0, offset, bytearray(data)
        ).pack().ljust(251, b"\0")[:251],
        st.integers(0, 65535),
        st.integers(0, 3),
        st.sampled_from([*range(17), 128, 129]),
        st.integers(0, 255),
        st.one_of(st.integers(0, 600), st.integers(0, 2**32 - 1)),
        st.one_of(st.sampled_from([MISSION, FENCE, RALLY, b"a", b"/", b"a\0b", SHORT]), st.binary(max_size=239)),
    ),
)  # fmt: skip


@settings(max_examples=few(150), deadline=None)
@given(st.lists(st.tuples(requests, st.floats(0.0, 30.0)), max_size=25))
def test_whatever_is_asked_gets_at_most_well_formed_answers(asked):
    desk = Desk()
    for payload, pause in asked:
        desk.post(0, payload=payload)
        for reply in desk.replies():
            assert reply.opcode in (ACK, NAK)
            assert reply.size <= 239
            assert reply.opcode == ACK or reply.size >= 1
        desk.now += pause
    assert all(isinstance(item, Item) for kind in range(3) for item in desk.items(kind))
