"""Answers that lie ready: nothing differs from answers that were thought about, but that they go first."""

import asyncio
import socket
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import Link, MissionKind, open_link, upload
from autopilot.channel import Channel
from autopilot.link_account import LinkStatistics
from autopilot.routes import Routes
from autopilot.wire import Codec, Recorder, Signing
from autopilot.wire_ahead import Ahead
from bench.link_virtual import VirtualLoop
from missions import MissionItem
from tests.ports import free_port

ITEMS = tuple(MissionItem(n, 3, 16, p1=n / 4, x=310000000 + n, y=-1100000000 - n, z=50.0 + n) for n in range(9))
HOME, AWAY = ("10.0.0.1", 14550), ("10.0.0.66", 14550)


@dataclass
class Heard:
    """What became of a conversation, as far as anybody can see."""

    sent: list = field(default_factory=list)
    told: list = field(default_factory=list)
    counted: list = field(default_factory=list)
    """Packets counted whenever something was sent."""
    progress: list = field(default_factory=list)
    statistics: LinkStatistics | None = None
    rivals: tuple = ()
    moves: int = 0
    log: bytes = b""
    ended: str = ""


class Vehicle:
    """Packs what a vehicle says: each thing once, in its order, whatever it is answered."""

    def __init__(self, system=1, component=1):
        self.mav = mav.MAVLink(None, srcSystem=system, srcComponent=component)

    def say(self, message):
        packet = bytes(message.pack(self.mav))
        self.mav.seq = (self.mav.seq + 1) % 256
        return packet

    def ask(self, seq, kind=0, *, as_int=True, station=(255, 190)):
        build = mav.MAVLink_mission_request_int_message if as_int else mav.MAVLink_mission_request_message
        return self.say(build(*station, seq, kind))

    def accept(self, kind=0):
        return self.say(mav.MAVLink_mission_ack_message(255, 190, 0, kind))

    def beat(self):
        return self.say(mav.MAVLink_heartbeat_message(2, 3, 81, 0, 4, 3))


def conversation(datagrams, *, foresees=True, signing=None, kind=MissionKind.MISSION, log=None, tell=None):
    """What comes of an upload while these come, with their routes (None: of a socket to one end)."""
    heard = Heard()
    listening = any(route is not None for _, route in datagrams)

    async def talk():
        link = Link("here", 255, 190, None if log is None else Recorder(log))
        channel = Channel("here", Codec(255, 190, signing), link)

        def write(packet, route):
            heard.sent.append((packet, route))
            heard.counted.append(link.statistics(1).received)

        channel.started(write, lambda: None, None if listening else "peer")
        link.channels.append(channel)
        link.listen(lambda message: heard.told.append((message.get_type(), bytes(message.get_msgbuf()))), sysid=1)
        work = asyncio.create_task(
            upload(link, 1, ITEMS, kind, progress=tell or (lambda *done: heard.progress.append(done)))
        )
        await asyncio.sleep(0)
        for data, route in datagrams:
            channel.received(data, route, datagram=True)
        if not work.done():
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        work.cancel()
        (result,) = await asyncio.gather(work, return_exceptions=True)
        heard.ended = repr(result)
        heard.statistics, heard.rivals, heard.moves = link.statistics(1), link.rivals(1), link.moves(1)
        assert not channel._ready
        assert not channel._prompts
        await link.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        if foresees:
            runner.run(talk())
        else:
            with patch.object(Link, "foresee", lambda *_: lambda: None):
                runner.run(talk())
    if log is not None:
        heard.log = log.read_bytes()
    return heard


def whole(kind=0, **how):
    vehicle = Vehicle()
    return [
        (packet, None) for packet in (*(vehicle.ask(n, kind, **how) for n in range(len(ITEMS))), vehicle.accept(kind))
    ]


def items_in(heard):
    """Numbers of the items that were sent, in their order, read by pymavlink's parser."""
    parser = mav.MAVLink(None)
    found = [parser.decode(bytearray(packet)) for packet, _ in heard.sent]
    return [message.seq for message in found if message.get_type() == "MISSION_ITEM_INT"]


@pytest.mark.parametrize("as_int", [True, False])
@pytest.mark.parametrize("kind", list(MissionKind))
def test_an_answer_goes_before_its_request_is_counted(as_int, kind):
    heard = conversation(whole(kind, as_int=as_int), kind=kind)
    assert heard.ended == "True"
    assert items_in(heard) == list(range(len(ITEMS)))
    # The offer goes first; the first request shows what the vehicle asks with.
    assert heard.counted == [0, 1, *range(1, len(ITEMS))]
    assert [number for _, number, _ in heard.progress] == list(range(1, len(ITEMS) + 1))


