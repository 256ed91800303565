"""Signing: keys, one clock over all links and restarts, and what is believed. Pymavlink is the other end."""

import asyncio
import hashlib
import random
import re
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

import sim
from autopilot import (
    CommandError,
    FlightLimits,
    FlightTask,
    LinkError,
    Signing,
    SigningClock,
    SigningKey,
    Timing,
    Vehicle,
    fly,
    open_link,
    signing_clock_file,
)
from autopilot.wire import Codec
from tests.autopilot.scripted import FAST, HOME, Script, line_mission, linked

EPOCH_S = 1_420_070_400
SECRET = hashlib.sha256(b"border").digest()
MINUTE = 60 * 100_000


def stamp_of(packet):
    return int.from_bytes(packet[-12:-6], "little")


def peer(timestamp=0, sysid=1):
    """Pymavlink's own end of a signed link, whose rule for packets of no signature is the vehicle's."""
    link = mav.MAVLink(None, srcSystem=sysid, srcComponent=1)
    link.signing.secret_key, link.signing.sign_outgoing, link.signing.timestamp = SECRET, True, timestamp
    return link


def text(words="x"):
    return mav.MAVLink_statustext_message(4, words.encode())


def now():
    return int((time.time() - EPOCH_S) * 100_000)


# Keys.


def test_a_passphrase_is_the_key_that_other_ground_stations_make_of_it():
    assert SigningKey.of_passphrase("border").secret == SECRET
    assert Signing("border").key == SigningKey(SECRET)


@pytest.mark.parametrize(
    "data",
    [SECRET, SECRET.hex().encode(), SECRET.hex().upper().encode() + b"\n", b"border\n", b"border", b"border\r\n"],
)
def test_a_key_is_read_from_each_kind_of_file(tmp_path, data):
    (tmp_path / "key").write_bytes(data)
    assert SigningKey.read(tmp_path / "key").secret == SECRET


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no signing key"),
        (b"\n", "holds no signing key"),
        (b"two\nlines\n", "holds no signing key"),
        (SECRET + b"\xff", "holds no signing key"),
        (b"thirty-two characters, all plain", "can be a key or a passphrase"),
    ],
)
def test_a_file_that_holds_no_key_is_told(tmp_path, data, words):
    (tmp_path / "key").write_bytes(data)
    with pytest.raises(LinkError, match=words) as caught:
        SigningKey.read(tmp_path / "key")
    assert str(tmp_path / "key") in str(caught.value)


def test_a_key_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(LinkError, match="cannot be read: No such file"):
        SigningKey.read(tmp_path / "absent")
    with pytest.raises(LinkError, match="32 bytes and this one 5"):
        SigningKey(b"short")


def test_keys_do_not_show():
    assert "SECRET" not in repr(Signing("SECRET"))
    assert SECRET.hex() not in repr(SigningKey(SECRET))
    assert repr(SECRET) not in repr(SigningKey(SECRET))


# The clock.


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("wall"), st.floats(-1e9, 4e9)),
            st.tuples(st.just("heard"), st.integers(0, 1 << 47)),
            st.tuples(st.just("again"), st.none()),
            st.tuples(st.just("next"), st.none()),
        ),
        max_size=30,
    )
)
def test_the_clock_never_goes_back(tmp_path_factory, steps):
    """Whatever the wall clock says, whatever is heard, and however often the program starts anew."""
    path = tmp_path_factory.mktemp("clock") / "clock"
    wall = [1_800_000_000.0]
    clock = SigningClock(path, lambda: wall[0])
    last, heard_since = clock.next(), 0
    for step, value in steps:
        match step:
            case "wall":
                wall[0] = value
            case "heard":
                clock.heard(value)
                heard_since = max(heard_since, value)
            case "again":
                clock.next()  # what is only heard is no time of ours: only what was signed has to be outdone
                clock = SigningClock(path, lambda: wall[0])
        taken = clock.next()
        assert taken > last
        assert taken > heard_since
        assert taken < 1 << 48
        last = taken


