"""Clips of live streams: what a recorder kept of them, by pictures that tell their number."""

import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.full_disk import full_after
from tests.ports import free_port
from tests.programs import Program
from tests.vision.recordings import FPS, T0_US, klv, number_of, write_video
from tests.vision.rtsp_server import RtspCamera
from vision import (
    Detection,
    EvidenceWriter,
    ModelRef,
    PixelLine,
    Recorder,
    SourceCounts,
    TrackerSettings,
    WatchSettings,
    cut_clip,
    open_source,
    verify_evidence,
    watch,
)
from vision.errors import EvidenceError
from vision.reconnect import BackOff
from vision.segments import Run, Segment, SegmentFiles, join, stretch

AWAY_US = 100_000_000
ONCE = BackOff(give_up_s=0)


def at_us(number, start_us=T0_US):
    return start_us + number * 1_000_000 // FPS


def shown(recording, tmp_path, time_us, before_s, after_s):
    """Numbers of the pictures of a clip and their times on the stream's clock, as it is cut out of a recording."""
    clip = cut_clip(
        recording.path,
        time_us,
        time_us,
        tmp_path / "clip.mp4",
        start_time=recording.start_us,
        pre_s=before_s,
        post_s=after_s,
    )
    with open_source(clip.path, start_time=clip.start_us, sidecar=False) as source:
        return [(number_of(frame.image), frame.time_us) for frame in source]


@pytest.mark.parametrize("asked_early", [False, True], ids=["when it is there", "before it has come"])
def test_a_clip_of_an_rtsp_camera_shows_the_seconds_that_were_asked_for(tmp_path, asked_early):
    with RtspCamera(T0_US, pace=4.0) as camera, Recorder(tmp_path / "kept") as recorder:
        found = {}

        def ask():
            with recorder.recording(at_us(40), 2.0, 3.0) as recording:
                found["pictures"] = shown(recording, tmp_path, at_us(40), 2.0, 3.0)

        asking = threading.Thread(target=ask)
        with open_source(camera.url, recorder=recorder, back_off=ONCE) as source:
            assert source.recorder is recorder
            for frame in source:
                number = number_of(frame.image)
                if number >= (40 if asked_early else 80) and not found and not asking.is_alive():
                    asking.start()
                if number >= 100:
                    break
            asking.join(60.0)
    numbers = [number for number, _ in found["pictures"]]
    # From the keyframe at or before, of which there is one every second.
    assert numbers == list(range(30, 56))
    for number, time_us in found["pictures"]:
        assert time_us == pytest.approx(at_us(number), abs=300)
    assert list((tmp_path / "kept").iterdir()) == []


