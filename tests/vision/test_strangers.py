"""Videos as strangers hand them over: what is seen of them, when, and what a clip cut out of them shows."""

import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vision.recordings import HEIGHT, WIDTH, number_of, picture
from vision import EvidenceError, SourceError, cut_clip, open_source, suffix_for, verify_evidence, write_evidence

COUNT, RATE, GROUP = 30, 10, 8
STEP_US = 1_000_000 // RATE
REORDERED = {"bf": "2", "preset": "veryfast"}
MILLISECOND = Fraction(1, 1000)


def film(
    path, codec="libx264", *, pixels="yuv420p", rate=RATE, count=COUNT, shown=picture, form=None, muxer=None,
    times_ms=None, options=None,
):  # fmt: skip
    """Numbered pictures by an encoder, `RATE` a second or at times of their own; options of both are FFmpeg's."""
    with av.open(str(path), "w", format=form, options=muxer or {}) as container:
        video = container.add_stream(codec, rate=rate)
        video.height, video.width = shown(0).shape[:2]
        video.pix_fmt, video.gop_size, video.options = pixels, GROUP, options or {}
        if times_ms is not None:
            video.codec_context.time_base = video.time_base = MILLISECOND
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(shown(number), format="bgr24")
            frame.pts, frame.time_base = (
                (number, Fraction(1, rate)) if times_ms is None else (times_ms(number), MILLISECOND)
            )
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def unsteady_ms(number):
    """As telephones and screens record: now late, now early, and once nothing for a second."""
    return 100 * number + 37 * (number % 3) + 900 * (number > 15)


def large(number):
    return cv2.resize(picture(number), (720, 576), interpolation=cv2.INTER_NEAREST)


def odd(number):
    return np.ascontiguousarray(picture(number)[:-1, :-1])


def boxes(data, at, end):
    """Boxes of ISO/IEC 14496-12 from a place on: place, size, kind."""
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield at, size, kind
        at += size


def box(data, *path, at=0, end=None):
    for place, size, kind in boxes(data, at, len(data) if end is None else end):
        if kind == path[0]:
            return (place, size) if len(path) == 1 else box(data, *path[1:], at=place + 8, end=place + size)
    raise LookupError(path)