def test_the_clock_is_that_of_the_wall_in_10_us_since_2015():
    clock = SigningClock(wall=lambda: EPOCH_S + 12.5)
    assert clock.next() == 1_250_000
    assert clock.next() == 1_250_001


def test_two_programs_share_a_clock_file(tmp_path):
    """The second begins after all that the first has signed, and the first goes on."""
    path = tmp_path / "state" / "clock"
    one = SigningClock(path, lambda: 1_800_000_000.0)
    signed = [one.next() for _ in range(1000)]
    two = SigningClock(path, lambda: 1_700_000_000.0)
    assert two.next() > signed[-1]
    assert path.stat().st_mode & 0o077 == 0


def test_the_file_is_written_every_two_seconds_and_not_with_each_packet(tmp_path):
    path = tmp_path / "clock"
    wall = [1_800_000_000.0]
    clock = SigningClock(path, lambda: wall[0])
    seen = set()
    for _ in range(1000):
        wall[0] += 0.01
        assert clock.next() <= int(path.read_bytes()) + 1
        seen.add(path.read_bytes())
    assert 4 <= len(seen) <= 6


@pytest.mark.parametrize("data", [b"yesterday", b"-5"])
def test_a_spoilt_clock_file_is_told(tmp_path, data):
    (tmp_path / "clock").write_bytes(data)
    with pytest.raises(LinkError, match="holds no time: take it away"):
        SigningClock(tmp_path / "clock")
    assert (tmp_path / "clock").read_bytes() == data


def test_a_clock_that_cannot_be_kept_is_told_first_and_noted_later(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinkError, match="cannot be kept: File exists: choose another place"):
        SigningClock(tmp_path / "file" / "clock")
    wall = [1_800_000_000.0]
    clock = SigningClock(tmp_path / "clock", lambda: wall[0])
    (tmp_path / "clock").write_bytes(b"spoilt")
    wall[0] += 60.0
    assert clock.next() == int((wall[0] - EPOCH_S) * 100_000)
    assert "the signing clock is not kept any more" in clock.failure


