"""Open groups of pictures, as HEVC cameras send them: some are shown before the keyframe that they follow."""

import av
import pytest

from tests.vision.recordings import number_of, write_part, write_video
from vision import open_source
from vision.clip import cut_clip

GROUPS = {
    "libx264": {"x264-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0"},
    "libx265": {"x265-params": "open-gop=1:keyint=10:min-keyint=10:bframes=3:scenecut=0:log-level=none"},
}


@pytest.fixture(params=[(codec, suffix) for codec in GROUPS for suffix in (".mp4", ".mkv")], ids="{0[0]}{0[1]}".format)
def recording(request, tmp_path):
    codec, suffix = request.param
    return write_video(tmp_path / f"open{suffix}", 40, codec=codec, options=GROUPS[codec])


def frames_of(path, **how):
    with open_source(path, **how) as source:
        return [(number_of(frame.image), frame.time_us) for frame in source], source


def test_a_clip_holds_what_can_be_seen_of_it_and_no_more(recording, tmp_path):
    """What is shown before its keyframe refers to what is not in it: it would count as a picture, and never be one."""
    whole, _ = frames_of(recording)
    at_us = whole[25][1]
    clip = cut_clip(recording, at_us - 1_000_000, at_us + 1_000_000, tmp_path / "clip.mp4")
    seen, source = frames_of(clip.path, start_time=clip.start_us)
    assert seen == whole[20:31]
    assert clip.pictures == len(seen)
    assert source.complete
    with av.open(str(clip.path)) as container:
        assert container.streams.video[0].frames == len(seen)


def test_a_recording_that_begins_with_such_a_group_is_no_torn_one(recording, tmp_path):
    """Another program cut it at a keyframe, and kept what follows in the file."""
    whole, _ = frames_of(recording)
    part = write_part(recording, tmp_path / "part.mp4", 2)
    seen, source = frames_of(part)
    assert [number for number, _ in seen] == [number for number, _ in whole[20:]]
    assert source.complete
    assert source.counts.leading > 0
    assert source.counts.problems == []
