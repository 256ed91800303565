"""Live streams of real servers that are killed and started again, and clocks that jump."""

import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vedette
from tests.ports import free_port
from tests.programs import Program
from tests.vision.recordings import FPS, T0_US, klv, number_of, write_video
from tests.vision.rtsp_server import RtspCamera
from tests.vision.tiny_models import tiny_model
from vision.errors import MissingExtra, SourceError
from vision.location import without_secrets
from vision.media import Picture, SourceCounts
from vision.reconnect import BackOff
from vision.source import open_source
from vision.timeline import Timeline

AWAY_US = 100_000_000


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """Two recordings of one camera, the second later and farther north; pictures tell their number."""
    folder = tmp_path_factory.mktemp("flights")
    paths = []
    for k in range(2):

        def telemetry(number, k=k):
            return klv(T0_US + k * AWAY_US + number * 1_000_000 // FPS, sensor_lat_deg=31.333 + k)

        paths.append(write_video(folder / f"{k}.ts", 250, telemetry=telemetry, form="mpegts", gop=5))
    return paths


def serve(ffmpeg, path, protocol, port):
    """A server of its own process; it sends at twice the pace of the recording."""
    address = {
        "udp": ["-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"],
        "srt": ["-f", "mpegts", f"srt://127.0.0.1:{port}?mode=listener"],
        # What RTMP carries is FLV, which has no place for telemetry.
        "rtmp": ["-f", "flv", "-listen", "1", f"rtmp://127.0.0.1:{port}/live/camera"],
    }[protocol]
    streams = ["-map", "0:v"] if protocol == "rtmp" else ["-map", "0"]
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-readrate", "2", "-i", str(path), *streams, "-c", "copy"]
    return subprocess.Popen([*command, *address], stderr=subprocess.DEVNULL)


def location(protocol, port):
    return {
        "udp": f"udp://127.0.0.1:{port}",
        "srt": f"srt://127.0.0.1:{port}",
        "rtmp": f"rtmp://127.0.0.1:{port}/live/camera",
    }[protocol]


def opened(where, back_off, until_s=20.0):
    """A source, when its server has come up."""
    deadline = time.monotonic() + until_s
    while True:
        try:
            return open_source(where, back_off=back_off)
        except SourceError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.parametrize("protocol", ["udp", "srt", "rtmp"])
def test_a_server_that_is_killed_and_started_again(ffmpeg, flights, protocol):
    """The same frames go on, with the times and the poses of the second flight."""
    port = free_port()
    servers = [serve(ffmpeg, flights[0], protocol, port)]
    frames, after = [], 0
    try:
        back_off = BackOff(first_s=0.2, most_s=0.5, give_up_s=30.0)
        with opened(location(protocol, port), back_off) as source:
            assert source.live
            assert source.has_pose is (protocol != "rtmp")
            for frame in source:
                frames.append((frame, number_of(frame.image)))
                if len(frames) == 5:
                    servers[0].kill()
                    servers[0].wait()
                    # Whoever reads UDP cannot see that nobody sends, until its time-out.
                    time.sleep(11.0 if protocol == "udp" else 0.5)
                    servers.append(serve(ffmpeg, flights[1], protocol, port))
                after += source.counts.reconnects  # what was waiting when it came back is among them
                if after == 15:
                    break
            counts = replace(source.counts)
    finally:
        for server in servers:
            server.kill()
            server.wait()
    assert counts.reconnects == 1
    assert any("broke off, and was opened again after" in problem for problem in counts.problems)
    times = [frame.time_us for frame, _ in frames]
    assert times == sorted(set(times))
    back = next(k for k in range(1, len(frames)) if frames[k][1] < frames[k - 1][1])
    assert len(frames) - back >= 5
    if protocol == "rtmp":
        # No time of day: what passed between is what passed here.
        assert 0.5 < (times[back] - times[back - 1]) / 1e6 < 30.0
        return
    for k, (frame, number) in enumerate(frames):
        assert frame.time_us == T0_US + (k >= back) * AWAY_US + number * 1_000_000 // FPS
        assert frame.pose is None or frame.pose.lat_deg == pytest.approx(31.333 + (k >= back), abs=1e-5)
    # The last ones before it broke off have lost their telemetry, and none is made up.
    without = [k - back for k, (frame, _) in enumerate(frames) if frame.pose is None]
    assert all(-5 <= k < 0 for k in without), without


@pytest.mark.parametrize("first_report", [0, 12])
def test_an_rtsp_camera_tells_the_time_of_day_also_when_it_comes_back(first_report):
    """Times are those of the sender's reports, not those of arrival: the server plays four times too fast."""
    back_off = BackOff(first_s=0.1, most_s=0.3, give_up_s=20.0)
    camera = RtspCamera(T0_US, reports=(first_report,))
    seen = []
    try:
        with open_source(camera.url, back_off=back_off) as source:
            assert source.live
            assert source.time_basis == "rtcp"
            for frame in source:
                seen.append((frame.time_us, number_of(frame.image), source.counts.reconnects))
                if len(seen) == 6:
                    camera.close()
                    camera = RtspCamera(T0_US + AWAY_US, port=camera.port, reports=(0,))
                if sum(back for *_, back in seen) == 6:
                    break
            assert source.counts.reconnects == 1
    finally:
        camera.close()
    first = [(time_us, number) for time_us, number, _ in seen if time_us < T0_US + AWAY_US]
    second = [(time_us, number) for time_us, number, _ in seen if time_us >= T0_US + AWAY_US]
    assert len(first) >= 6
    assert len(second) >= 6
    for start_us, part in ((T0_US, first), (T0_US + AWAY_US, second)):
        for time_us, number in part:
            assert time_us == pytest.approx(start_us + number * 1_000_000 / FPS, abs=200)


def test_an_rtsp_camera_that_sends_by_udp_alone_and_asks_for_a_password():
    with RtspCamera(T0_US, udp=True, login=("guard", "s3:cret")) as camera:
        where = camera.url.replace("//", "//guard:s3%3Acret@")
        with open_source(where) as source:
            numbers = [number_of(frame.image) for frame, _ in zip(source, range(4), strict=False)]
            assert len(numbers) == 4
            assert numbers == sorted(set(numbers))  # a busy machine may lose some
            assert "s3" not in source.name
        with pytest.raises(SourceError, match="401") as refused:
            open_source(where.replace("s3", "s4"))
        assert "s4" not in str(refused.value)


def test_an_rtsp_camera_without_reports_has_no_time_of_day():
    with RtspCamera(T0_US, reports=(), pace=20.0) as camera, open_source(camera.url) as source:
        assert source.time_basis == "relative"
        assert source.counts.skipped > 20  # it waited for one
        assert any("tells no time of day" in problem for problem in source.counts.problems)


def test_a_reader_that_is_slower_than_a_camera_gets_the_newest_and_is_told_how_many_it_lost():
    """Over a real connection: every picture that came is handed on or counted as dropped, and none is old."""
    with (
        RtspCamera(T0_US, pace=20.0, count=250) as camera,
        open_source(camera.url, back_off=BackOff(give_up_s=0)) as source,
    ):
        seen = [number_of(next(source).image)]
        deadline = time.monotonic() + 60
        while source.counts.decoded < 150 and time.monotonic() < deadline:
            time.sleep(0.05)
        come = source.counts.decoded
        seen += [number_of(frame.image) for frame in source]
        counts = source.counts
    assert seen == sorted(set(seen))
    assert counts.delivered == len(seen)
    assert counts.decoded == counts.delivered + counts.dropped + counts.skipped
    # What it takes when it looks again is of the last ones that have come, not of those since it looked before.
    assert come >= 150
    assert counts.dropped > 100
    assert sum(number < 100 for number in seen) < 10


def turning(start_us, heading_deg):
    """Telemetry of a camera that turns by half a degree from one picture to the next."""
    return lambda number: klv(start_us + number * 1_000_000 // FPS, platform_heading_deg=heading_deg + number / 2)


@pytest.mark.parametrize("udp", [False, True])
@pytest.mark.parametrize("muxed", [False, True])
def test_an_rtsp_camera_sends_its_telemetry_along_and_comes_back_with_it(muxed, udp):
    """Beside the pictures, or with them in a transport stream: the same poses and times, also after it was cut off."""
    back_off = BackOff(first_s=0.1, most_s=0.3, give_up_s=20.0)
    camera = RtspCamera(T0_US, telemetry=turning(T0_US, 10.0), muxed=muxed, udp=udp)
    frames = []
    try:
        with open_source(camera.url, back_off=back_off) as source:
            assert source.has_pose
            for frame in source:
                frames.append((frame, number_of(frame.image)))
                if len(frames) == 6:
                    camera.close()
                    again = turning(T0_US + AWAY_US, 50.0)
                    camera = RtspCamera(T0_US + AWAY_US, port=camera.port, telemetry=again, muxed=muxed, udp=udp)
                if sum(one.time_us >= T0_US + AWAY_US for one, _ in frames) == 6:
                    break
            assert source.time_basis == "klv"
            assert source.counts.reconnects == 1
    finally:
        camera.close()
    posed = 0
    for frame, number in frames:
        back = frame.time_us >= T0_US + AWAY_US
        assert frame.time_us == T0_US + back * AWAY_US + number * 1_000_000 // FPS
        if frame.pose is not None:
            posed += 1
            assert frame.pose.yaw_deg == pytest.approx(100.0 + 40.0 * back + number / 2, abs=0.02)
    assert posed >= len(frames) - 3  # what was sent last before it was cut off


def test_reports_of_a_transport_stream_in_rtp_are_of_another_clock():
    """They tell the time of RTP's stamps; its pictures count from where the encoder likes, hours away."""
    with (
        RtspCamera(T0_US, telemetry=lambda _: bytes(40), muxed=True) as camera,
        open_source(camera.url) as source,
    ):
        frames = [(frame.time_us, number_of(frame.image)) for frame, _ in zip(source, range(5), strict=False)]
        assert source.time_basis == "relative"
        assert any("tells no time of day" in problem for problem in source.counts.problems)
    assert frames == [(number * 1_000_000 // FPS, number) for number in range(5)]


def test_a_stream_that_stays_away_ends_and_says_so():
    camera = RtspCamera(T0_US)
    start = None
    with open_source(camera.url, back_off=BackOff(first_s=0.1, most_s=0.2, give_up_s=1.0)) as source:
        for number, _ in enumerate(source):
            if number == 3:
                camera.close()
                start = time.monotonic()
        assert source.counts.reconnects == 0
        assert any("did not come back in 1 s" in problem for problem in source.counts.problems)
    assert 0.9 < time.monotonic() - start < 60.0


def test_closing_does_not_wait_for_a_stream_that_is_away():
    camera = RtspCamera(T0_US)
    source = open_source(camera.url, back_off=BackOff(first_s=60.0, most_s=60.0, give_up_s=600.0))
    next(source)
    camera.close()
    time.sleep(1.0)
    start = time.monotonic()
    source.close()
    assert time.monotonic() - start < 50.0
    assert [thread.name for thread in threading.enumerate() if thread.name == "vedette-live"] == []


@given(first=st.floats(0.01, 5), most=st.floats(5, 100), attempt=st.integers(0, 10_000))
def test_waits_grow_to_a_limit_and_are_not_all_alike(first, most, attempt):
    back_off = BackOff(first, most)
    whole = min(most, first * 2.0 ** min(attempt, 100))
    waits = [back_off.wait_s(attempt) for _ in range(20)]
    assert all(whole / 2 <= wait <= whole for wait in waits)
    assert len(set(waits)) > 1


def laid(steps, *, live):
    """Times on the line of pictures that say `steps[k][0]` and arrive `steps[k][1]` seconds after the one before."""
    now = itertools.accumulate([0.0, *(wait for _, wait in steps)])
    counts = SourceCounts()
    clock = {"now": next(now)}
    timeline = Timeline("camera", counts, live=live, period_us=40_000, clock=lambda: clock["now"])
    out = []
    for pts_us, _ in steps:
        clock["now"] = next(now)
        out.append(timeline.at(pts_us))
    return out, counts


FAR_US = st.integers(15_000_000, 1 << 33)


@given(jumps=st.lists(FAR_US | FAR_US.map(int.__neg__), max_size=5), length=st.integers(1, 20), live=st.booleans())
def test_times_go_on_whatever_the_clock_starts_anew_at(jumps, length, live):
    """Runs of pictures 40 ms apart, each from a start of its own, one that arrives every 40 ms."""
    starts = itertools.accumulate([1 << 35, *jumps])
    times, counts = laid([(start + 40_000 * k, 0.04) for start in starts for k in range(length)], live=live)
    # In a recording pictures may be missing, for as long as its clock says: forward it is believed.
    lost = [0, *(0 if live or jump < 0 else jump - 40_000 * length for jump in jumps)]
    expected = [40_000 + lost[k // length] * (k % length == 0) for k in range(1, len(times))]
    assert np.diff(times).tolist() == expected
    assert counts.clock_jumps == (len(jumps) if live else sum(jump < 0 for jump in jumps))


def test_what_passed_while_a_live_clock_started_anew_is_kept():
    times, counts = laid([(5_000_000, 0.0), (5_040_000, 0.04), (0, 7.5), (40_000, 0.04)], live=True)
    assert times == [5_000_000, 5_040_000, 12_540_000, 12_580_000]
    assert counts.clock_jumps == 1
    assert "jumps by -5.04 s" in counts.problems[0]


def test_an_encoder_that_starts_again_within_a_stream(flights):
    """UDP knows no connection: the same address, another clock and the telemetry of the second flight."""
    port = free_port()
    stop = threading.Event()
    data = [path.read_bytes() for path in flights]

    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
            for content, limit in ((data[0], 0.8), (data[1], 1.0)):
                for start in range(0, int(len(content) * limit), 1316):
                    camera.sendto(content[start : start + 1316], ("127.0.0.1", port))
                    if stop.wait(0.004):
                        return

    sender = threading.Thread(target=send)
    sender.start()
    try:
        with open_source(f"udp://127.0.0.1:{port}", back_off=BackOff(give_up_s=0)) as source:
            frames = [(frame.time_us, frame.pose and frame.pose.lat_deg, number_of(frame.image)) for frame in source]
            counts = source.counts
    finally:
        stop.set()
        sender.join()
    second = [one for one in frames if one[0] >= T0_US + AWAY_US]
    assert counts.clock_jumps >= 1
    assert len(second) > 20
    assert [time_us for time_us, *_ in frames] == sorted({time_us for time_us, *_ in frames})
    late = [one for one in second if one[1] is not None]
    assert len(late) > 20
    for time_us, lat_deg, number in late[5:]:
        assert lat_deg == pytest.approx(32.333, abs=1e-5)
        assert (time_us - T0_US - AWAY_US) / 1e6 == pytest.approx(number / FPS, abs=0.001)


def test_what_is_needed_for_srt_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtra, match="ffmpeg program"):
        open_source("srt://127.0.0.1:1")


def test_a_server_that_is_not_there_is_told_by_the_name_alone(ffmpeg):
    with pytest.raises(SourceError) as error:
        open_source("srt://127.0.0.1:1?passphrase=tenletters&latency=20")
    assert "tenletters" not in str(error.value)
    assert "passphrase=***&latency=20" in str(error.value)
    assert without_secrets("udp://h:1?pkt_size=1316&fifo=9") == "udp://h:1?pkt_size=1316&fifo=9"


def test_ctrl_c_ends_a_live_watch_in_good_order(tmp_path):
    """What was found until then is written."""
    model = tiny_model(tmp_path / "blind.onnx", np.zeros((1, 7, 1)))  # nobody asks what it sees
    with RtspCamera(T0_US, pace=1.0, count=600) as camera:
        command = [sys.executable, vedette.__file__, "watch", camera.url, "--line", "0,100,320,100", "--out", tmp_path]
        command = [str(part) for part in [*command, "--model", model, "--fps", 2, "--json", tmp_path / "figures.json"]]
        for wait_s in (5.0, 30.0, 60.0):  # until it watches; a busy machine takes longer to load the model
            camera.shown = 0
            with Program(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
                while not camera.shown and process.poll() is None:  # while modules load an interrupt may be lost
                    time.sleep(0.1)
                time.sleep(wait_s)
                process.send_signal(signal.SIGINT)
                told, _ = process.communicate(timeout=60)
            frames = re.search(r"camera: (\d+) frames at", told)
            if frames is not None and int(frames.group(1)):
                break
    assert process.returncode == 0, told
    assert "ending the watch" in told
    assert frames is not None, told
    assert int(frames.group(1)) > 0
    (figures,) = json.loads((tmp_path / "figures.json").read_text())["streams"]
    assert figures["frames"] == int(frames.group(1))
    assert figures["time_basis"] == "rtcp"
    assert (tmp_path / "crossings.jsonl").exists()


def test_pictures_keep_what_else_they_are():
    timeline = Timeline("camera", SourceCounts(), live=False, period_us=40_000)
    pictures = [Picture(pts_us, k, (2, 3), lambda: None) for k, pts_us in enumerate((9_000_000, 0))]
    on = list(timeline.lay(pictures))
    assert [one.pts_us for one in on] == [9_000_000, 9_040_000]
    assert [replace(one, pts_us=0) for one in on] == [replace(one, pts_us=0) for one in pictures]
