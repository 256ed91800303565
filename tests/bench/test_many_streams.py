"""The bench of sixteen streams: what it counts, on two short ones; measured by name alone."""

import os
import socket
import time
from types import SimpleNamespace

import numpy as np
import pytest

from bench import many_streams
from bench.card import CardUse
from bench.many_streams import ManyStreams, _Looks, _sent, many_rows
from bench.rows import BenchError
from tests.vision.recordings import T0_US, klv, write_video
from vision import BorderLine, Detection, ModelRef, SourceCounts, VisionError

BORDER = BorderLine("parallel", ((-110.99, 31.333), (-110.89, 31.333)), "left")


class Detector:
    """Finds one thing in each picture, in no time."""

    model, backend, at_once = ModelRef("none", "0" * 64), "none", 4

    def detect(self, images):
        return [[Detection(10, 10, 20, 30, "person", 0.9)] for _ in images]


@pytest.fixture
def order(tmp_path):
    video = write_video(tmp_path / "flight.ts", 30, fps=10, telemetry=lambda number: klv(T0_US + number * 100_000))
    return ManyStreams([video], BORDER, count=2, hz=10, decode="software", frames=20)


def test_recordings_are_watched_as_far_as_was_asked_for(order, tmp_path):
    done = order.recordings(Detector(), tmp_path)
    assert done.frames == [20, 20]
    assert done.rate == pytest.approx(40 / done.wall_s)
    assert "decoded 2 on software" in str(done)


def test_live_streams_come_at_their_pace(order):
    done = order.live(Detector())
    # What came while a stream was opened is dropped, the rest is seen.
    assert all(0 < count <= 30 for count in done.frames)


def test_a_stream_that_gives_nothing_is_no_figure(order, tmp_path):
    class Broken(Detector):
        def detect(self, _):
            raise VisionError("out of order")

    with pytest.raises(BenchError, match="gave nothing \\(out of order\\)"):
        _ = order.recordings(Broken(), tmp_path).frames


def test_a_sender_takes_as_long_as_the_recording(order):
    with _sent(order.videos[0], 10) as port, socket.create_connection(("127.0.0.1", port)) as client:
        start, got = time.perf_counter(), b""
        while part := client.recv(65536):
            got += part
        seconds = time.perf_counter() - start
    assert got == order.videos[0].read_bytes()
    assert seconds > 2.0


def test_the_steady_part_leaves_out_begin_and_end():
    looks = _Looks([])
    # 100 a second; dropped are 50 a second until 6 s and after 24 s, and 2 a second between.
    for k in range(121):
        at = k / 4
        dropped = 50 * min(at, 6) + 2 * min(max(at - 6, 0), 18) + 50 * max(at - 24, 0)
        looks.seen.append((at, 100 * at, dropped))
    assert looks.steady() == pytest.approx((100.0, 2.0))
    looks.seen = looks.seen[:40]
    with pytest.raises(BenchError, match="give longer ones"):
        looks.steady()


def test_counts_are_looked_at_while_it_runs():
    counts = SourceCounts()
    looks = _Looks([SimpleNamespace(counts=counts)])
    with looks:
        counts.delivered, counts.dropped = 7, 3
        deadline = time.perf_counter() + 60
        while not looks.seen and time.perf_counter() < deadline:
            time.sleep(0.01)
    assert looks.seen[-1][1:] == (7, 3)


def test_nothing_is_measured_unless_it_is_asked_for_by_name(monkeypatch):
    monkeypatch.setattr(many_streams, "_order", lambda *_: pytest.fail("measured"))
    for only in (None, "streams", "streams/4"):
        assert list(many_rows(None, only)) == []


def test_a_folder_without_recordings_is_told(tmp_path):
    with pytest.raises(BenchError, match="holds no recordings"):
        list(many_rows(tmp_path, "streams/16"))


def test_the_use_of_a_card_is_read_from_the_drivers_program(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\nprintf '40, 10, 800\\n60, [N/A], 900\\n60, 30, 1000\\n50, '\n>\"${0%/*}/said\"\nexec sleep 60\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with CardUse() as use:
        while not (tmp_path / "said").exists():
            time.sleep(0.02)
        time.sleep(0.3)  # from its pipe
    assert (np.mean(use.gpu), np.mean(use.decoder), max(use.memory_mb)) == (50.0, 20.0, 1000.0)
    assert str(use) == "card 50 % and its decoder 20 % busy, 1000 MiB"
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with CardUse() as nothing:
        pass
    assert str(nothing) == "no card"
