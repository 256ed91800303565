"""Where video is decoded: a device that is absent, one that declines a video, and one that fails on the way.

There is no device here. One is made up by having the processor decode in its place, so that what is done when it does
not serve is what would be done with a real one. Whether a real one gives the same pictures is measured by
``python -m bench vision --only decode/device``, where there is one.
"""

import socket
import threading

import av
import pytest

from bench import device_decode
from tests.vision.recordings import T0_US, klv, number_of, picture, write_part, write_video
from vision import BackOff, SourceError, decode, decoding_devices, demux, hardware, open_source
from vision.hardware import DECODERS, Decoding
from vision.location import Location
from vision.media import SourceCounts


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Forty pictures, 5 a second, each with a packet."""
    path = tmp_path_factory.mktemp("video") / "flight.ts"
    return write_video(path, 40, telemetry=lambda number: klv(T0_US + number * 200_000))


@pytest.fixture
def absent(monkeypatch):
    """FFmpeg could decode on CUDA, and no such device answers."""
    monkeypatch.setattr(hardware, "_built_for", lambda device: device == "cuda")
    monkeypatch.setattr(hardware, "_answering", lambda *_: None)


@pytest.fixture
def made_up(monkeypatch):
    """A device, of which the processor does the work."""
    opened = []

    def accel(self):
        self.device = None if self._refused else "cuda"
        opened.append(self.device)

    monkeypatch.setattr(Decoding, "accel", accel)
    return opened


def numbers(source):
    return [number_of(frame.image) for frame in source]


def test_where_no_device_answers_the_processor_decodes_and_says_why_where_one_was_asked_for(recording, absent):
    for asked, noted in (("auto", False), ("cuda", True), ("cuda:1", True), ("software", False)):
        with open_source(recording, decode=asked) as source:
            assert source.decoder == "software"
            assert source.why_software == ("" if asked == "software" else "no cuda device answers")
            assert numbers(source) == list(range(40))
        told = [f"{recording}: the processor decodes it (no cuda device answers)"]
        assert source.counts.problems == (told if noted else [])


def test_a_device_that_ffmpeg_was_not_built_for_is_told_with_those_that_it_was(recording, absent):
    with open_source(recording, decode="vaapi") as source:
        assert source.why_software == "vaapi: this FFmpeg decodes on cuda alone"
        assert len(source.counts.problems) == 1


@pytest.mark.parametrize("asked", ["gpu", "", "software:1", "auto:0", "cuda1", "CUDA"])
def test_a_decoder_that_is_none_is_refused(recording, asked):
    with pytest.raises(SourceError, match=r"cannot be decoded on .*: give auto, software, cuda"):
        open_source(recording, decode=asked)


def test_this_machine_says_what_it_has():
    """Whatever FFmpeg was built for, asking opens no more than devices, and a missing driver is no error."""
    found = decoding_devices()
    assert set(found) <= set(DECODERS[2:])
    for device in DECODERS[2:]:
        decoding = Decoding(device, "video", SourceCounts())
        assert (decoding.accel() is not None) == (device in found)
        assert (decoding.device == device) == (device in found)


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_a_video_that_the_device_declines_is_opened_for_the_processor(recording, made_up, asked):
    """FFmpeg then decodes it itself, with one thread: it is opened once more, and nothing is lost or comes twice."""
    with open_source(recording, decode=asked, threads=2) as source:
        assert made_up == ["cuda", None]
        assert source.decoder == "software"
        assert source.why_software.startswith("cuda: it does not decode this h264 (320x256, ")
        assert numbers(source) == list(range(40))
    assert source.counts.decoded == source.counts.delivered == 40
    assert source.complete
    assert len(source.counts.problems) == (asked == "cuda")


def test_what_a_device_declined_is_counted_once(made_up, tmp_path):
    """A recording that begins with pictures that nobody can decode is opened twice, and has as many of them."""
    options = {"x265-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0:log-level=none"}
    whole = write_video(tmp_path / "whole.mp4", 40, codec="libx265", options=options)
    part = write_part(whole, tmp_path / "part.mp4", 2)
    counted = []
    for decode_on in ("software", "auto"):
        with open_source(part, decode=decode_on) as source:
            assert len(numbers(source)) == 20
            counted.append((source.counts.leading, source.counts.decode_errors))
    assert made_up == [None, "cuda", None]
    assert counted[0] == counted[1]
    assert counted[0][0] > 0


def test_a_device_has_one_thread_and_the_processor_those_that_were_given(recording, made_up, monkeypatch):
    threads = []
    real = demux.demux

    def events(container, *rest):
        threads.append(container.streams.video[0].codec_context.thread_count)
        return real(container, *rest)

    monkeypatch.setattr(decode, "demux", events)
    with open_source(recording, threads=2) as source:
        next(source)
    assert threads == [1, 2]


@pytest.fixture
def failing(made_up, monkeypatch):
    """A device that takes every video, and fails with each packet from the eleventh on."""
    count = 0
    real = demux._decoded

    def decoded(packet, reading, near_us):
        nonlocal count
        count += reading.decoding.device is not None
        if reading.decoding.device and count > 10:
            reading.counts.decode_errors += 1
            return None
        return real(packet, reading, near_us)

    monkeypatch.setattr(Decoding, "takes", lambda self, _: self.device is not None)
    monkeypatch.setattr(demux, "_decoded", decoded)
    monkeypatch.setattr(demux, "_DEVICE_RUN", 5)


def test_a_recording_on_which_the_device_fails_ends_there_with_what_to_do(recording, failing):
    got = []
    with open_source(recording, decode="cuda") as source:
        assert source.decoder == "cuda"
        with pytest.raises(SourceError, match=r"cannot be decoded from .* s on \(cuda: it failed .*: decode it in"):
            got.extend(number_of(frame.image) for frame in source)
        assert source.decoder == "software"
    assert got
    assert got == list(range(len(got)))
    assert source.counts.decode_errors == 5


def test_a_stream_on_which_the_device_fails_is_opened_again_for_the_processor(recording, failing):
    """Each time somebody connects, the recording is sent; a third time there is nobody any more."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]

    def send():
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(recording.read_bytes())
                except OSError:
                    continue  # it was let go of in the middle
        listening.close()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        back_off = BackOff(first_s=0.05, most_s=0.05, give_up_s=1.0)
        with open_source(f"tcp://127.0.0.1:{port}", back_off=back_off) as source:
            seen = numbers(source)
    finally:
        sender.join(30)
    assert source.decoder == "software"
    assert source.counts.reconnects == 1
    assert seen[-1] == 39
    assert any(
        "cuda" in problem and "it failed with 5 packets in a row" in problem for problem in source.counts.problems
    )


