"""MAVLink FTP's client against vehicles that serve it in ways of their own; packets are read and made by pymavlink."""

import asyncio
import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.mavftp_op import FTP_OP

from autopilot import Ftp, FtpError, ftp_crc32
from tests.autopilot.scripted import FAST, Script, linked

TERMINATE, RESET, LIST, OPEN, READ, CREATE, WRITE, REMOVE = range(1, 9)
CRC, BURST, ACK, NAK = 14, 15, 128, 129
CONTENT = bytes(range(251)) * 11


class Files:
    """Serves files to a scripted vehicle's peer, with whims."""

    def __init__(self, vehicle, **whims):
        self.vehicle = vehicle
        self.content = {"notes": CONTENT}
        self.asked = []
        self.session = 200
        """Given to whoever opens a file."""
        self.open = None
        self.burst = True
        self.tells_end = True
        self.size = None
        self.piece = 239
        self.lose = lambda _op, _offset, _nth: False
        self.nak = {}
        """Operation to the bytes of the NAKs it gets, in turn; then it is done."""
        self.counts = {}
        self.__dict__.update(whims)
        vehicle.on_file_transfer_protocol = self.take

    def take(self, message):
        payload = bytes(message.payload)
        seq, session, op, size, _, _, offset = struct.unpack("<HBBBBBxI", payload[:12])
        data = payload[12 : 12 + size]
        self.asked.append((op, session, offset, data))
        reply = FTP_OP(seq + 1 & 0xFFFF, session, ACK, 0, op, 0, offset, bytearray())
        if self.nak.get(op):
            self.refuse(reply, self.nak[op].pop(0))
        elif op == BURST and self.burst:
            self.send_burst(reply, offset)
        else:
            self.answer(reply, op, offset, size, data)

    def answer(self, reply, op, offset, size, data):
        name = data.split(b"\0")[0].decode(errors="replace")
        if op in (OPEN, CREATE):
            reply.session = self.session
            if op == OPEN and name not in self.content:
                self.refuse(reply, b"\x0a")
                return
            self.open = name
            self.content.setdefault(name, b"")
            if op == CREATE:
                self.content[name] = b""
            self.give(reply, struct.pack("<I", len(self.content[name]) if self.size is None else self.size))
        elif op == READ:
            part = self.content[self.open][offset : offset + min(size, self.piece)]
            self.give(reply, part) if part else self.refuse(reply, b"\x06")
        elif op == WRITE:
            held = bytearray(self.content[self.open].ljust(offset, b"\0"))
            held[offset : offset + len(data)] = data
            self.content[self.open] = bytes(held)
            self.give(reply, b"")
        elif op == CRC:
            self.give(reply, struct.pack("<I", ftp_crc32(self.content[name])))
        elif op in (TERMINATE, RESET, REMOVE):
            self.give(reply, b"")
        else:
            self.refuse(reply, b"\x07")

    def send_burst(self, reply, offset):
        content = self.content[self.open]
        for at in range(offset, len(content), self.piece):
            reply.offset = at
            self.give(reply, content[at : at + self.piece])
            reply.seq = reply.seq + 1 & 0xFFFF
        reply.offset = len(content) if self.tells_end else 0
        self.refuse(reply, b"\x06")

    def refuse(self, reply, data):
        reply.opcode = NAK
        self.give(reply, data)

    def give(self, reply, data):
        reply.payload, reply.size = bytearray(data), len(data)
        key = reply.req_opcode, reply.offset
        self.counts[key] = self.counts.get(key, 0) + 1
        if not self.lose(*key, self.counts[key]):
            packed = bytes(reply.pack()).ljust(251, b"\0")
            self.vehicle.send(mav.MAVLink_file_transfer_protocol_message(0, 255, 190, packed))


@pytest.mark.parametrize(
    "whims",
    [
        {},
        {"burst": False},
        {"tells_end": False},
        {"tells_end": False, "size": 1 << 20},
        {"burst": False, "size": 1 << 20},
        {"piece": 100},
        {"burst": False, "piece": 17},
        {"size": 0},
    ],
    ids=str,
)
async def test_a_file_is_read_whole_whatever_the_vehicles_ways(whims):
    async with linked() as (vehicle, link):
        files = Files(vehicle, **whims)
        assert await Ftp(link, 1, timing=FAST).read("notes") == CONTENT
        # What reads names the session that was given, not the one that was asked for.
        assert {session for op, session, *_ in files.asked if op in (READ, BURST)} == {200}


