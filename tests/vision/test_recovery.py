"""H.264 that renews its pictures strip by strip: a decoder that begins in the middle shows none for a while."""

import av
import pytest

from tests.vision.recordings import FPS, T0_US, number_of, write_part, write_video
from vision.clip import cut_clip
from vision.clip_picture import pictures_at
from vision.recovery import left_out
from vision.source import open_source

COUNT, EVERY = 90, 10
STEP_US = 1_000_000 // FPS
REFRESH = {"x264-params": f"intra-refresh=1:keyint={EVERY}:bframes=0"}


def numbers(path, start_us):
    """Number in each picture by its time, and the source."""
    with open_source(path, start_time=start_us, sidecar=False) as source:
        return {frame.time_us: number_of(frame.image) for frame in source}, source


@pytest.fixture(scope="module", params=["v.mp4", "v.ts", "v.mkv"])
def recording(request, tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("refresh") / request.param, COUNT, options=REFRESH)


def test_what_a_decoder_leaves_out_is_what_is_said(recording, tmp_path):
    with av.open(str(recording)) as container:
        video = container.streams.video[0]
        told = [left_out(packet, video) for packet in container.demux(video) if packet.is_keyframe]
    assert len(told) > 4
    for keyframe in (1, 2, 4):
        part = write_part(recording, tmp_path / f"{keyframe}{recording.suffix}", keyframe)
        with av.open(str(part)) as container:
            stored = sum(bool(packet.size) for packet in container.demux(video=0))
        with av.open(str(part)) as container:
            assert stored - sum(1 for _ in container.decode(video=0)) == told[keyframe] > 0


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
