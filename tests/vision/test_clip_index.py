"""Clips out of long recordings: the place is sought, and what is copied is what reading from the start on copies."""

import os
from fractions import Fraction

import av
import pytest

from tests.vision.recordings import FPS, T0_US, klv, number_of, picture, write_video
from vision import clip_index, open_source
from vision.clip import cut_clip
from vision.clip_picture import pictures_at

COUNT = 400
STEP_US = 1_000_000 // FPS


def at(number):
    return T0_US + number * STEP_US


FORMS = {
    "flight.ts": {"telemetry": lambda n: klv(at(n))},
    "later.ts": {"telemetry": lambda n: klv(at(n)) if n > 2 else None},
    "plain.ts": {},
    "plain.mp4": {},
    "plain.mkv": {},
    "old.avi": {"codec": "mpeg4"},
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Eighty seconds each, a keyframe every second second; H.264 with pictures that refer to later ones."""
    folder = tmp_path_factory.mktemp("video")
    return {name: write_video(folder / name, COUNT, **how) for name, how in FORMS.items()}


@pytest.fixture
def packets_read(monkeypatch):
    """Packets that were read, and whether from the first one on."""
    read = []
    packets = clip_index._packets

    def counted(container):
        for one in packets(container):
            read.append(one)
            yield one

    monkeypatch.setattr(clip_index, "_packets", counted)
    return read


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("first", [0, 3, 48, 50, 199, 333, 390])
def test_a_place_that_is_sought_gives_the_very_bytes(recordings, packets_read, tmp_path, monkeypatch, name, first):
    path, start = recordings[name], None if "telemetry" in FORMS[name] else T0_US
    clip_index._indexed(path, path.stat().st_size, path.stat().st_mtime_ns, start)
    packets_read.clear()

    def cut(to):
        clip = cut_clip(path, at(first), at(min(first + 12, COUNT - 1)), tmp_path / to, start_time=start)
        return clip, clip.path.read_bytes(), clip.telemetry and clip.telemetry.read_bytes()

    sought, *parts = cut("sought.mkv")
    assert sought.start_us <= at(first)
    # Ten seconds of margin and the clip itself, of pictures and telemetry; not the eighty seconds.
    assert len(packets_read) < 260
    monkeypatch.setattr(clip_index, "_sought", lambda *_: None)
    read, *expected = cut("read.mkv")
    assert [bytes_of_clip(sought.path), *parts[1:]] == [bytes_of_clip(read.path), *expected[1:]]
    assert (sought.start_us, sought.end_us, sought.pictures, sought.first) == (
        read.start_us, read.end_us, read.pictures, read.first,
    )  # fmt: skip


def bytes_of_clip(path):
    with av.open(str(path)) as container:
        return [(p.pts, p.dts, p.is_keyframe, bytes(p)) for p in container.demux(container.streams.video[0]) if p.size]


def test_a_recording_is_read_through_once_for_all_its_clips(recordings, tmp_path, monkeypatch):
    decoded = []
    decode = clip_index.decode_klv
    monkeypatch.setattr(clip_index, "decode_klv", lambda raw: (decoded.append(1), decode(raw))[1])
    path = recordings["flight.ts"]
    clip_index._indexed.cache_clear()
    for first in (10, 200, 300):
        cut_clip(path, at(first), at(first + 5), tmp_path / "clip.ts")
    assert len(decoded) == COUNT


def test_a_recording_that_has_changed_is_read_again(tmp_path):
    path = write_video(tmp_path / "flight.ts", 20, telemetry=lambda n: klv(at(n)))
    assert cut_clip(path, at(0), at(99), tmp_path / "clip.ts").end_us == at(19)
    write_video(path, 40, telemetry=lambda n: klv(at(n)))
    assert cut_clip(path, at(0), at(99), tmp_path / "clip.ts").end_us == at(39)
    # Of the same length, and written later.
    os.utime(path, ns=(1, 1))
    before = clip_index._indexed.cache_info().misses
    cut_clip(path, at(0), at(99), tmp_path / "clip.ts")
    assert clip_index._indexed.cache_info().misses == before + 1


@pytest.mark.parametrize("form", ["mp4", "mkv", "ts"])
def test_a_clip_of_pictures_that_come_seldom_has_their_times(tmp_path, form):
    """One a second, with pictures that refer to those seconds later: their order in the file is no clock that jumps."""
    path = write_video(tmp_path / f"lapse.{form}", 60, fps=1, options={"bf": "3", "b_strategy": "0"})
    clip = cut_clip(path, 26_000_000, 34_000_000, tmp_path / f"clip.{form}", start_time=0)
    with open_source(clip.path, start_time=clip.start_us) as source:
        seen = [(number_of(frame.image), frame.time_us) for frame in source]
        assert source.complete
        assert source.counts.problems == []
    assert seen[: 34 - 20 + 1] == [(number, 1_000_000 * number) for number in range(20, 35)]
    assert pictures_at(clip.path, clip.start_us, [30_000_000])[30_000_000].shape == picture(0).shape
    assert number_of(pictures_at(clip.path, clip.start_us, [30_000_000])[30_000_000]) == 30


def test_a_recording_is_indexed_without_decoding_a_picture_and_its_clip_tells_what_pictures_tell(tmp_path, monkeypatch):
    """What FFmpeg decodes as it opens a file is not seen here, so it is asked what it was told."""
    path, told = write_video(tmp_path / "plain.mp4", 30), []
    opened = av.open
    monkeypatch.setattr(av, "open", lambda *args, **more: told.append(more) or opened(*args, **more))
    clip_index.find_span(path, (T0_US, at(20)), T0_US)
    assert told == [{"stream_options": [{"skip_frame": "all"}]}]
    told.clear()
    cut = cut_clip(path, T0_US, at(20), tmp_path / "clip.mp4", start_time=T0_US)
    assert told[0] == {}  # read whole for the copy
    with opened(str(path)) as whole, opened(str(cut.path)) as copy:
        ours, theirs = copy.streams.video[0].codec_context, whole.streams.video[0].codec_context
        for name in ("pix_fmt", "sample_aspect_ratio", "color_range", "colorspace", "has_b_frames", "extradata"):
            assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("name", ["plain.ts", "plain.mkv", "old.avi"])
def test_what_is_no_mp4_is_opened_once(tmp_path, monkeypatch, name):
    path, told = write_video(tmp_path / name, 30, **FORMS[name]), []
    opened = av.open
    monkeypatch.setattr(av, "open", lambda *args, **more: told.append(more) or opened(*args, **more))
    with clip_index.opened(path) as container:
        assert container.streams.video
    assert told == [{}]
    with pytest.raises(FileNotFoundError):
        clip_index.opened(tmp_path / "missing.ts")


@pytest.mark.parametrize("times_ms", [[0, 100, 200, 200, 200, 300, 400], [0, 100, 200, 300, 150, 250, 400], [0] * 7])
@pytest.mark.parametrize("form", ["mp4", "mkv", "ts"])
def test_pictures_whose_times_come_twice_or_go_back_do_not_cost_the_clip(tmp_path, times_ms, form):
    """As they stand in a file of Matroska, which tells no order of decoding."""
    whole, path = write_video(tmp_path / "whole.mp4", 7, fps=10, options={"bf": "0"}), tmp_path / "odd.mkv"
    with av.open(str(whole)) as given, av.open(str(path), "w") as container:
        (video,) = given.streams.video
        copy = container.add_stream_from_template(video)
        packets = (packet for packet in given.demux(video) if packet.size)
        for number, (packet, at_ms) in enumerate(zip(packets, times_ms, strict=True)):
            packet.stream, packet.time_base, packet.pts, packet.dts = copy, Fraction(1, 1000), at_ms, number - 9
            container.mux(packet)
    with open_source(path) as source:
        seen = {frame.time_us: number_of(frame.image) for frame in source}
    clip = cut_clip(path, 0, max(seen), tmp_path / f"clip.{form}", start_time=0)
    assert clip.pictures == 7
    assert {at: number_of(image) for at, image in pictures_at(clip.path, clip.start_us, seen).items()} == seen