@pytest.mark.parametrize("size", [0, 1, 238, 239, 240, 478])
@pytest.mark.parametrize("whims", [{}, {"burst": False}, {"tells_end": False, "size": 9999}], ids=str)
async def test_lengths_about_that_of_a_piece(size, whims):
    async with linked() as (vehicle, link):
        Files(vehicle, content={"notes": CONTENT[:size]}, **whims)
        assert await Ftp(link, 1, timing=FAST).read("notes") == CONTENT[:size]


@pytest.mark.parametrize(
    "lose",
    [
        lambda op, at, nth: op == BURST and at in (239, 478, 1195) and nth == 1,
        lambda op, at, nth: op == BURST and at >= 1000 and nth == 1,
        lambda op, at, nth: op == BURST and at == len(CONTENT) and nth == 1,
        lambda op, at, _: op == BURST and at == 0,
        lambda op, _, nth: op == BURST and nth == 1,
        lambda _, __, nth: nth == 1,
        lambda op, at, nth: (op == BURST and (at // 239) % 2 == 0) or (op == READ and nth < 3),
    ],
    ids=["gaps", "all after a place", "end", "beginning for ever", "whole burst", "first of everything", "much"],
)
async def test_gaps_are_filled(lose):
    async with linked() as (vehicle, link):
        Files(vehicle, lose=lose)
        seen = []
        assert await Ftp(link, 1, timing=FAST).read("notes", progress=lambda *step: seen.append(step)) == CONTENT
        assert seen[-1][0] == len(CONTENT)


@pytest.mark.parametrize("size", [None, 0, 1 << 20])
async def test_a_burst_of_which_only_the_end_came_is_no_empty_file(size):
    async with linked() as (vehicle, link):
        Files(vehicle, tells_end=False, size=size, lose=lambda op, at, nth: op == BURST and (at > 0 or nth == 1))
        assert await Ftp(link, 1, timing=FAST).read("notes") == CONTENT


async def test_duplicates_and_late_replies_of_an_earlier_session_change_nothing():
    async with linked(Script(twice=True)) as (vehicle, link):
        files = Files(vehicle)
        ftp = Ftp(link, 1, timing=FAST)
        assert await ftp.read("notes") == CONTENT
        files.session, files.content["notes"] = 201, CONTENT[::-1]
        reading = asyncio.create_task(ftp.read("notes"))
        stale = FTP_OP(1, 200, ACK, 5, BURST, 0, 0, bytearray(b"stale")).pack().ljust(251, b"\0")
        for _ in range(20):
            vehicle.send(mav.MAVLink_file_transfer_protocol_message(0, 255, 190, bytes(stale)))
            await asyncio.sleep(0)
        assert await reading == CONTENT[::-1]


async def test_a_file_is_written_in_pieces_with_gaps_repaired():
    async with linked() as (vehicle, link):
        files = Files(vehicle, lose=lambda op, _, nth: op in (CREATE, WRITE, TERMINATE) and nth == 1)
        seen = []
        await Ftp(link, 1, timing=FAST).write("new", CONTENT, progress=lambda *step: seen.append(step))
        assert files.content["new"] == CONTENT
        assert seen[-1] == (len(CONTENT), len(CONTENT))
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x0a", "no such file"),
        (b"\x07", "does not know this request"),
        (b"\x02\x1c", r"file system \(errno 28\)"),
        (b"\x09", "protected"),
        (b"\x63", "code 99"),
        (b"", "without a reason"),
    ],
)
async def test_a_refusal_is_told_in_words(data, words):
    async with linked() as (vehicle, link):
        Files(vehicle, nak={REMOVE: [data]})
        with pytest.raises(FtpError, match=f"vehicle 1 file notes: remove refused: .*{words}") as caught:
            await Ftp(link, 1, timing=FAST).remove("notes")
        assert caught.value.code == (data[0] if data else 0)
        assert not caught.value.at_close


