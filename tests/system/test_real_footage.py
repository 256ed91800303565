"""``vedette watch`` on real clips."""

import json

import vision


def records(folder):
    return [json.loads(line) for line in (folder / "crossings.jsonl").read_text().splitlines()]


def test_fixed_camera_over_a_crossing(run, tmp_path, shared_data):
    model = shared_data("weights/coco-yolo11n.onnx")
    video = tmp_path / "street.mkv"
    vision.cut_clip(shared_data("videos/vtest.avi"), 20_000_000, 38_000_000, video)
    # Down the middle of the picture, where everybody who walks along the pavement passes.
    line = ["--line", "384,576,384,0", "--fps", "3", "--owner", "test", "--out", tmp_path]
    ran = run("watch", video, "--model", model, *line)
    assert ran.code == 0, ran.err
    found = records(tmp_path)
    # By the labels nine passages are seen for a second on both sides of it; others for less.
    assert 7 <= len(found) <= 18
    assert {crossing["kind"] for crossing in found} <= {"person", "bicycle", "vehicle"}
    for crossing in found:
        assert crossing["status"] == "probable"  # a line in the picture proves no place
        assert crossing["method"] == "pixel"
        assert crossing["lat"] is None
        assert crossing["marking"] is None
        assert vision.verify_evidence(tmp_path / "evidence" / crossing["source_id"]) == []


def test_thermal_clip_from_a_drone(run, tmp_path, shared_data):
    video = shared_data("videos/1_60_50_0_00281-00407.mp4")
    ran = run("watch", video, "--line", "0,256,640,256", "--out", tmp_path)
    assert ran.code == 0, ran.err
    assert "127 frames at" in ran.out
    assert all(crossing["status"] == "probable" for crossing in records(tmp_path))


def test_the_shipped_detector_reads_real_thermal_video(shared_data):
    """Decoding, colour order, scaling and classes fit the model. No measure of accuracy: it was trained on them.

    The accuracy on held-out images is in the model card.
    """
    video = shared_data("videos/1_60_30_0_00000-00149.mp4")
    # Frame from 1, id, x, y, width, height, 1, class (0 is a person), 1, name of the image.
    rows = [
        [float(value) for value in line.split(",")[:9]]
        for line in shared_data("videos/1_60_30_0_00000-00149.gt.txt").read_text().splitlines()
    ]
    detector = vision.Detector(confidence=0.25)
    hit = wanted = 0
    with vision.open_source(video) as source:
        for frame in source:
            if frame.index % 10:
                continue
            (found,) = detector.detect([frame.image])
            for row in rows:
                if int(row[0]) != frame.index + 1 or int(row[7]) != 0:
                    continue
                wanted += 1
                x, y = row[2] + row[4] / 2, row[3] + row[5] / 2
                hit += any(d.x1 <= x <= d.x2 and d.y1 <= y <= d.y2 for d in found)
    assert wanted > 50
    assert hit / wanted > 0.5
