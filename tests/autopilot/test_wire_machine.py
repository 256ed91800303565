"""The parser fed with whatever hypothesis thinks of: it never raises, loses nothing whole, and keeps little."""

from itertools import pairwise

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot.wire import Codec
from tests.asked import asked

SOURCES = st.sampled_from(["one", "two"])
PLAIN = st.binary(max_size=60).map(lambda noise: noise.translate(None, b"\xfd\xfe"))
HEADS = st.sampled_from([b"\xfe\x09\1\1\1\0", b"\xfe\xff\1\1\1\x49", b"\xfd\xff\0\0\1\1\1\x49\0\0", b"\xfd\3\x80"])
NOISE = st.builds(lambda head, noise: head + noise, HEADS | st.just(b""), PLAIN)
"""With heads of messages that are known: one that the dialect lacks has no checksum, and may swallow what it claims."""

LONGEST = 280  # of a frame, with its signature


class Parser(RuleBasedStateMachine):
    """Two streams and a stranger who sends datagrams."""

    def __init__(self):
        super().__init__()
        self.codec = Codec(255, 190)
        self.sender = mav.MAVLink(None, srcSystem=1, srcComponent=1)
        self.count = 0
        self.sent = {"one": [], "two": []}
        self.heard = {"one": [], "two": []}

    def packet(self, *, version_1=False):
        self.count += 1
        self.sender.seq = self.count % 256
        message = mav.MAVLink_mission_item_int_message(
            self.count % 200, 190, self.count, 3, 16, 0, 1, 0, 0, 0, 0, self.count, 5, 7.0, 0
        )
        return self.count, bytes(message.pack(self.sender, force_mavlink1=version_1))

    def feed(self, source, data, *, datagram=False):
        return [
            message.x
            for message, _ in self.codec.feed(data, source, datagram=datagram)
            if message.get_type() == "MISSION_ITEM_INT"
        ]

    @rule(source=SOURCES, cuts=st.lists(st.integers(0, 60), max_size=3), version_1=st.booleans())
    def a_packet_in_pieces(self, source, cuts, version_1):
        number, packet = self.packet(version_1=version_1)
        self.sent[source].append(number)
        places = sorted({min(cut, len(packet)) for cut in cuts} | {0, len(packet)})
        for begin, end in pairwise(places):
            self.heard[source] += self.feed(source, packet[begin:end])

    @rule(source=SOURCES, noise=NOISE)
    def noise(self, source, noise):
        self.heard[source] += self.feed(source, noise)

    @rule(source=SOURCES, bit=st.integers(0, 7), place=st.integers(0, 40))
    def a_damaged_packet(self, source, bit, place):
        """A flipped bit anywhere: it says nothing, and what follows is heard."""
        _, packet = self.packet()
        spoilt = bytearray(packet)
        spoilt[place % len(spoilt)] ^= 1 << bit
        assume(not {0xFD, 0xFE} & set(spoilt[1:]))
        self.heard[source] += self.feed(source, bytes(spoilt))

    @rule(noise=NOISE, packets=st.integers(1, 3))
    def datagrams(self, noise, packets):
        """Whole packets behind noise wait for nothing."""
        made = [self.packet() for _ in range(packets)]
        data = noise + b"".join(packet for _, packet in made)
        assert self.feed("stranger", data, datagram=True) == [number for number, _ in made]

    @invariant()
    def keeps_little(self):
        assert all(len(buffer) <= LONGEST for buffer in self.codec._buffers.values())

    def teardown(self):
        for source, sent in self.sent.items():
            self.heard[source] += self.feed(source, bytes(LONGEST + 20))
            assert self.heard[source] == sent


TestParser = Parser.TestCase
TestParser.settings = settings(max_examples=asked(150), stateful_step_count=30, deadline=None)
