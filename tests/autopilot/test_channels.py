"""Several channels under one link: which is spoken over, what is believed of each, what is counted once."""

import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import Link, LinkError, open_link
from autopilot.channel import Channel, Reopening
from autopilot.repeats import Copies, Once
from autopilot.wire import Codec
from tests.autopilot.scripted import Script, vehicle_at
from tests.ports import free_port


class Ends:
    """A link over channels that are ours: what is sent over each, and what a vehicle says on each."""

    def __init__(self, count=2, failover_s=0.1):
        self.link = Link("here", 255, 190, None, failover_s=failover_s)
        self.sent = []
        self.mavs = []
        for number in range(count):
            channel = Channel(f"way {number}", Codec(255, 190), self.link)
            sent = []
            channel.started(lambda packet, _, sent=sent: sent.append(packet), lambda: None, "peer")
            self.link.channels.append(channel)
            self.sent.append(sent)
            self.mavs.append(mav.MAVLink(None, srcSystem=1, srcComponent=1))
        self.heard = []
        self.link.listen(self.heard.append)

    def say(self, number, message):
        end = self.mavs[number]
        packet = message.pack(end)
        end.seq = (end.seq + 1) % 256
        self.bring(number, packet)
        return packet

    def bring(self, number, packet):
        self.link.channels[number].received(packet, None, datagram=True)

    def beat(self, number, mode=0, kind=2):
        self.say(number, mav.MAVLink_heartbeat_message(kind, 3, 0, mode, 4, 3))

    def modes(self):
        return [message.custom_mode for message in self.heard if message.get_type() == "HEARTBEAT"]

    def order(self, **more):
        """Over which channels an order goes."""
        before = [len(sent) for sent in self.sent]
        self.link.send(mav.MAVLink_command_long_message(1, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0), 1, **more)
        return [number for number, sent in enumerate(self.sent) if len(sent) > before[number]]


async def test_orders_go_over_the_channel_that_is_heard():
    ends = Ends()
    assert ends.order() == [0, 1]  # it was heard on none
    ends.beat(1)
    assert ends.order() == [1]
    ends.beat(0)
    assert ends.order() == [1]  # which is still heard
    assert ends.order(everywhere=True) == [0, 1]
    await asyncio.sleep(0.15)
    ends.beat(0)
    assert ends.order() == [0]
    await asyncio.sleep(0.15)
    assert ends.order() == [0, 1]


async def test_what_is_for_everybody_goes_everywhere():
    ends = Ends(3)
    ends.beat(1)
    ends.link.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
    assert [len(sent) for sent in ends.sent] == [1, 1, 1]


async def test_a_channel_that_is_lost_is_left_at_once():
    ends = Ends(failover_s=1000.0)
    ends.beat(0)
    ends.beat(1)
    assert ends.order() == [0]
    ends.link.channels[0].up = False
    assert ends.order() == [1]
    ends.beat(1, mode=7)
    assert ends.modes() == [0, 7]


async def test_how_a_vehicle_stands_is_believed_on_one_channel_alone():
    """A slower channel brings what was true before: it must not undo what is."""
    ends = Ends(failover_s=1000.0)
    for mode in (3, 4, 5):
        ends.beat(0, mode)
        ends.beat(1, mode - 1)
    assert ends.modes() == [3, 4, 5]
    assert ends.link.vehicles[1].custom_mode == 5


async def test_after_a_silence_the_other_channel_is_believed_and_told_of():
    ends = Ends()
    changes = []
    stop = ends.link.on_change(1, lambda: changes.append(len(ends.heard)))
    ends.beat(0, 3)
    ends.beat(1, 4)
    await asyncio.sleep(0.15)
    ends.beat(1, 5)
    ends.beat(1, 6)
    ends.beat(0, 7)
    assert ends.modes() == [3, 5, 6]
    assert changes == [1]
    stop()
    await asyncio.sleep(0.15)
    ends.beat(0, 8)
    assert (ends.modes()[-1], changes) == (8, [1])


async def test_answers_are_taken_from_any_channel():
    ends = Ends()
    ends.beat(0)
    for number in (0, 1):
        ends.say(number, mav.MAVLink_command_ack_message(511, 0, 0, 0, 255, 190))
        ends.say(number, mav.MAVLink_param_error_message(255, 190, b"NOT_THERE", -1, 1))
    kinds = [message.get_type() for message in ends.heard]
    assert (kinds.count("COMMAND_ACK"), kinds.count("PARAM_ERROR")) == (2, 2)


async def test_another_vehicle_with_its_id_on_the_other_channel_is_a_rival():
    ends = Ends(failover_s=0.1)
    ends.beat(0, 3)
    ends.beat(1, 4, kind=1)
    assert ends.link.rivals(1) == ("way 1",)
    with pytest.raises(LinkError, match="system id 1 is used by way 0 and by way 1"):
        ends.link.check_alone(1)
    await asyncio.sleep(0.15)
    ends.beat(1, 5, kind=1)
    ends.say(1, mav.MAVLink_statustext_message(4, b"not of ours"))
    assert ends.modes() == [3]
    assert not any(message.get_type() == "STATUSTEXT" for message in ends.heard)
    ends.beat(1, 6)
    ends.beat(1, 7)
    assert ends.link.rivals(1) == ()
    assert ends.modes() == [3, 7]


async def test_packets_that_a_router_sends_over_both_are_counted_once():
    ends = Ends()
    for mode in range(20):
        packet = ends.say(0, mav.MAVLink_heartbeat_message(2, 3, 0, mode, 4, 3))
        if mode % 2:
            ends.bring(1, packet)
    told = ends.link.statistics(1)
    assert (told.received, told.repeated) == (20, 10)
    # The half that the other way did not bring is missing there, beside what came before its first.
    assert told.lost == 9
    assert ends.modes() == list(range(20))