@dataclass
class Sender:
    """Sends transport streams one after the other to a port, each so many times real time."""

    paths: list[Path]
    port: int
    pace: float = 4.0

    def __post_init__(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
            for path, seconds in self.paths:
                content = path.read_bytes()
                pause_s = seconds / self.pace / (len(content) / 1316)
                for start in range(0, len(content), 1316):
                    camera.sendto(content[start : start + 1316], ("127.0.0.1", self.port))
                    if self.stop.wait(pause_s):
                        return

    def close(self):
        self.stop.set()
        self.thread.join()


def flight(path, start_us, count=100):
    return write_video(path, count, telemetry=lambda number: klv(at_us(number, start_us)), form="mpegts", gop=5)


def test_clips_before_and_after_an_encoder_starts_again_within_a_stream(tmp_path):
    """Each is of its own run, with the telemetry's time; none reaches across."""
    flights = [(flight(tmp_path / f"{k}.ts", T0_US + k * AWAY_US), 20.0) for k in range(2)]
    port = free_port()
    sender = Sender(flights, port)
    try:
        with (
            Recorder(tmp_path / "kept") as recorder,
            open_source(f"udp://127.0.0.1:{port}", recorder=recorder, back_off=ONCE) as source,
        ):
            last_us = 0
            for frame in source:
                last_us = frame.time_us
                if frame.time_us >= at_us(60, T0_US + AWAY_US):
                    break
            assert last_us >= T0_US + AWAY_US
            for start_us in (T0_US, T0_US + AWAY_US):
                with recorder.recording(at_us(40, start_us), 1.0, 1.0) as recording:
                    clip = cut_clip(
                        recording.path,
                        at_us(40, start_us),
                        at_us(40, start_us),
                        tmp_path / "clip.mp4",
                        pre_s=1,
                        post_s=1,
                    )
                    assert clip.telemetry is not None
                    with open_source(clip.path) as cut:
                        assert cut.time_basis == "sidecar"
                        seen = [(number_of(frame.image), frame.time_us) for frame in cut]
                    assert [number for number, _ in seen] == list(range(35, 46))
                    assert [time_us for _, time_us in seen] == [at_us(number, start_us) for number, _ in seen]
            with recorder.recording(at_us(98), 1.0, 5.0) as recording:
                numbers = [number for number, _ in shown(recording, tmp_path, at_us(98), 1.0, 5.0)]
            assert numbers[0] == 90
            assert numbers == sorted(numbers)
    finally:
        sender.close()


def test_a_clip_after_a_camera_came_back(tmp_path):
    camera = RtspCamera(T0_US)
    try:
        with (
            Recorder(tmp_path / "kept") as recorder,
            open_source(
                camera.url, recorder=recorder, back_off=BackOff(first_s=0.1, most_s=0.3, give_up_s=20.0)
            ) as source,
        ):
            for frame in source:
                if frame.time_us < T0_US + AWAY_US and number_of(frame.image) == 20:
                    camera.close()
                    camera = RtspCamera(T0_US + AWAY_US, port=camera.port)
                if frame.time_us >= at_us(40, T0_US + AWAY_US):
                    break
            for number, start_us, first in ((10, T0_US, 5), (30, T0_US + AWAY_US, 25)):
                with recorder.recording(at_us(number, start_us), 1.0, 1.0) as recording:
                    pictures = shown(recording, tmp_path, at_us(number, start_us), 1.0, 1.0)
                assert [one for one, _ in pictures] == list(range(first, number + 6))
                for one, time_us in pictures:
                    assert time_us == pytest.approx(at_us(one, start_us), abs=300)
    finally:
        camera.close()


def kept(recorder, tmp_path, number):
    """Numbers of the pictures of a second before and after one."""
    with recorder.recording(at_us(number), 1.0, 1.0) as recording:
        return [one for one, _ in shown(recording, tmp_path, at_us(number), 1.0, 1.0)]


def test_what_is_older_goes_and_the_error_says_so(tmp_path):
    with (
        RtspCamera(T0_US, pace=20.0, count=250) as camera,
        Recorder(tmp_path / "kept", keep_s=10.0) as recorder,
        open_source(camera.url, recorder=recorder, back_off=ONCE) as source,
    ):
        for frame in source:
            if frame.time_us >= at_us(240):
                break
        assert 2 <= sum(1 for _ in recorder.folder.glob("*.ts")) <= 5  # 10 s in files of 4 s
        with pytest.raises(EvidenceError, match=r"nothing is kept .* at that time"):
            kept(recorder, tmp_path, 20)
        assert kept(recorder, tmp_path, 235) == list(range(230, 241))


def test_a_full_disk_costs_the_clips_of_that_time_and_never_the_stream(tmp_path, monkeypatch):
    monkeypatch.setattr("vision.segments._RETRY_S", 0.5)
    numbers = []
    with (
        RtspCamera(T0_US, pace=4.0, count=250) as camera,
        Recorder(tmp_path / "kept", patience_s=0.5) as recorder,
        open_source(camera.url, recorder=recorder, back_off=ONCE) as source,
    ):
        with full_after(3_000):
            for frame in source:
                numbers.append(number_of(frame.image))
                if numbers[-1] >= 60:
                    break
            with pytest.raises(EvidenceError, match=r"nothing is kept"):
                kept(recorder, tmp_path, 40)
        assert any("is not being kept for clips" in problem for problem in source.counts.problems)
        for frame in source:  # there is room again: it takes it up after some seconds
            numbers.append(number_of(frame.image))
            if numbers[-1] >= 200:
                break
        assert kept(recorder, tmp_path, 190) == list(range(185, 196))
    assert len(numbers) > 100


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path):
    begin = (
        "import sys, time; from vision import Recorder; held = Recorder(sys.argv[1]); print(held.folder, flush=True); "
        "time.sleep(600)"
    )
    with Program([sys.executable, "-c", begin, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        theirs = Path(other.stdout.readline().strip())
        (theirs / "0.ts").write_bytes(b"people")
        with Recorder(tmp_path) as mine:
            assert theirs.exists()
            other.kill()
            other.wait()
            with Recorder(tmp_path):
                assert mine.folder.exists()
                assert not theirs.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_recorder_keeps_one_stream():
    with Recorder() as recorder:
        recorder.attach("a", SourceCounts())
        with pytest.raises(EvidenceError, match="give each stream its own"):
            recorder.attach("b", SourceCounts())


@pytest.fixture(scope="module")
def packets(tmp_path_factory):
    """Packets of a recording of 40 s with telemetry: kind of stream, PTS and DTS, microseconds, keyframe, content."""
    path = flight(tmp_path_factory.mktemp("packets") / "flight.ts", T0_US, 200)
    with av.open(str(path)) as container:
        found = []
        for packet in container.demux():
            if packet.size:
                times = [None if t is None else round(t * packet.time_base * 1e6) for t in (packet.pts, packet.dts)]
                found.append((packet.stream.type, *times, packet.is_keyframe, bytes(packet)))
    return path, found


def fed(files, packets, *, change):
    """Hand packets to segment files, their times as `change` gives them; by a container of the same streams."""
    path, found = packets
    with av.open(str(path)) as container:
        streams = {"video": container.streams.video[0], "data": container.streams.data[0]}
        for kind, pts, dts, key, content in found:
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = streams[kind], Fraction(1, 1_000_000), key
            packet.pts, packet.dts = change(kind, pts, dts)
            files.add(packet, container)
        files.finish()
    return list(files.complete)


def joined(files, tmp_path):
    """Numbers of the pictures and how many telemetry packets files hold together, and the time of their first."""
    path = tmp_path / "joined.ts"
    with ExitStack() as opened:
        first_us = join([opened.enter_context(one.path.open("rb")) for one in files], path)
    with open_source(path, decode="software", sidecar=False) as source:
        numbers = [number_of(frame.image) for frame in source]
        return numbers, source.counts.klv_packets, first_us


def test_a_stream_of_days_can_be_cut_on_its_last(tmp_path, packets):
    """A transport stream counts to 26.5 hours: times behind that are told right, in a run of their own."""
    late_us = 99_000_000_000
    files = SegmentFiles(tmp_path, 1e6, 8 << 20)  # enough for some hours
    steps = iter(range(1, 20_000))
    with av.open(str(packets[0])) as container:
        # A day of pictures, nine seconds apart and some to a file, of which nothing but the clock matters.
        *_, content = next(one for one in packets[1] if one[0] == "video" and one[3])
        for step in steps:
            if step * 9_000_000 >= late_us:
                break
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = (
                container.streams.video[0],
                Fraction(1, 1_000_000),
                step % 10 == 1,
            )
            packet.pts = packet.dts = step * 9_000_000
            files.add(packet, container)
        files.finish()
    runs = {id(one.run): one.run for one in files.complete}
    assert len(runs) == 2
    for one in (files.complete[0], files.complete[-1]):
        with one.path.open("rb") as reader:
            first_us = join([reader], tmp_path / "one.ts")
        assert first_us + one.run.base_us == pytest.approx(one.first_us, abs=50)


def test_a_stream_is_kept_whose_decoder_encodes_nothing(tmp_path):
    """AV1 is decoded by dav1d, which has no encoder."""
    path = write_video(tmp_path / "flight.mkv", 20, codec="libsvtav1")
    files = SegmentFiles(tmp_path, 60.0, 1 << 30)
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                files.add(packet, container)
        files.finish()
    joined_path = tmp_path / "joined.mkv"
    with ExitStack() as opened:
        join([opened.enter_context(one.path.open("rb")) for one in files.complete], joined_path)
    with open_source(joined_path, decode="software", sidecar=False) as source:
        assert [number_of(frame.image) for frame in source] == list(range(20))


def test_telemetry_without_times_of_its_own_is_kept_beside_the_pictures(tmp_path, packets):
    files = SegmentFiles(tmp_path, 1e6, 1 << 40)
    parts = fed(files, packets, change=lambda kind, pts, dts: (None, None) if kind == "data" else (pts, dts))
    numbers, klv_packets, _ = joined(parts, tmp_path)
    assert numbers == list(range(200))
    assert klv_packets > 190


def test_times_of_decoding_that_go_back_cost_no_picture(tmp_path, packets):
    """Pictures that the network brought in another order, by 0.1 s now and then."""
    count = iter(range(1 << 30))
    files = SegmentFiles(tmp_path, 1e6, 1 << 40)
    parts = fed(
        files, packets, change=lambda _, pts, dts: (pts, dts - 500_000) if next(count) % 37 == 36 else (pts, dts)
    )
    assert len({id(one.run) for one in parts}) == 1
    assert joined(parts, tmp_path)[0] == list(range(200))


def test_a_stream_without_keyframes_does_not_fill_the_disk(tmp_path, packets):
    first = iter([True])
    path, found = packets
    only_one = (path, [(k, p, d, next(first, False) if k == "video" else key, c) for k, p, d, key, c in found])
    files = SegmentFiles(tmp_path, 8.0, 1 << 40)
    parts = fed(files, only_one, change=lambda _, pts, dts: (pts, dts))
    assert [one.key for one in parts][1:] == [False] * (len(parts) - 1)
    assert sum(one.last_us - one.first_us for one in parts) <= 17_000_000
    assert len(list(tmp_path.glob("*.ts"))) == len(parts) <= 3


def segment(run, first_s, last_s, *, key=True):
    return Segment(Path("x.ts"), run, round(first_s * 1e6), round(last_s * 1e6), key, 1)


def test_a_stretch_begins_with_a_keyframe_and_stays_in_its_run():
    one, two = Run(None, 0), Run(None, 0)
    parts = [segment(one, 0, 4), segment(one, 4, 8, key=False), segment(one, 8, 12), segment(two, 8, 12)]

    def spans(run, at_s, from_s, to_s):
        found = stretch(parts, run, *(round(value * 1e6) for value in (at_s, from_s, to_s)))
        return [(one.first_us // 1_000_000, one.key) for one in found]

    assert spans(one, 6, 5, 7) == [(0, True), (4, False)]
    assert spans(one, 10, 9, 11) == [(8, True)]
    assert spans(one, 10, 7, 11) == [(0, True), (4, False), (8, True)]
    assert spans(two, 10, 7, 11) == [(8, True)]
    assert spans(two, 6, 5, 7) == []
    assert stretch(parts[1:], one, 6_000_000, 5_000_000, 7_000_000) == []


class Walker:
    """Finds one person, who goes by the number of the picture."""

    model = ModelRef("walker", "0" * 64)

    def detect(self, images):
        boxes = []
        for image in images:
            x = 3.0 * number_of(image)
            boxes.append([Detection(x, 150.0, x + 16.0, 190.0, "person", 0.9)])
        return boxes


def test_a_live_crossing_has_its_clip(tmp_path):
    with RtspCamera(T0_US, pace=4.0) as camera, Recorder(tmp_path / "kept") as recorder:
        with open_source(camera.url, recorder=recorder, back_off=ONCE) as source:
            writer = EvidenceWriter(tmp_path / "evidence", source, pre_s=1.0, post_s=1.0)
            line = PixelLine("gate", ((160.0, 256.0), (160.0, 0.0)), "left")
            result = watch(source, Walker(), line=line, evidence=writer, settings=WatchSettings(TrackerSettings()))
        assert result.without_evidence == {}
        crossing = result.crossings[0]
        assert crossing.evidence is not None
        folder = writer.folder_of(crossing)
        assert verify_evidence(folder) == []
        assert verify_evidence(folder, source_file=folder / "clip.mp4") == [
            f"{folder / 'clip.mp4'}: the clip is of a live stream, of which there is no recording to compare"
        ]
        assert (folder / "crossing.png").exists()
    with open_source(folder / "clip.mp4", sidecar=False) as clip:
        numbers = [number_of(frame.image) for frame in clip]
    # The foot of the box is on the line at picture 51.
    assert numbers[0] <= 46
    assert numbers[-1] >= 55
    assert crossing.time_us == pytest.approx(at_us(51), abs=400_000)


def test_a_live_stream_that_nothing_keeps_is_told_of_without_a_clip(tmp_path):
    with RtspCamera(T0_US, pace=4.0) as camera, open_source(camera.url, back_off=ONCE) as source:
        writer = EvidenceWriter(tmp_path / "evidence", source)
        line = PixelLine("gate", ((160.0, 256.0), (160.0, 0.0)), "left")
        result = watch(source, Walker(), line=line, evidence=writer)
    assert len(result.crossings) == 1
    assert "open it with a recorder" in result.without_evidence[result.crossings[0].source_id]
