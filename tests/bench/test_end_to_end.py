"""The bench of the whole watch: a peer that does not run is told of with its reason, not left out."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bench import end_to_end, vision_peers
from bench.end_to_end import _Spent
from tests.vision.recordings import write_video


@pytest.fixture
def job(tmp_path):
    detector = SimpleNamespace(backend="none", image_size=64, at_once=4, detect=lambda images: [[] for _ in images])
    return SimpleNamespace(
        video=write_video(tmp_path / "video.mp4", 6), detector=detector, model=tmp_path / "none.onnx", classes=[0]
    )


def measured(job, folder, asked, monkeypatch):
    rates = iter([_Spent(10.0, 90.0), _Spent(12.0, 80.0)])
    monkeypatch.setattr(end_to_end, "_watched", lambda *_: next(rates))
    return list(end_to_end._measured(job, asked, folder))


def test_a_peer_that_is_absent_says_so(job, tmp_path, monkeypatch):
    monkeypatch.setattr(vision_peers, "PYTHON", tmp_path / "nowhere")
    (row,) = measured(job, tmp_path, ["supervision"], monkeypatch)
    assert row.peer == "supervision: absent: make vision-peers"
    assert (row.value, row.peer_value, row.ratio, row.met) == (12.0, None, None, None)


def test_a_peer_that_fails_says_why(job, tmp_path, monkeypatch):
    """This project's own environment has no supervision."""
    monkeypatch.setattr(vision_peers, "PYTHON", Path(sys.executable))
    (row,) = measured(job, tmp_path, ["supervision"], monkeypatch)
    assert row.peer == "supervision: does not run here (ModuleNotFoundError: No module named 'supervision')"


@pytest.mark.parametrize(("frames", "said"), [(6, None), (5, "supervision: read 5 of 6 frames")])
def test_a_peer_that_read_less_is_not_compared(job, tmp_path, monkeypatch, frames, said):
    def run(command, **how):
        Path(command[-1]).write_text(json.dumps({"frames": frames, "seconds": 1.5, "cpu_s": 3.0}), encoding="utf-8")
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(vision_peers, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(vision_peers.subprocess, "run", run)
    (row,) = measured(job, tmp_path, ["supervision"], monkeypatch)
    if said:
        assert (row.peer, row.ratio) == (said, None)
    else:
        assert (row.peer_value, row.ratio, row.met) == (4.0, 3.0, True)
        assert row.peer == "supervision, 500 CPU ms a frame, ours 80 (none)"


def test_the_bare_session_is_given_as_many_pictures_at_once_as_ours(job, tmp_path, monkeypatch):
    given = []

    def bare(detector, images, *, batch):
        given.append((len(images), batch))
        return SimpleNamespace(per_second=16.0, cpu_ms=120.0)

    monkeypatch.setattr(end_to_end, "bare_rate", bare)
    one, two = measured(job, tmp_path, ["bare", "bare-single"], monkeypatch)
    assert given == [(6, 4), (6, 1)] * 2
    assert (one.ratio, one.met) == (0.75, False)
    assert one.peer.startswith("bare none session, 4 at once, 120 CPU ms")
    assert two.peer.startswith("bare none session, one after the other, 120 CPU ms")
    assert (two.ratio, two.met) == (0.75, None)


@pytest.mark.parametrize(
    ("backend", "cpu_ms", "met"), [("openvino", 120.0, False), ("openvino", 90.0, None), ("cuda:1", 90.0, False)]
)
def test_on_a_busy_machine_no_goal_is_judged(job, tmp_path, monkeypatch, backend, cpu_ms, met):
    job.detector.backend = backend
    monkeypatch.setattr(end_to_end, "_of_bare", lambda *_: _Spent(16.0, cpu_ms))
    monkeypatch.setattr(end_to_end, "_of_peer", lambda *_, **__: _Spent(10.0, 180.0))
    rows = measured(job, tmp_path, ["bare", "supervision"], monkeypatch)
    assert [row.met for row in rows] == [met, met]
    assert [row.ratio for row in rows] == [0.75, 1.2]
    assert all(("72% of it was there: not judged" in row.peer) == (met is None) for row in rows)


def test_the_rendered_video_is_720p_with_a_crossing(tmp_path, monkeypatch):
    monkeypatch.setattr(end_to_end, "_SECONDS", 2.0)
    made = end_to_end._rendered(tmp_path)
    with end_to_end.open_source(made.video) as source:
        frames = list(source)
    assert frames[0].image.shape == (720, 1280, 3)
    assert all(frame.pose is not None for frame in frames)
    assert len(frames) == 20
    assert np.ptp([frame.time_us for frame in frames]) == 1_900_000