@pytest.mark.parametrize("together", [True, False])
def test_so_it_does_where_something_else_comes_between_two_requests(together):
    # A vehicle on the ground says tens of other things a second, ArduPilot in the same segment of TCP.
    vehicle = Vehicle()
    said = [(vehicle.ask(n), vehicle.beat()) for n in range(len(ITEMS))]
    datagrams = [b"".join(pair) for pair in said] if together else [packet for pair in said for packet in pair]
    heard = conversation([(data, None) for data in (*datagrams, vehicle.accept())])
    assert heard.ended == "True"
    assert items_in(heard) == list(range(len(ITEMS)))
    assert heard.counted == [0, 1, *range(2, 2 * len(ITEMS), 2)]
    assert heard.statistics.received == 2 * len(ITEMS) + 1
    assert heard.statistics.lost == 0


def test_another_that_listens_is_told_each_request_once():
    datagrams = whole()
    assert [packet for _, packet in conversation(datagrams).told] == [packet for packet, _ in datagrams]


def test_a_request_stands_in_the_log_before_its_answer(tmp_path):
    datagrams = whole()
    heard = conversation(datagrams, log=tmp_path / "one.tlog")
    places = [heard.log.index(packet) for packet, _ in datagrams[:-1]]
    answers = [heard.log.index(packet) for packet, _ in heard.sent[1:]]
    assert [what for pair in zip(places, answers, strict=True) for what in pair] == sorted(places + answers)


def test_who_asks_from_elsewhere_gets_nothing():
    vehicle = Vehicle()
    asked = [vehicle.ask(n) for n in range(3)]
    heard = conversation([(asked[0], HOME), (asked[1], AWAY), (asked[1], HOME), (asked[2], HOME)])
    assert items_in(heard) == [0, 1, 2]
    assert {route for _, route in heard.sent[1:]} == {HOME}
    assert heard.rivals == ("10.0.0.66:14550",)


def test_who_asks_for_what_is_foreseen_is_heard():
    # Else his address would be free for another after 10 s.
    now_s = 0.0
    vehicle = Vehicle()

    async def talk():
        nonlocal now_s
        link = Link("here", 255, 190, None)
        channel = Channel("here", Codec(255, 190), link)
        channel.routes = Routes(lambda: now_s)
        channel.started(lambda *_: None, lambda: None, None)
        link.channels.append(channel)
        work = asyncio.create_task(upload(link, 1, ITEMS))
        await asyncio.sleep(0)
        for seq in range(4):
            channel.received(vehicle.ask(seq), HOME, datagram=True)
            now_s += 6.0
        channel.received(vehicle.beat(), AWAY, datagram=True)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return link.moves(1), link.rivals(1)

    assert asyncio.run(talk()) == (0, ("10.0.0.66:14550",))


def test_nothing_is_ready_on_a_signed_link():
    # Frames of no signature are refused there, also one that is foreseen to the byte.
    signing = Signing("secret")
    vehicle = Vehicle()
    vehicle.mav.signing.secret_key, vehicle.mav.signing.sign_outgoing = signing.key.secret, True
    vehicle.mav.signing.timestamp = signing.clock.now()
    bare = Vehicle()
    bare.mav.seq = 1
    heard = conversation([(vehicle.ask(0), None), (bare.ask(1), None)], signing=signing)
    assert items_in(heard) == [0]


def test_nothing_is_answered_once_the_upload_is_over():
    vehicle = Vehicle()
    asked = [vehicle.ask(0), vehicle.ask(1), vehicle.say(mav.MAVLink_mission_ack_message(255, 190, 4, 0))]
    vehicle.mav.seq = 2
    asked += [vehicle.ask(2), vehicle.ask(2)]  # the first is to the byte what was foreseen when the refusal came
    heard = conversation([(packet, None) for packet in asked])
    assert "RejectedError" in heard.ended
    assert items_in(heard) == [0, 1]


def test_a_progress_that_fails_ends_the_upload():
    def tell(_what, done, _of):
        if done == 3:
            raise RuntimeError("no more")

    heard = conversation(whole(), tell=tell)
    assert "no more" in heard.ended
    assert items_in(heard) == [0, 1, 2]


LAST = len(ITEMS) - 1
PACKETS = {
    "next": lambda vehicle, seq: vehicle.ask(seq),
    "next and a heartbeat": lambda vehicle, seq: vehicle.ask(seq) + vehicle.beat(),
    "again": lambda vehicle, seq: vehicle.ask(max(0, seq - 1)),
    "the first": lambda vehicle, _: vehicle.ask(0),
    "one too far": lambda vehicle, seq: vehicle.ask(min(seq + 1, LAST)),
    "as a float": lambda vehicle, seq: vehicle.ask(seq, as_int=False),
    "of another list": lambda vehicle, seq: vehicle.ask(seq, 1),
    "of everybody": lambda vehicle, seq: vehicle.ask(seq, station=(0, 0)),
    "heartbeat": lambda vehicle, _: vehicle.beat(),
    "noise": lambda *_: b"\xfd\x20noise",
    "torn": lambda vehicle, seq: vehicle.ask(seq)[:-1],
    "broken": lambda vehicle, seq: vehicle.ask(seq)[:-1] + b"?",
}
"""What a vehicle may say while an item is the next."""

