"""``vedette watch`` with several videos at once."""

import json
import shutil
import signal
import threading

import vision
from tests.vision.recordings import FPS, klv, write_video

T0_US = 1_790_000_000_000_000


def test_each_video_is_told_of_and_their_evidence_lies_apart(run, tmp_path, shared_data, seen_before):
    """Twice the same street under two names: the same passages, each with a folder of its own."""
    model = shared_data("weights/coco-yolo11n.onnx")
    videos = [tmp_path / place / "street.mkv" for place in ("north", "south")]
    for video in videos:
        video.parent.mkdir()
    vision.cut_clip(shared_data("videos/vtest.avi"), 0, 13_000_000, videos[0])
    shutil.copy(videos[0], videos[1])
    line = ["--line", "384,576,384,0", "--fps", "3", "--model", model, "--out", tmp_path / "out"]
    ran = run("watch", *videos, *line, "--json", tmp_path / "figures.json")
    assert ran.code == 0, ran.err
    north, south = json.loads((tmp_path / "figures.json").read_text())["streams"]
    assert [one["video"] for one in (north, south)] == [str(video) for video in videos]
    assert north["crossings"]
    assert north["frames"] == south["frames"] > 30
    assert north["counts"]["decoded"] == south["counts"]["decoded"]
    assert len(north["crossings"]) == len(south["crossings"])
    assert not set(north["crossings"]) & set(south["crossings"])
    folders = {folder.name for folder in (tmp_path / "out" / "evidence").iterdir()}
    assert folders == {*north["crossings"], *south["crossings"]}
    for name in folders:
        assert vision.verify_evidence(tmp_path / "out" / "evidence" / name) == []
    assert ran.out.count("street.mkv: detector") == 2
    assert f"{2 * len(north['crossings'])} crossings ->" in ran.out
    again = run("watch", videos[0], *line, "--json", tmp_path / "figures.json")
    assert again.code == 0, again.err
    assert again.out.count("street.mkv:") == 3  # its detector, what ran it, and what was seen
    (alone,) = json.loads((tmp_path / "figures.json").read_text())["streams"]
    assert alone["crossings"] == north["crossings"]


def test_what_runs_the_detector_and_what_decodes_is_chosen_and_told(run, tmp_path):
    video = write_video(tmp_path / "flight.ts", count=5)
    how = [video, "--line", "0,100,300,100", "--out", tmp_path / "out"]
    chosen = ["--engine", "cpu", "--decode", "software", "--precision", "auto", "--json", tmp_path / "figures.json"]
    ran = run("watch", *how, *chosen)
    assert ran.code == 0, ran.err
    assert "flight.ts: on onnxruntime; decoded in software" in ran.out
    (one,) = json.loads((tmp_path / "figures.json").read_text())["streams"]
    told = [one[name] for name in ("engine", "why_slower", "decoder", "why_software")]
    assert told == ["onnxruntime", [], "software", None]
    for wrong, said in (
        (["--engine", "gpu"], "--engine gpu: is none of auto, tensorrt, cuda, openvino, cpu"),
        (["--engine", "cpu:1"], "backend 'onnxruntime:1' is unknown"),
        (["--decode", "gpu"], "cannot be decoded on 'gpu': give auto, software, cuda"),
        (["--precision", "f64"], "precision 'f64' is unknown: give one of f32, auto"),
    ):
        ran = run("watch", *how, *wrong)
        assert ran.code not in {0, 130}
        assert said in " ".join(ran.err.split())


def test_one_that_fails_leaves_the_others(run, tmp_path):
    sound = [
        write_video(tmp_path / f"{k}.ts", count=5 + k, form="mpegts", telemetry=lambda n: klv(T0_US + n * 10**6 // FPS))
        for k in range(5)
    ]
    broken, mute = tmp_path / "broken.mp4", write_video(tmp_path / "mute.ts", form="mpegts")
    broken.write_bytes(b"\0" * 5000)
    border = tmp_path / "border.geojson"
    border.write_text(
        json.dumps(
            {
                "type": "Feature",
                "properties": {"own_side": "left"},
                "geometry": {"type": "LineString", "coordinates": [[-111, 31.3], [-110.9, 31.3]]},
            }
        )
    )
    figures = tmp_path / "figures.json"
    told = ["--border", border, "--out", tmp_path / "out", "--json", figures, "--together", 3]
    ran = run("watch", *sound[:2], broken, mute, *sound[2:], *told)
    assert ran.code == 1
    assert "2 of 7 videos were not watched to their end: broken.mp4, mute.ts" in ran.err
    assert "cannot be opened as video" in ran.err
    assert "tells no camera pose" in ran.err
    streams = json.loads(figures.read_text())["streams"]
    assert [one["frames"] for one in streams] == [5, 6, 0, 0, 7, 8, 9]
    assert [one["error"] is None for one in streams] == [True, True, False, False, True, True, True]
    assert {one["time_basis"] for one in streams} == {"klv", "relative", None}
    assert "9 frames at" in ran.out
    assert (tmp_path / "out" / "crossings.jsonl").read_text() == ""


def test_recordings_that_are_stopped_are_not_told_as_watched_to_their_end(run, tmp_path, monkeypatch):
    """Whoever reads "no crossing" relies on all having been seen; what waits for its turn is not begun."""
    videos = [write_video(tmp_path / f"{k}.ts", count=40) for k in range(3)]
    closed, told_once = threading.Event(), threading.Lock()
    close = vision.Source.close

    def closing(source):
        close(source)
        closed.set()

    def detect(detector, images):
        # Pictures are looked at by two threads at once, and a second signal breaks a command off.
        if told_once.acquire(blocking=False):
            signal.raise_signal(signal.SIGINT)
        assert closed.wait(60)
        return [[] for _ in images]

    monkeypatch.setattr(vision.Source, "close", closing)
    monkeypatch.setattr(vision.Detector, "detect", detect)
    told = ["--line", "0,100,300,100", "--together", 1, "--out", tmp_path / "out", "--json", tmp_path / "figures.json"]
    ran = run("watch", *videos, *told)
    assert ran.code == 1
    assert "ending the watch" in ran.err
    assert "3 of 3 videos were not watched to their end: 0.ts, 1.ts, 2.ts" in ran.err
    streams = json.loads((tmp_path / "figures.json").read_text())["streams"]
    assert 0 < streams[0]["frames"] < 40
    assert f"0.ts: was stopped after {streams[0]['frames']} frames" in streams[0]["error"]
    assert ["was not watched" in one["error"] for one in streams[1:]] == [True, True]


def test_a_video_is_given_once(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("watch", "a.ts", "./a.ts", "--line", "0,1,2,3")
    assert ran.code == 1
    assert "a.ts: is given twice" in ran.err
