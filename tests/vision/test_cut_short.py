"""Recordings that end before their end, that only seem to, and when in them something is said to have happened."""

import io
import re
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.vision.recordings import number_of, write_part, write_video
from vision import SourceError, open_source


def looked_at(path):
    """Numbers of the pictures, seconds of each since the first, whether that is all, and what was said."""
    with open_source(path) as source:
        seen = [(number_of(frame.image), frame.pts_s) for frame in source]
    return [number for number, _ in seen], [t_s for _, t_s in seen], source.complete, source.counts.problems


@pytest.mark.parametrize(("form", "codec"), [("matroska", "libx264"), ("webm", "libvpx-vp9"), ("matroska", "ffv1")])
def test_matroska_that_was_cut_is_told_wherever_it_was(tmp_path, form, codec):
    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
    whole = write_video(tmp_path / "whole.mkv", 60, form=form, codec=codec, options=options)
    numbers, _, complete, said = looked_at(whole)
    assert (numbers, complete, said) == (list(range(60)), True, [])
    data, rng = whole.read_bytes(), np.random.default_rng(5)
    counts = []
    for size in [*sorted(rng.integers(len(data) // 2, len(data) - 1, 4)), len(data) - 1]:
        part = tmp_path / "part.mkv"
        part.write_bytes(data[:size])
        numbers, times, complete, said = looked_at(part)
        assert not complete
        assert numbers == sorted(set(numbers))
        assert said[-1] == f"{part}: ends at {times[-1]:.1f} s of 12.0 s: it is cut short"
        counts.append(len(numbers))
    assert counts == sorted(counts)
    assert 1 < counts[0] < 60


class OneWay(io.RawIOBase):
    """What a program writes to that can never go back in it."""

    def __init__(self):
        self.written = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.written += data
        return len(data)


def test_matroska_that_was_written_in_one_go_tells_no_end_and_is_not_called_cut(tmp_path):
    """Recorders that are switched off leave such files, and so do pipes: nobody knows how long they would have been."""
    whole, sink = write_video(tmp_path / "whole.mp4", 20), OneWay()
    with av.open(str(whole)) as container, av.open(sink, "w", format="matroska") as output:
        target = output.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.size:
                packet.stream = target
                output.mux(packet)
    path = tmp_path / "piped.mkv"
    path.write_bytes(bytes(sink.written))
    numbers, _, complete, said = looked_at(path)
    assert (numbers, complete, said) == (list(range(20)), True, [])


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_places_of_avi_without_a_picture_are_no_missing_end(tmp_path, codec):
    """Those are written where pictures come seldom. The times of the others are as they were."""
    path, taken = tmp_path / "gaps.avi", [0, 1, 2, 6, 7, 11, 17, 18, 19]
    whole = write_video(tmp_path / "whole.avi", 20, codec="ffv1")
    with open_source(whole) as source:
        images = [frame.image for frame in source]
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=5)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in taken:
            frame = av.VideoFrame.from_ndarray(images[number], format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 5)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    numbers, times, complete, said = looked_at(path)
    assert numbers == taken
    assert times == pytest.approx([number / 5 for number in taken])
    assert complete
    assert said == []
    # A chunk whose header is damaged is none of those: what was in it is missing.
    data = bytearray(path.read_bytes())
    chunks = [(found.start(), data[found.start() + 4 : found.start() + 8]) for found in re.finditer(b"00dc", data)]
    at = [start for start, size in chunks if int.from_bytes(size, "little")]
    for start in at[3:5]:
        data[start : start + 8] = bytes([255] * 8)
    path.write_bytes(data)
    numbers, _, complete, said = looked_at(path)
    assert len(numbers) < len(taken)
    assert not complete
    assert said


def shifted(recording, path, by_s, *more):
    """The same packets in a transport stream whose clock is `by_s` ahead, and those of others behind them."""
    how = {"mpegts_copyts": "1"}
    with av.open(str(recording)) as container, av.open(str(path), "w", format="mpegts", options=how) as output:
        source = container.streams.video[0]
        target = output.add_stream_from_template(source)
        for packet in container.demux(source):
            if packet.size:
                packet.pts += int(by_s / packet.time_base)
                packet.dts += int(by_s / packet.time_base)
                packet.stream = target
                output.mux(packet)
    path.write_bytes(path.read_bytes() + b"".join(one.read_bytes() for one in more))
    return path


def large(number):
    image = np.full((480, 640, 3), 90, np.uint8)
    image[:, 10 * number : 10 * number + 40] = 255
    return image


def test_what_happened_is_told_by_the_time_since_the_first_picture(tmp_path):
    """A camera that ran before counts from then on, and its second file from zero again."""
    plain = write_video(tmp_path / "plain.ts", 20)
    shown = shifted(write_video(tmp_path / "large.ts", 10, pictures=large), tmp_path / "large-late.ts", 5.0)
    path = shifted(plain, tmp_path / "late.ts", 50.0, shown)
    with open_source(path) as source:
        times = [frame.pts_s for frame in source]
    assert len(times) == 30
    change, jump = (
        next(one for one in source.counts.problems if words in one) for words in ("change from", "the clock of")
    )
    # The first of the other file comes 4 s after the first of all.
    assert float(re.search(r"at ([0-9.]+) s", change)[1]) == pytest.approx(3.8, abs=0.21)
    assert float(re.search(r"at ([0-9.]+) s", jump)[1]) == pytest.approx(3.8, abs=0.21)


def test_damage_is_told_by_the_time_since_the_first_picture(tmp_path):
    path = shifted(write_video(tmp_path / "plain.ts", 20), tmp_path / "late.ts", 36_000.0)
    raw = bytearray(path.read_bytes())
    start = len(raw) // 188 // 2 * 188
    raw[start : start + 188 * 3] = np.random.default_rng(3).integers(0, 256, 188 * 3, dtype=np.uint8).tobytes()
    path.write_bytes(raw)
    *_, said = looked_at(path)
    (problem,) = [one for one in said if "damaged" in one]
    assert float(re.search(r"near ([0-9.]+) s", problem)[1]) == pytest.approx(2.0, abs=0.7)


@pytest.mark.parametrize("name", ["notes.txt", "zeros.bin", "readme.nfo"])
def test_text_is_no_video(tmp_path, name):
    """FFmpeg draws its letters, and a watch of them found nothing."""
    (tmp_path / name).write_bytes(bytes(50_000) if name == "zeros.bin" else b"Nobody came by tonight.\r\n" * 300)
    with pytest.raises(SourceError, match=rf"{name}: .*not a video") as error:
        open_source(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_trimmed_recording_is_whole(tmp_path):
    """What another program cut, and finished, has its own end."""
    whole = write_video(tmp_path / "whole.mkv", 20)
    numbers, _, complete, said = looked_at(write_part(whole, tmp_path / "part.mkv", 1))
    assert (numbers, complete, said) == (list(range(10, 20)), True, [])


def test_of_a_folder_it_is_said_how_many_images_could_be_read(tmp_path):
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((64, 320, 3), 40 * number, np.uint8))
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:20])
    with open_source(tmp_path, frame_rate=5) as source:
        assert [frame.pts_s for frame in source] == pytest.approx([0.0, 0.2, 0.4, 0.8, 1.0])
    assert any(f"{tmp_path}: 5 of its 6 images could be read" in one for one in source.counts.problems)
    assert not any("cut short" in one for one in source.counts.problems)