SCRIPTS = st.lists(
    st.tuples(
        st.just("next") | st.sampled_from(list(PACKETS)),
        st.just((HOME,)) | st.sampled_from([(HOME, HOME), (AWAY,), (AWAY, HOME), (HOME, AWAY)]),
    ),
    max_size=24,
)
"""What comes, and where from: once, twice, from a stranger too."""


def datagrams_of(script, *, listening):
    """A vehicle that asks for its list, and what else may come meanwhile."""
    vehicle, seq, found = Vehicle(), 0, []
    for what, routes in script:
        packet = PACKETS[what](vehicle, seq)
        found += [(packet, route if listening else None) for route in routes]
        seq = min(seq + what.startswith("next"), LAST)
    return [*found, (vehicle.accept(), HOME if listening else None)]


@given(SCRIPTS, st.booleans())
def test_what_comes_of_it_is_the_same_as_where_nothing_is_foreseen(script, listening):
    datagrams = datagrams_of(script, listening=listening)
    ready, plain = conversation(datagrams), conversation(datagrams, foresees=False)
    ready.counted = plain.counted = []
    assert ready == plain


@given(SCRIPTS)
def test_so_is_the_log(tmp_path_factory, script):
    logs = [tmp_path_factory.mktemp("logs") / "one.tlog" for _ in range(2)]
    datagrams = datagrams_of(script, listening=False)
    found = [conversation(datagrams, foresees=one, log=log).log for one, log in zip((True, False), logs, strict=True)]
    assert [record[8:] for record in records(found[0])] == [record[8:] for record in records(found[1])]


def records(log):
    at = 0
    while at < len(log):
        end = at + 8 + 12 + log[at + 9]
        yield log[at:end]
        at = end


async def uploading(sent):
    """A link whose packets are kept, its channel, and an upload that has begun on it."""
    link = Link("here", 255, 190, None)
    channel = Channel("here", Codec(255, 190), link)
    channel.started(lambda packet, _: sent.append(packet), lambda: None, "peer")
    link.channels.append(channel)
    work = asyncio.create_task(upload(link, 1, ITEMS))
    await asyncio.sleep(0)
    return link, channel, work


def test_a_number_that_another_packet_took_is_not_used_twice():
    sent = []

    async def talk():
        link, channel, work = await uploading(sent)
        for packet, _ in whole():
            channel.received(packet, None, datagram=True)
            link.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
        assert await work

    asyncio.run(talk())
    assert [packet[4] for packet in sent] == list(range(len(sent)))
    assert len(sent) == 2 * len(ITEMS) + 2


def test_a_stream_that_is_within_a_frame_answers_nothing():
    # The head of a long frame, then bytes that would be the request: they belong to that frame.
    sent = []

    async def talk():
        _, channel, work = await uploading(sent)
        vehicle = Vehicle()
        for data in (vehicle.ask(0), b"\xfd\xff\0", vehicle.ask(1)):
            channel.received(data, None, datagram=False)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(talk())
    assert len(sent) == 2


async def test_packets_that_the_system_does_not_take_are_lost_and_nothing_else():
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", port))
        async with await open_link(f"udp:127.0.0.1:{port}", heartbeat=False) as link:
            (channel,) = link.channels
            beat = mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)
            with patch.object(channel._write.__self__, "_udp") as udp:
                udp.fileno.return_value = 3
                udp.send.side_effect = BlockingIOError
                link.send(beat)
                udp.send.side_effect = OSError(101, "Network is unreachable")
                link.send(beat)
            assert "unreachable" in link.trouble
            link.send(beat)
            end.settimeout(2.0)
            numbers = []
            while not numbers or numbers[-1] != 2:  # that of the third heartbeat
                packet = end.recv(512)
                numbers += [packet[4]] if packet[7:10] == b"\0\0\0" else []


def test_what_is_packed_ahead_takes_no_number():
    codec = Codec(255, 190)
    ahead = Ahead(mav.MAVLink_mission_count_message, (1, 1, 5, 0))
    first = codec.ahead(ahead)
    assert codec.take_number(first)
    assert not codec.take_number(first)
    assert first == Codec(255, 190).encode(ahead)
    assert codec.encode(ahead)[4] == 1