def test_its_place_is_in_the_folder_of_states(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert signing_clock_file() == tmp_path / "vedette" / "signing-clock"


# What is signed and believed.


def test_all_links_of_a_process_share_a_clock_and_none_its_link_id():
    signing = Signing("border")
    codecs = [Codec(255, 190, signing) for _ in range(3)] + [Codec(255, 190, Signing("border"))]
    packets = [codec.encode(text()) for _ in range(20) for codec in codecs]
    stamps = [stamp_of(packet) for packet in packets]
    assert stamps == sorted(set(stamps))
    assert [packet[-13] for packet in packets[:4]] == [0, 1, 2, 0]
    end = peer()
    assert all(end.decode(bytearray(packet)).text == "x" for packet in packets)


def test_a_clock_that_is_ahead_at_the_other_end_is_taken_over():
    signing = Signing("border", SigningClock())
    one, other = Codec(255, 190, signing), Codec(255, 190, signing)
    vehicle = peer(now() + 60 * MINUTE)
    behind = bytearray(other.encode(text()))
    with pytest.raises(mav.MAVError, match="Invalid signature"):
        vehicle.decode(behind)
    assert one.feed(text("ahead").pack(vehicle))
    assert stamp_of(other.encode(text())) > now() + 59 * MINUTE
    assert vehicle.decode(bytearray(other.encode(text("heard")))).text == "heard"


def test_a_forged_time_from_the_future_is_not_taken_over():
    signing = Signing("border", SigningClock())
    codec = Codec(255, 190, signing)
    forger = peer(now() + 60 * MINUTE)
    forger.signing.secret_key = hashlib.sha256(b"other").digest()
    assert codec.feed(text().pack(forger)) == []
    assert stamp_of(codec.encode(text())) < now() + MINUTE
    assert len(codec.feed(text().pack(peer(now())))) == 1


def test_what_was_heard_on_one_link_is_a_repetition_on_another():
    signing = Signing("border", SigningClock())
    one, other = Codec(255, 190, signing), Codec(255, 190, signing)
    vehicle = peer(now())
    packet = text().pack(vehicle)
    assert one.feed(packet)
    assert other.feed(packet) == []
    assert other.feed(text().pack(vehicle))


@pytest.mark.parametrize(("behind", "believed"), [(MINUTE // 2, True), (2 * MINUTE, False)])
def test_one_that_was_not_heard_before_may_be_a_minute_behind(behind, believed):
    codec = Codec(255, 190, Signing("border", SigningClock()))
    assert bool(codec.feed(text().pack(peer(now() - behind)))) is believed


@pytest.mark.parametrize("force_mavlink1", [False, True])
def test_of_unsigned_messages_only_the_radios_pass(force_mavlink1):
    plain = mav.MAVLink(None, srcSystem=51, srcComponent=68)
    codec = Codec(255, 190, Signing("border"))
    radio = mav.MAVLink_radio_status_message(200, 190, 100, 40, 38, 0, 0)
    beat = mav.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3)
    assert len(codec.feed(radio.pack(plain, force_mavlink1=force_mavlink1))) == 1
    assert codec.feed(beat.pack(plain, force_mavlink1=force_mavlink1)) == []


@given(st.integers(0, 30), st.integers(1, 255))
def test_a_packet_that_was_changed_is_not_believed(at, bits):
    packet = bytearray(text("abc").pack(peer(now())))
    packet[at % len(packet)] ^= bits
    codec = Codec(255, 190, Signing("border", SigningClock()))
    assert codec.feed(bytes(packet), "there", datagram=True) == []


def test_noise_signs_nothing():
    codec = Codec(255, 190)
    noise = random.Random(5).randbytes(200_000)
    for start in range(0, len(noise), 500):
        codec.feed(noise[start : start + 500])
    assert not codec.signers_unjudged
    signed = Codec(7, 1, Signing("border", SigningClock()))
    codec.feed(signed.encode(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)), "there", datagram=True)
    assert codec.signers_unjudged == {7}


# Flights.


@pytest.mark.parametrize("key", ["border", "other", None])
async def test_a_signed_vehicle_flies_for_who_has_its_key(key):
    config = sim.FleetConfig(home=HOME, boot=sim.Boot(0.0, 0.0, 0.0), speedup=50.0, transport="tcp", signing_key=SECRET)
    with sim.start_fleet(config) as fleet:
        task = FlightTask(1, fleet.endpoints[0].url, (line_mission(1),))
        signing = None if key is None else Signing(key)
        timing = Timing(time_scale=50.0, floor_s=2.0)
        report = await fly([task], timing=timing, time_scale=50.0, signing=signing, limits=FlightLimits(connect_s=2.0))
    failure = report.vehicles[0].failure
    match key:
        case "border":
            assert report.completed, failure
        case "other":
            assert "packets failed the signature check: give the vehicle's key" in failure
        case None:
            # Its heartbeats are heard, and it hears none of us.
            assert re.search("no answer .* it signs, and this link has no key: .* give its key", failure)


@pytest.mark.parametrize(
    ("heeded", "words"),
    [(False, "no answer .*: it signs, and .* give its key"), (True, "no answer .*: check the link")],
)
async def test_one_that_signs_and_obeyed_unsigned_orders_is_not_said_to_want_a_key(heeded, words):
    """PX4 main of May 2026 signs whatever it sends, by a key of zeros, and takes unsigned orders: its link was lost."""
    script = Script(commands={mav.MAV_CMD_MISSION_START: [-1]})
    async with (
        linked(script) as (_, link),
        await Vehicle.connect(link, 1, timing=FAST, streams=heeded) as vehicle,
    ):
        link.channels[0].codec.signers_unjudged.add(1)
        with pytest.raises(CommandError, match=words):
            await vehicle.command(mav.MAV_CMD_MISSION_START)


async def test_a_link_signs_what_it_sends():
    """Over a real socket, to pymavlink."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        end.setblocking(False)
        url = f"udp:127.0.0.1:{end.getsockname()[1]}"
        async with await open_link(url, signing=Signing("border"), heartbeat=True):
            data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(end, 2048), 10.0)
    assert peer().decode(bytearray(data)).get_type() == "HEARTBEAT"