def test_errors_of_a_device_are_damage_and_those_of_the_processor_are_not(recording):
    """A device tells broken packets by errors of its own; the processor's say that nothing of it can be decoded."""

    class Packet:
        is_corrupt = False

        def decode(self):
            raise av.error.ExternalError(1, "of the device")

    counts = SourceCounts()
    decoding = Decoding("software", "video", counts)
    reading = demux.Reading(Location.of("video"), counts, decoding)
    with pytest.raises(SourceError, match="convert it to H"):
        demux._decoded(Packet(), reading, "0.00 s")
    decoding.device = "cuda"
    assert demux._decoded(Packet(), reading, "0.00 s") is None
    assert counts.decode_errors == 1


def test_a_size_that_the_device_does_not_take_is_noticed(made_up, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Decoding, "takes", lambda _, stream: asked.append(stream.codec_context.width) or True)
    changing = tmp_path / "changing.ts"
    large = write_video(tmp_path / "large.ts", 10, form="mpegts")
    small = write_video(tmp_path / "small.ts", 10, form="mpegts", pictures=small_picture)
    changing.write_bytes(large.read_bytes() + small.read_bytes())
    with open_source(changing) as source:
        assert len(list(source)) >= 10
    assert source.counts.size_changes == 1
    assert asked == [320, 160]


def small_picture(number):
    return picture(number)[:128, :160].copy()


def test_the_bench_compares_every_picture(recording, tmp_path):
    """Decoded twice by the processor they are the same; a video that is cut or has other times is not."""
    row = device_decode.compared(recording, "software")
    assert (row.value, row.met) == (0.0, True)
    assert row.peer.startswith("40 pictures of flight.ts, 0 with other times, 0 in one alone, mean 0.000")


@pytest.mark.parametrize("fault", ["short", "late", "pale"])
def test_the_bench_tells_a_device_that_differs(recording, tmp_path, monkeypatch, fault):
    other = {
        "short": lambda path: write_video(path, 39, telemetry=lambda n: klv(T0_US + n * 200_000)),
        "late": lambda path: write_video(path, 40, telemetry=lambda n: klv(T0_US + n * 200_000 + 1000)),
        "pale": lambda path: write_video(path, 40, telemetry=lambda n: klv(T0_US + n * 200_000), pictures=pale),
    }[fault](tmp_path / "other.ts")
    sources = iter([recording, other])
    monkeypatch.setattr(device_decode, "open_source", lambda _, decode: open_source(next(sources), decode=decode))
    assert device_decode.compared(recording, "software").met is False


def pale(number):
    image = picture(number)
    image[100:140, 100:140] += 12
    return image
