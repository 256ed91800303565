"""Pictures of a clip by their times: those that a reader from the beginning sees."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.vision.scenery import scenery
from vision import SourceError, clip_picture, open_source
from vision.clip_picture import pictures_at

START_US, HZ, COUNT = 1_780_000_000_000_000, 10, 45


def clip(path, *, codec="libx264", **options):
    """A view that slides, 10 pictures a second."""
    view = scenery(3)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=HZ)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        video.options = {"g": "10", **options}
        for index in range(COUNT):
            picture = np.ascontiguousarray(view[40 : 40 + 96, 2 * index : 2 * index + 160])
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, HZ)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def seen(path):
    with open_source(path, start_time=START_US, sidecar=False) as source:
        return {frame.time_us: frame.image for frame in source}


@pytest.mark.parametrize(
    ("name", "options", "sought"),
    [
        ("closed.mp4", {"bf": "0"}, True),
        ("b-pictures.mp4", {"bf": "3"}, True),
        ("lower-first.mp4", {"bf": "2", "x264-params": "bff=1"}, True),
        ("upper-first.mp4", {"x264-params": "tff=1:sar=16/11"}, True),
        ("hevc.mp4", {"codec": "libx265", "bf": "2", "x265-params": "log-level=none"}, False),
        # Pictures that are shown before their keyframe may have to be read through.
        ("open.mp4", {"bf": "3", "x264-params": "open-gop=1:b-pyramid=2"}, False),
        ("matroska.mkv", {"bf": "2"}, True),
        ("transport.ts", {"bf": "2"}, False),  # no index: it may have to be read through
        ("refresh.mp4", {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}, False),
        ("mpeg4.mp4", {"codec": "mpeg4", "bf": "2"}, False),
    ],
)
def test_the_nearest_picture_is_the_one_that_a_reader_sees(tmp_path, monkeypatch, name, options, sought):
    path = clip(tmp_path / name, **options)
    there = seen(path)
    if sought:  # then nothing is read from the beginning on
        monkeypatch.setattr(clip_picture, "open_source", None)
    # Between the pictures too, before the first one's successor and behind the last.
    times = [START_US + n * 1_000_000 // HZ + off for n in (0, 1, 9, 10, 11, 25, 39, 44) for off in (0, 20_000, 45_000)]
    for time_us in [*times, START_US + 60_000_000]:
        picture = pictures_at(path, START_US, [time_us])[time_us]
        nearest = min(there, key=lambda at, time_us=time_us: abs(at - time_us))
        assert np.array_equal(picture, there[nearest]), f"{(time_us - START_US) / 1e6} s"
    found = pictures_at(path, START_US, times)
    assert set(found) == set(times)


def test_pictures_are_decoded_from_the_keyframe_on_and_no_others(tmp_path, monkeypatch):
    """What FFmpeg decodes to learn what the header tells already is not seen here, so it is asked what it was told."""
    path, told = clip(tmp_path / "clip.mp4"), []
    opened = av.open
    monkeypatch.setattr(av, "open", lambda *args, **more: told.append(more) or opened(*args, **more))
    pictures_at(path, START_US, [START_US + 2_000_000])
    assert told == [{"stream_options": [{"skip_frame": "all"}]}]
    told.clear()
    pictures_at(clip(tmp_path / "mpeg4.mp4", codec="mpeg4"), START_US, [START_US + 2_000_000])
    assert {} in told  # here the decoder has to tell


def test_a_time_before_the_clip_is_its_first_picture(tmp_path):
    path = clip(tmp_path / "clip.mp4")
    early = START_US - 3_000_000
    assert np.array_equal(pictures_at(path, START_US, [early])[early], seen(path)[START_US])
    assert pictures_at(path, START_US, []) == {}


def test_what_is_damaged_is_read_through(tmp_path):
    path = clip(tmp_path / "clip.mp4", bf="0")
    whole = seen(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    there = seen(path)
    # How a decoder mends what is damaged hangs on where it began: what is not damaged is as it was.
    times = [START_US + n * 1_000_000 // HZ for n in range(COUNT)]
    sound = [time_us for time_us in times if time_us in there and np.array_equal(there[time_us], whole[time_us])]
    hurt = sorted(set(times) - set(sound))
    assert sound[0] < hurt[0] < hurt[-1] < sound[-1]
    for time_us in [*sound[::4], sound[-1]]:
        assert np.array_equal(pictures_at(path, START_US, [time_us])[time_us], whole[time_us])
    assert set(pictures_at(path, START_US, hurt)) == set(hurt)


def test_no_clip_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"none\.mp4"):
        pictures_at(tmp_path / "none.mp4", START_US, [START_US])


def test_pictures_to_which_the_wanted_one_does_not_refer_are_not_decoded(tmp_path, monkeypatch):
    path = clip(tmp_path / "clip.mp4", bf="3", **{"x264-params": "b-adapt=0:b-pyramid=none"})  # I B B B P B B B P ...
    decoded = []
    of = clip_picture._decoded
    monkeypatch.setattr(clip_picture, "_decoded", lambda *a: (decoded.append(f.pts) or f for f in of(*a)))
    there = seen(path)
    picture = pictures_at(path, START_US, [START_US + 700_000])[START_US + 700_000]
    assert np.array_equal(picture, there[START_US + 700_000])
    assert len(decoded) < 7
