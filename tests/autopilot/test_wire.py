"""Framing, counting, signing, recording."""

import hashlib
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.dialects.v20 import common

from autopilot import LinkError, Signing
from autopilot.wire import Codec, Recorder, SequenceCounter, identity


def statustext(text):
    return mav.MAVLink_statustext_message(4, text.encode())


def packets(*texts, signing=None):
    codec = Codec(7, 1, signing)
    return [codec.encode(statustext(text)) for text in texts]


def texts_of(found):
    return [message.text for message, _ in found]


@given(
    noise=st.lists(st.binary(max_size=30), min_size=3, max_size=3),
    cuts=st.lists(st.integers(0, 250), max_size=6),
)
def test_a_stream_with_noise_loses_no_packet(noise, cuts):
    sent = packets("one", "two", "three")
    stream = b"".join(n + p for n, p in zip(noise, sent, strict=True)) + bytes(300)
    codec = Codec(255, 190)
    places = sorted({min(c, len(stream)) for c in cuts} | {0, len(stream)})
    found = [each for a, b in pairwise(places) for each in codec.feed(stream[a:b])]
    assert texts_of(found) == ["one", "two", "three"]
    assert [packet for _, packet in found] == sent


@given(noise=st.binary(max_size=40))
def test_noise_in_a_datagram_does_not_hold_its_packet_back(noise):
    (packet,) = packets("now")
    assert texts_of(Codec(255, 190).feed(noise + packet, "peer", datagram=True)) == ["now"]


def test_a_packet_split_over_datagrams_is_joined():
    (packet,) = packets("split")
    codec = Codec(255, 190)
    assert codec.feed(packet[:9], "peer", datagram=True) == []
    assert texts_of(codec.feed(packet[9:], "peer", datagram=True)) == ["split"]


def test_sources_do_not_mix():
    one, two = packets("one", "two")
    codec = Codec(255, 190)
    assert codec.feed(one[:9], "a") == []
    assert texts_of(codec.feed(two, "b")) == ["two"]
    assert texts_of(codec.feed(one[9:], "a")) == ["one"]


def test_mavlink_1_is_understood():
    sender = mav.MAVLink(None, srcSystem=9, srcComponent=1)
    packet = mav.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(sender, force_mavlink1=True)
    ((message, raw),) = Codec(255, 190).feed(packet)
    assert message.get_type() == "HEARTBEAT"
    assert identity(raw) == (9, 1, 0)


def test_a_broken_checksum_is_refused():
    first, second = packets("first", "second")
    broken = bytearray(first)
    broken[14] ^= 1
    codec = Codec(255, 190)
    assert texts_of(codec.feed(bytes(broken) + second)) == ["second"]
    assert codec.bad_bytes == len(first)


@pytest.mark.parametrize(
    ("numbers", "received", "lost", "late"),
    [
        ([5, 6, 7], 3, 0, 0),
        ([5, 8], 2, 2, 0),
        ([254, 255, 0, 1], 4, 0, 0),
        ([250, 3], 2, 8, 0),
        ([5, 7, 6, 8], 4, 1, 1),
        ([5, 5], 2, 0, 1),
    ],
    ids=["in order", "gap", "wraps", "gap over the wrap", "out of order", "twice"],
)
def test_sequence_gaps(numbers, received, lost, late):
    counter = SequenceCounter()
    for number in numbers:
        counter.add(number)
    assert (counter.received, counter.lost, counter.late) == (received, lost, late)


def test_signing_is_what_pymavlink_signs():
    peer = common.MAVLink(None, srcSystem=255, srcComponent=190)
    peer.signing.secret_key = hashlib.sha256(b"border").digest()
    (packet,) = packets("signed", signing=Signing("border"))
    assert peer.decode(bytearray(packet)).text == "signed"


def test_signed_links_refuse_unsigned_forged_and_replayed_packets():
    codec = Codec(255, 190, Signing("border"))
    (good,) = packets("good", signing=Signing("border"))
    (forged,) = packets("forged", signing=Signing("other"))
    (plain,) = packets("plain")
    assert texts_of(codec.feed(forged)) == []
    assert texts_of(codec.feed(plain)) == []
    assert texts_of(codec.feed(good)) == ["good"]
    assert texts_of(codec.feed(good)) == []
    assert codec.refused >= 3


def test_a_refused_signature_that_looks_like_a_frame_holds_nothing_up():
    refused = next(
        packet
        for number in range(10_000)
        for packet in packets(f"forged {number}", signing=Signing("other"))
        if packet[-2] in (0xFD, 0xFE)
    )
    (good,) = packets("good", signing=Signing("border"))
    codec = Codec(255, 190, Signing("border"))
    assert texts_of(codec.feed(refused)) == []
    assert texts_of(codec.feed(good)) == ["good"]
    assert codec.refused == 1
    assert codec.bad_bytes == 0


def test_the_passphrase_does_not_show():
    assert "border" not in repr(Signing("border"))


def test_a_recording_opens_in_pymavlink(tmp_path):
    recorder = Recorder(tmp_path / "logs" / "link.tlog")
    for packet in packets("one", "two"):
        recorder.write(packet)
    recorder.close()
    log = mavutil.mavlink_connection(str(recorder.path))
    read = [log.recv_match(type="STATUSTEXT") for _ in range(3)]
    log.close()
    assert [m.text for m in read[:2]] == ["one", "two"]
    assert read[2] is None
    assert abs(read[0]._timestamp - time.time()) < 60


def test_a_recording_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError, match=r"cannot record .*choose another place"):
        Recorder(tmp_path / "file" / "link.tlog")