async def test_what_is_numbered_on_each_channel_for_itself_is_no_repetition():
    ends = Ends()
    for mode in range(20):
        ends.beat(0, mode)
        ends.beat(1, mode + 100)
    told = ends.link.statistics(1)
    assert (told.received, told.repeated, told.lost) == (40, 0, 0)


events = st.lists(st.sampled_from("abc"), max_size=6)


@given(said=events, lost=st.lists(st.booleans(), min_size=12, max_size=12), order=st.randoms(use_true_random=False))
def test_each_event_is_told_as_often_as_it_was_said_and_heard(said, lost, order):
    """Over each channel come some of them: each is told as often as the better channel brought it."""
    brought = [[event for event, gone in zip(said, lost[way * 6 :], strict=False) if not gone] for way in (0, 1)]
    queue = [(way, event) for way in (0, 1) for event in brought[way]]
    order.shuffle(queue)
    once = Once()
    told = [event for way, event in queue if once.is_new(way, event, 0.0)]
    for event in "abc":
        assert told.count(event) == max(brought[0].count(event), brought[1].count(event))


def test_an_event_is_new_again_after_a_while():
    once = Once()
    assert once.is_new(0, "a", 0.0)
    assert not once.is_new(1, "a", 4.9)
    assert once.is_new(1, "a", 5.1)
    for number in range(1000):
        once.is_new(0, number, 10.0 * number)
    assert len(once._told) == 1


def test_copies_are_forgotten():
    copies = Copies()
    assert not copies.is_copy("a", b"packet", 0.0)
    assert copies.is_copy("b", b"packet", 4.0)
    assert not copies.is_copy("a", b"packet", 4.0)
    assert not copies.is_copy("b", b"packet", 6.0)
    for number in range(10_000):
        copies.is_copy("a", number.to_bytes(4, "big"), 6.0)
    assert len(copies._seen) <= 4096


# Opening again.


async def until(holds):
    """Wait until something holds, for ten seconds at most."""
    async with asyncio.timeout(10.0):
        while not holds():  # noqa: ASYNC110  of things that tell nobody
            await asyncio.sleep(0.01)


async def test_the_waits_between_attempts_double_to_a_limit():
    attempts = []

    async def opener(channel, _timeout_s):
        attempts.append(asyncio.get_running_loop().time())
        raise OSError(111, "refused")

    link = Link("here", 255, 190, None)
    channel = Channel("way", Codec(255, 190), link, opener, Reopening(0.05, 0.2, 1.0))
    link.channels.append(channel)
    channel.started(lambda *_: None, lambda: None, "peer")
    began = asyncio.get_running_loop().time()
    channel.received(mav.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(mav.MAVLink(None, 1, 1)), None, datagram=True)
    channel.lost("gone")
    channel.lost("told twice")
    await until(lambda: len(attempts) >= 5)
    waits = [after - before for before, after in pairwise([began, *attempts[:5]])]
    assert all(due <= wait < due + 1.0 for due, wait in zip((0.05, 0.1, 0.2, 0.2, 0.2), waits, strict=True)), waits
    assert channel.trouble.startswith("gone; opened again ")
    assert [event.text for event in link.events] == ["gone"]
    await link.close()
    count = len(attempts)
    await asyncio.sleep(0.3)
    assert len(attempts) == count


async def test_one_that_takes_connections_and_closes_them_is_not_besieged():
    taken = []

    def slam(_, writer):
        taken.append(time.monotonic())
        writer.transport.abort()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    url = f"tcp:127.0.0.1:{server.sockets[0].getsockname()[1]}"
    # The first wait is 0.1 s, and each is twice the one before: 0.1, 0.2, 0.4, 0.8.
    async with await open_link(url, time_scale=50.0):
        await asyncio.sleep(1.2)
    assert 2 <= len(taken) <= 5
    server.close()
    await server.wait_closed()


async def test_of_two_ways_one_may_come_later():
    async with (
        vehicle_at(Script()) as (_, there),
        await open_link(f"tcp:127.0.0.1:{free_port()},{there}", time_scale=20.0) as link,
    ):
        await link.wait_vehicle(1, timeout_s=10.0)
        assert [channel.up for channel in link.channels] == [False, True]
        assert "cannot be opened" in link.events[0].text
        assert "it is waited for" in link.events[0].text


async def test_two_ways_that_both_do_not_open_are_one_error():
    ports = [free_port(), free_port()]
    url = ",".join(f"tcp:127.0.0.1:{port}" for port in ports)
    with pytest.raises(LinkError) as caught:
        await open_link(url)
    assert all(f"tcp:127.0.0.1:{port}: cannot be opened" in str(caught.value) for port in ports)


async def test_those_who_connect_to_us_may_come_back_from_another_port():
    port = free_port()
    async with await open_link(f"tcpin:127.0.0.1:{port}") as link:
        for times in (1, 2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            codec = mav.MAVLink(None, srcSystem=1, srcComponent=1)
            writer.write(mav.MAVLink_heartbeat_message(2, 3, 0, times, 4, 3).pack(codec))
            await until(lambda times=times: link.statistics(1).received >= times)
            assert link.rivals(1) == ()
            assert link.moves(1) == times - 1
            link.send(mav.MAVLink_command_long_message(1, 1, 400, 0, times, 0, 0, 0, 0, 0, 0), 1)
            (order,) = mav.MAVLink(None).parse_buffer(await asyncio.wait_for(reader.read(4096), 30.0))
            assert order.param1 == times
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.05)
            link.send(mav.MAVLink_command_long_message(1, 1, 400, 0, 0, 0, 0, 0, 0, 0, 0), 1)  # nobody is there
