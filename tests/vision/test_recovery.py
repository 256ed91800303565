"""H.264 that renews its pictures strip by strip: a decoder that begins in the middle shows none for a while."""

from types import SimpleNamespace

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.recordings import FPS, T0_US, number_of, write_part, write_video
from vision import EvidenceError
from vision.clip import cut_clip
from vision.clip_picture import pictures_at
from vision.recovery import left_out, referred_to
from vision.source import open_source

COUNT, EVERY = 90, 10
STEP_US = 1_000_000 // FPS
REFRESH = {"x264-params": f"intra-refresh=1:keyint={EVERY}:bframes=0"}
# Two pictures of three are made of others: a count of those to which others refer is not that of all.
BETWEEN = {"x264-params": f"intra-refresh=1:keyint={EVERY}:bframes=2:b-adapt=0"}

SEI_BYTES = 9  # of a message that tells that a keyframe is one, with the length before it


def numbers(path, start_us):
    """Number in each picture by its time, and the source."""
    with open_source(path, start_time=start_us, sidecar=False) as source:
        return {frame.time_us: number_of(frame.image) for frame in source}, source


@pytest.fixture(scope="module", params=["v.mp4", "v.ts", "v.mkv", "between.mp4", "between.ts"])
def recording(request, tmp_path_factory):
    options = BETWEEN if request.param.startswith("between") else REFRESH
    return write_video(tmp_path_factory.mktemp("refresh") / request.param, COUNT, options=options)


def packets_of(path):
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def damaged(path, to, numbers, head=0):
    """A copy in which packets hold zeros behind so many bytes."""
    with av.open(str(path)) as container, av.open(str(to), "w") as output:
        video = container.streams.video[0]
        target = output.add_stream_from_template(video)
        for number, packet in enumerate(packet for packet in container.demux(video) if packet.size):
            if number in numbers:
                other = av.Packet(bytes(packet)[:head] + bytes(packet.size - head))
                other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
                other.is_keyframe = packet.is_keyframe
                packet = other  # noqa: PLW2901
            packet.stream = target
            output.mux(packet)
    return to


def test_what_a_decoder_leaves_out_is_what_is_said(recording, tmp_path):
    with av.open(str(recording)) as container:
        video = container.streams.video[0]
        told = [left_out(packet, video) for packet in container.demux(video) if packet.is_keyframe]
    assert len(told) > 4
    for keyframe in (1, 2, 4):
        part = write_part(recording, tmp_path / f"{keyframe}{recording.suffix}", keyframe)
        with av.open(str(part)) as container:
            video = container.streams.video[0]
            referred = [packet for packet in container.demux(video) if packet.size and referred_to(packet, video)]
        with av.open(str(part)) as container:
            assert next(container.decode(video=0)).pts == referred[told[keyframe]].pts
        assert told[keyframe] > 0


@settings(max_examples=40, deadline=None)
@given(
    rest=st.binary(max_size=40) | st.just(b"\xff" * 9) | st.just(b"\6\x30" + bytes(40)),
    begin=st.sampled_from([b"", b"\0\0\1\6", b"\0\0\1\x65", b"\x20\6", b"\0\0\0\x20\6", bytes(20)]),
    header=st.sampled_from([b"", b"\1\x64\0\x1e\xff\xe1\0", b"\1\x64\0\x1e\xfc\xe1\0"]),
)
def test_what_is_damaged_tells_little_and_never_raises(rest, begin, header):
    data = begin + rest
    video = SimpleNamespace(codec_context=SimpleNamespace(name="h264", extradata=header))
    assert 0 <= (left_out(data, video) or 0) < 1 << 16
    assert referred_to(data, video) in {True, False}


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
@pytest.mark.parametrize("head", [0, SEI_BYTES, 60])
def test_of_a_recording_with_a_damaged_keyframe_clips_are_cut(tmp_path, name, head):
    """Zeros where a disk lost a block: at a keyframe, behind what tells that it is one, or in its picture."""
    path = write_video(tmp_path / name, 40, options={"x264-params": "open-gop=1:keyint=10:bframes=2"})
    content, key = bytearray(path.read_bytes()), [packet for packet in packets_of(path) if packet.is_keyframe][2]
    at = content.index(bytes(key)[:40])
    assert key.size > head + 20
    if head > SEI_BYTES and path.suffix != ".ts":  # the picture's unit is cut off where the zeros begin
        content[at + SEI_BYTES : at + SEI_BYTES + 4] = (head - SEI_BYTES - 4).to_bytes(4)
    content[at + head : at + head + 20] = bytes(20)
    path.write_bytes(content)
    clip = cut_clip(path, T0_US, T0_US + STEP_US, tmp_path / "clip.mkv", start_time=T0_US)
    there, _ = numbers(clip.path, T0_US)
    assert there[T0_US] == 0