async def test_sessions_that_were_left_open_are_closed_once():
    async with linked() as (vehicle, link):
        files = Files(vehicle, nak={OPEN: [b"\x05"]})
        assert await Ftp(link, 1, timing=FAST).read("notes") == CONTENT
        assert [op for op, *_ in files.asked[:3]] == [OPEN, RESET, OPEN]
        files.nak = {OPEN: [b"\x05", b"\x05"]}
        with pytest.raises(FtpError, match="all sessions are in use"):
            await Ftp(link, 1, timing=FAST).read("notes")


async def test_a_refusal_to_close_says_that_the_vehicle_may_have_acted():
    async with linked() as (vehicle, link):
        Files(vehicle, nak={TERMINATE: [b"\x02\x16"]})
        with pytest.raises(FtpError, match="terminate refused") as caught:
            await Ftp(link, 1, timing=FAST).write("new", CONTENT)
        assert caught.value.at_close


async def test_what_is_given_up_is_spoilt_before_it_is_closed():
    async with linked() as (vehicle, link):
        files = Files(vehicle, nak={WRITE: [b"\x02\x1c"]})
        with pytest.raises(FtpError, match="write refused"):
            await Ftp(link, 1, timing=FAST).write("new", CONTENT, spoil=bytes(10))
        assert files.content["new"][:10] == bytes(10)
        assert [(op, data) for op, _, _, data in files.asked[-2:]] == [(WRITE, bytes(10)), (TERMINATE, b"")]


async def test_a_file_that_shrinks_meanwhile_is_an_error():
    async with linked() as (vehicle, link):

        def lose(op, offset, nth):
            if op == BURST and offset == 1195:
                files.content["notes"] = CONTENT[:700]
            return op == BURST and offset == 956

        files = Files(vehicle, lose=lose)
        with pytest.raises(FtpError, match="became shorter"):
            await Ftp(link, 1, timing=FAST).read("notes")


async def test_a_file_without_end_is_given_up():
    async with linked() as (vehicle, link):
        Files(vehicle)
        with pytest.raises(FtpError, match="longer than 1000 bytes"):
            await Ftp(link, 1, timing=FAST).read("notes", most=1000)


async def test_a_folder_without_end_is_given_up():
    """The same two entries for whatever number it is asked from."""
    async with linked() as (vehicle, link):
        files = Files(vehicle)
        answer = files.answer

        def listing(reply, op, *rest):
            if op == LIST:
                files.give(reply, b"Fa\t1\0" * 20)
            else:
                answer(reply, op, *rest)

        files.answer = listing
        with pytest.raises(FtpError, match="lists more than 10000 entries"):
            await asyncio.wait_for(Ftp(link, 1, timing=FAST).list("/"), 60.0)


async def test_silence_is_an_error():
    async with linked() as (_, link):
        with pytest.raises(FtpError, match=r"nothing new for 0\.4 s: check the link") as caught:
            await Ftp(link, 1, timing=FAST).read("notes")
        assert caught.value.code is None


async def test_nonsense_is_not_taken_for_an_answer():
    async with linked() as (vehicle, link):
        nonsense = [bytes([255]) * 251, bytes(251), b"\0\0\0\x80\xf0".ljust(251, b"\0")]

        def babble(message):
            for payload in nonsense:
                vehicle.send(mav.MAVLink_file_transfer_protocol_message(0, 255, 190, payload))
            # For another ground station.
            vehicle.send(mav.MAVLink_file_transfer_protocol_message(0, 77, 190, bytes(message.payload)))
            files.take(message)

        files = Files(vehicle)
        vehicle.on_file_transfer_protocol = babble
        assert await Ftp(link, 1, timing=FAST).read("notes") == CONTENT


@pytest.mark.parametrize("path", ["", "x" * 239, "a\0b"])
async def test_paths_that_no_vehicle_has(path):
    async with linked() as (_, link):
        with pytest.raises(FtpError, match="no path on a vehicle"):
            await Ftp(link, 1, timing=FAST).read(path)