def edited(path, *edits):
    """A recording whose edit list says: so many milliseconds, from so many on of what is stored (-1: nothing)."""
    film(path, count=40, options={"bf": "0", "preset": "veryfast"})
    with av.open(str(path)) as container:
        second = container.streams.video[0].time_base.denominator
    entries = [struct.pack(">IiI", ms, start if start < 0 else start * second // 1000, 1 << 16) for ms, start in edits]
    body = struct.pack(">II", 0, len(entries)) + b"".join(entries)
    lists = struct.pack(">I4sI4s", 16 + len(body), b"edts", 8 + len(body), b"elst") + body
    data = bytearray(path.read_bytes())
    place, size = box(data, b"moov", b"trak", b"edts")
    for outer in ((b"moov",), (b"moov", b"trak")):
        at, long = box(data, *outer)
        data[at : at + 4] = struct.pack(">I", long + len(lists) - size)
    data[place : place + size] = lists
    path.write_bytes(data)
    return path


SOUND = {
    "negative.mp4": lambda p: film(p, options=REORDERED, muxer={"use_editlist": "0"}),
    "reordered.mkv": lambda p: film(p, options=REORDERED, muxer={"avoid_negative_ts": "disabled"}),
    "reordered.ts": lambda p: film(p, form="mpegts", options=REORDERED),
    "fragments.mp4": lambda p: film(p, options=REORDERED, muxer={"movflags": "frag_keyframe+empty_moov"}),
    "reordered.avi": lambda p: film(p, options=REORDERED),
    "xvid.avi": lambda p: film(p, "mpeg4", options={"bf": "2"}),
    "ten-bits.mp4": lambda p: film(
        p, "libx265", pixels="yuv420p10le", options={"x265-params": "log-level=none", "preset": "ultrafast"}
    ),
    "motion-jpeg.avi": lambda p: film(p, "mjpeg", pixels="yuvj420p"),
    "all-colours.mp4": lambda p: film(p, pixels="yuv444p", options=REORDERED),
    "grey-16-bits.mkv": lambda p: film(p, "ffv1", pixels="gray16le"),
    "prores.mov": lambda p: film(p, "prores", pixels="yuv422p10le"),
    "odd.mp4": lambda p: film(p, "mpeg4", shown=odd),
    "GX010034.MP4": lambda p: film(p, form="mp4", options=REORDERED),
    "wraps.ts": lambda p: film(
        p, form="mpegts", options=REORDERED, muxer={"output_ts_offset": str((1 << 33) / 90_000 - 2)}
    ),
    "far.mkv": lambda p: film(p, options=REORDERED, times_ms=lambda k: 10**12 + 100 * k),
    "delayed.mp4": lambda p: edited(p, (700, -1), (4000, 0)),
}
"""Recordings of all numbered pictures, one every 100 ms."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a recording of `SOUND`, once."""
    folder, there = tmp_path_factory.mktemp("strangers"), {}

    def get(name):
        if name not in there:
            there[name] = SOUND[name](folder / name)
        return there[name]

    return get


def seen(path, **how):
    with open_source(path, **how) as source:
        return [(number_of(frame.image), frame.time_us) for frame in source], source.counts.problems


@pytest.mark.parametrize("name", SOUND)
def test_every_picture_is_seen_once_and_at_its_time(made, name):
    pictures, problems = seen(made(name))
    assert [number for number, _ in pictures] == list(range(len(pictures)))
    assert len(pictures) >= COUNT
    assert [time_us for _, time_us in pictures] == [number * STEP_US for number, _ in pictures]
    assert problems == []


@pytest.mark.parametrize("name", SOUND)
def test_a_clip_shows_the_very_pictures_at_their_times(made, tmp_path, name):
    """Decoded by FFmpeg alone, from the first packet on, with no picture that cannot be."""
    with open_source(made(name)) as source:
        frames = list(source)
    clip = cut_clip(made(name), 1_150_000, 1_850_000, tmp_path / f"clip{suffix_for(made(name))}", start_time=0)
    assert clip.start_us <= 1_150_000
    assert clip.end_us == 1_800_000
    assert frames[clip.first].time_us == clip.start_us
    with av.open(str(clip.path)) as container:
        shown = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]
    assert len(shown) == clip.pictures
    for frame, (at_s, image) in zip(frames[clip.first : 19], shown, strict=False):
        assert clip.start_us + (at_s - shown[0][0]) * 1e6 == pytest.approx(frame.time_us, abs=1000)
        assert number_of(image) == number_of(frame.image)


def test_a_picture_that_a_container_without_times_lost_moves_no_other(tmp_path):
    """AVI tells the order of the decoder alone: the place of a lost picture is known again at the next keyframe."""
    path = film(tmp_path / "whole.avi", options={**REORDERED, "bf": "3"}, count=40)
    data, at, frames = bytearray(path.read_bytes()), 0, []
    at = data.index(b"movi") + 4
    while bytes(data[at + 2 : at + 4]) in {b"dc", b"db"}:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        frames.append((at + 8, size))
        at += 8 + size + size % 2
    begin, size = frames[9]
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    pictures, _ = seen(path)
    assert len(pictures) >= 30
    # What is told after the next keyframe, and before the loss, is exact; in between no time is told twice.
    assert [time_us for _, time_us in pictures] == sorted({time_us for _, time_us in pictures})
    kept = [(number, time_us) for number, time_us in pictures if number >= 2 * GROUP or number < GROUP]
    assert len(kept) >= 40 - GROUP - 1
    assert all(time_us == number * STEP_US for number, time_us in kept)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_pictures_that_come_as_they_like(tmp_path, suffix):
    path = film(tmp_path / f"unsteady{suffix}", options=REORDERED, times_ms=unsteady_ms)
    pictures, problems = seen(path)
    assert pictures == [(number, 1000 * unsteady_ms(number)) for number in range(COUNT)]
    assert problems == []
    clip = cut_clip(path, 1000 * unsteady_ms(14), 1000 * unsteady_ms(17), tmp_path / "clip.mp4", start_time=0)
    assert (clip.start_us, clip.end_us) == (1000 * unsteady_ms(8), 1000 * unsteady_ms(17))
    shown, _ = seen(clip.path, start_time=clip.start_us)
    assert shown[:10] == pictures[8:18]


TRIMMED = [*range(5, 35)]
JOINED = [*range(10), *range(20, 40)]
EDITED = {"trimmed": ([(3000, 500)], TRIMMED), "joined": ([(1000, 0), (2000, 2000)], JOINED)}


@pytest.mark.parametrize("name", EDITED)
def test_what_an_edit_list_leaves_out_is_not_seen(tmp_path, name):
    """Cut without encoding anew, as telephones do: stored is all from the keyframe before."""
    edits, numbers = EDITED[name]
    pictures, problems = seen(edited(tmp_path / "edited.mp4", *edits))
    assert pictures == [(number, k * STEP_US) for k, number in enumerate(numbers)]
    assert problems == []


@pytest.mark.parametrize(
    ("name", "first", "last", "begins", "ends"),
    [
        ("trimmed", 12, 18, 11, 18),
        ("trimmed", 0, 3, -5, 3),  # the keyframe that the first picture needs is not shown
        ("trimmed", 27, 29, 27, 29),
        ("joined", 2, 4, 0, 4),
        ("joined", 8, 9, 8, 9),
        ("joined", 10, 12, 6, 12),
        ("joined", 7, 10, 0, 9),  # a clip of two edits would show what is left out between them
        ("joined", 9, 16, 6, 16),
    ],
)
def test_a_clip_of_an_edited_recording_shows_the_moments_that_were_asked_for(
    tmp_path, name, first, last, begins, ends
):  # fmt: skip
    edits, numbers = EDITED[name]
    path = edited(tmp_path / "edited.mp4", *edits)
    clip = cut_clip(path, first * STEP_US, last * STEP_US, tmp_path / "clip.mp4", start_time=0)
    assert (clip.first, clip.start_us, clip.end_us) == (begins, begins * STEP_US, ends * STEP_US)
    shown, problems = seen(clip.path, start_time=clip.start_us)
    assert problems == []
    # By their times: what is before the first one that the recording shows is none of its pictures.
    by_time = {time_us: number for number, time_us in shown}
    expected = {k * STEP_US: numbers[k] for k in range(first, ends + 1) if numbers[k] - k == numbers[ends] - ends}
    assert expected.items() <= by_time.items()


NOTHING = {
    "sound.mp4": (None, "has no video stream"),
    "none.mkv": ("libx264", "cannot be opened as video"),
    "none.avi": ("libx264", "no picture can be decoded"),
    "none.mp4": ("libx264", "has no video stream"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_has_no_picture_is_refused_in_one_line(tmp_path, name):
    codec, told = NOTHING[name]
    with av.open(str(tmp_path / name), "w") as container:
        if codec is None:
            sound = container.add_stream("aac", rate=48_000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.rate, frame.pts = 48_000, 0
            container.mux(sound.encode(frame) + sound.encode(None))
        else:
            video = container.add_stream(codec, rate=RATE)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            container.start_encoding()
    with pytest.raises(SourceError, match=told) as refused:
        open_source(tmp_path / name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("form", [".avi", ".mkv"])
def test_pictures_that_change_their_size_on_the_way(tmp_path, form):
    path = tmp_path / f"sizes{form}"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mjpeg", rate=RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for number in range(COUNT):
            image = picture(number) if number < 15 else cv2.resize(picture(number), (WIDTH // 2, HEIGHT // 2))
            packet = av.Packet(cv2.imencode(".jpg", image)[1].tobytes())
            packet.stream, packet.time_base, packet.pts, packet.dts = video, Fraction(1, RATE), number, number
            packet.is_keyframe = True
            container.mux(packet)
    pictures, (problem,) = seen(path)
    assert pictures == [(number, number * STEP_US) for number in range(COUNT)]
    assert "change from 320x256 to 160x128 at 1.50 s" in problem
    clip = cut_clip(path, 1_300_000, 1_700_000, tmp_path / "clip.mkv", start_time=0)
    assert [number for number, _ in seen(clip.path)[0]] == [13, 14, 15, 16, 17]


@pytest.mark.parametrize("name", ["tape.dv", "tape.avi"])
def test_a_digital_tape_is_watched_as_it_is_to_be_seen(tmp_path, name):
    path = film(tmp_path / name, "dvvideo", rate=25, shown=large, options={"flags": "+ildct+ilme"})
    with open_source(path) as source:
        assert (source.width, source.height) == (768, 576)  # its pixels are wider than high
        assert [frame.time_us for frame in source] == [40_000 * number for number in range(COUNT)]
        assert ["two half pictures" in problem for problem in source.counts.problems] == [True]


WITHOUT_CLIPS = {
    "tape.dv": lambda p: film(p, "dvvideo", rate=25, shown=large),
    "grey.avi": lambda p: film(p, "rawvideo", pixels="gray"),
    "moving.gif": lambda p: film(p, "gif", pixels="rgb8"),
}


@pytest.mark.parametrize("name", WITHOUT_CLIPS)
def test_what_can_be_watched_and_not_be_kept_in_clips_is_said(tmp_path, name):
    path = WITHOUT_CLIPS[name](tmp_path / name)
    assert len(seen(path)[0]) == COUNT
    with pytest.raises(EvidenceError, match="no clip of its kind of video can be kept"):
        cut_clip(path, 0, 1_000_000, tmp_path / f"clip{suffix_for(path)}", start_time=0)
    assert list(tmp_path.iterdir()) == [path]


def test_a_stream_without_times_is_watched_and_why_it_has_no_clip_is_said(tmp_path):
    path = film(tmp_path / "naked.h264", form="h264", options=REORDERED)
    pictures, _ = seen(path)
    assert [number for number, _ in pictures] == list(range(COUNT))
    with pytest.raises(EvidenceError, match="its pictures carry no times"):
        cut_clip(path, 0, 1_000_000, tmp_path / "clip.mp4", start_time=0)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["reordered.mkv", "motion-jpeg.avi", "ten-bits.mp4"])
def test_a_changed_byte_of_any_file_of_evidence_shows(made, tmp_path, name):
    key = Ed25519PrivateKey.generate()
    folder = write_evidence(
        tmp_path / "evidence", made(name), 1_500_000, 1_500_000, start_time=0, pre_s=0.3, post_s=0.3, key=key,
        pictures={"crossing": 1_500_000}, overlay={"tracks": []},
    ).folder  # fmt: skip
    assert verify_evidence(folder, public_key=key.public_key(), source_file=made(name)) == []
    rng = np.random.default_rng(1)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        places = {0, len(whole) - 1, *rng.integers(0, len(whole), 12).tolist()}
        for place in places:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << int(rng.integers(8))]) + whole[place + 1 :])
            assert verify_evidence(folder, public_key=key.public_key()) != [], (path.name, place)
        path.write_bytes(whole)
    assert verify_evidence(folder, public_key=key.public_key()) == []