@pytest.mark.parametrize("options", [{}, {"x264-params": "open-gop=1:keyint=10:bframes=3"}])
def test_of_whole_keyframes_nothing_is_left_out(tmp_path, options):
    with av.open(str(write_video(tmp_path / "v.mp4", 40, options=options))) as container:
        video = container.streams.video[0]
        assert {left_out(packet, video) for packet in container.demux(video) if packet.is_keyframe} == {0}


@pytest.mark.parametrize("at", [5, 33, 47, 80])
def test_a_clip_shows_each_moment_at_its_time_and_none_too_late(recording, tmp_path, at):
    wanted_us = T0_US + at * STEP_US
    clip = cut_clip(
        recording, wanted_us, wanted_us, tmp_path / f"clip{recording.suffix}", start_time=T0_US, pre_s=2, post_s=2
    )
    there, source = numbers(clip.path, clip.start_us)
    assert min(there) == clip.start_us <= max(T0_US, wanted_us - 2_000_000)
    assert {round((time_us - T0_US) / STEP_US) - number for time_us, number in there.items()} == {0}
    assert clip.first == there[clip.start_us]
    assert clip.pictures == len(there)
    assert (source.complete, source.counts.problems) == (True, [])
    if recording.suffix == ".mp4":  # players begin with what is seen
        with av.open(str(clip.path)) as container:
            assert next(container.decode(video=0)).pts == 0
    assert number_of(pictures_at(clip.path, clip.start_us, [wanted_us])[wanted_us]) == at


def test_a_recording_that_begins_in_the_middle_is_cut_by_the_times_of_its_frames(recording, tmp_path):
    part = write_part(recording, tmp_path / f"part{recording.suffix}", 3)
    there, source = numbers(part, T0_US)
    assert (source.complete, source.counts.leading > 0) == (True, True)
    wanted_us = sorted(there)[len(there) // 2]
    clip = cut_clip(part, wanted_us, wanted_us, tmp_path / "clip.mkv", start_time=T0_US, pre_s=1, post_s=1)
    cut, _ = numbers(clip.path, clip.start_us)
    assert cut == {time_us: there[time_us] for time_us in cut}
    assert wanted_us in cut
    # What is before the first that is seen is in no clip.
    early_us = T0_US - STEP_US
    with pytest.raises(EvidenceError, match=f"runs from {min(there)} to"):
        cut_clip(part, early_us, early_us, tmp_path / "early.mkv", start_time=T0_US)


def test_of_what_was_lost_only_what_was_before_the_recording_is_left_out_of_the_count(recording, tmp_path):
    part = write_part(recording, tmp_path / f"part{recording.suffix}", 1)
    sound, source = numbers(part, T0_US)
    count, leading = len(packets_of(part)), source.counts.leading
    assert (source.complete, leading) == (True, count - len(sound))
    torn = damaged(part, tmp_path / f"torn{recording.suffix}", range(3, 40), head=8)
    there, source = numbers(torn, T0_US)
    assert 0 < len(there) < len(sound) - 15
    assert source.counts.leading <= leading
    if recording.suffix == ".mp4":  # the others do not announce how many there are
        assert not source.complete


def test_a_clip_whose_first_picture_is_not_the_one_that_is_told_is_refused(recording, tmp_path):
    wanted_us, out = T0_US + 60 * STEP_US, tmp_path / "clip.mkv"
    clip = cut_clip(recording, wanted_us, wanted_us, out, start_time=T0_US)
    packets = packets_of(recording)
    shown = sorted(packet.pts for packet in packets)
    first = next(number for number, packet in enumerate(packets) if packet.pts == shown[clip.first])
    out.unlink()
    torn = damaged(recording, tmp_path / "torn.mp4", {first})
    with pytest.raises(EvidenceError, match="whose keyframes are not whole"):
        cut_clip(torn, wanted_us, wanted_us, out, start_time=T0_US)
    assert not out.exists()
