"""``vedette evaluate`` as a person runs it: a rendered scenario, real street video, a real thermal clip."""

import json
import math

import av
import numpy as np
import pytest
from lxml import html

import sim
import vision
from geo import CameraModel
from tests.sim.stage_flights import BORDER, patrol_flight

pytestmark = pytest.mark.usefixtures("seen_before")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """Two recordings of one crossing each, with their truth beside them, and the border."""
    folder = tmp_path_factory.mktemp("scenario")
    flights = [patrol_flight(1, 1, length_m=900, east_m=-450)]
    staged = sim.stage(BORDER, "left", flights, CameraModel(640, 512, 1125.0), 3, crossings=2, windows=2, window_s=9.0)
    sim.record(staged, folder)
    feature = {
        "type": "Feature", "geometry": {"type": "LineString", "coordinates": [list(p) for p in BORDER]},
        "properties": {"name": "test", "own_side": "left"},
    }  # fmt: skip
    (folder / "border.geojson").write_text(json.dumps(feature))
    return folder


def test_a_rendered_scenario(run, scenario, tmp_path):
    ran = run(
        "evaluate", *sorted(scenario.glob("*.ts")), "--border", scenario / "border.geojson",
        "--sigma", "0.8,1.2,0.6,0.3,0.3", "--json", tmp_path / "e.json", "--report", tmp_path / "e.html",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "e.json").read_text())
    assert [note["frames_judged"] for note in told["recordings"]] == [45, 45]
    assert told["boxes"]["map50"] > 0.8
    assert told["tracks"]["all"]["hota"] > 0.5
    assert told["crossings"]["truth"] == 2
    assert told["crossings"]["false"] == 0
    places = told["georeference"]["smoothed"]
    assert places["sightings"] > 20
    assert places["median_m"] < 6  # 90 m up, half a degree of everything
    assert all(word in ran.out for word in ("mAP50", "HOTA", "recall", "inside"))
    page = html.fromstring((tmp_path / "e.html").read_text())
    # Every figure is read without the charts, and nothing is fetched.
    text = " ".join(page.text_content().split())
    for value in (told["boxes"]["map50"], told["tracks"]["all"]["hota"], told["crossings"]["recall"]):
        assert f"{value:.3f}" in text
    assert f"{places['median_m']:.2f}" in text
    assert len(page.xpath("//*[local-name()='svg'][@aria-label]")) == 5
    assert page.xpath("//@src | //@href | //script") == []
    assert "not measured" not in text.lower()


def test_wider_pose_errors_make_wider_ellipses(run, scenario, tmp_path):
    video = min(scenario.glob("*.ts"))
    axes = []
    for number, sigma in enumerate(("0.4,0.6,0.3,0.15,0.15", "3,4,2,1,1")):
        path = tmp_path / f"{number}.json"
        ran = run(
            "evaluate", video, "--border", scenario / "border.geojson", "--fps", 2, "--sigma", sigma, "--json", path
        )
        assert ran.code == 0, ran.err
        axes.append(json.loads(path.read_text())["georeference"]["single"]["semi_major_m"])
    assert axes[1] > 2 * axes[0]


def test_the_field_of_view_is_given_where_the_video_has_none(run, scenario, tmp_path):
    """Of most aircraft of DJI no file tells it. Here it is told, and what is given counts."""
    video = min(scenario.glob("*.ts"))
    errors = []
    for hfov in (math.degrees(2 * math.atan(320 / 1125.0)), 16.0):
        path = tmp_path / f"{hfov}.json"
        ran = run("evaluate", video, "--hfov", hfov, "--fps", 2, "--json", path)
        assert ran.code == 0, ran.err
        errors.append(json.loads(path.read_text())["georeference"]["single"]["median_m"])
    assert errors[0] < 6
    assert errors[1] > 2 * errors[0]


def test_each_video_has_its_own_poses_and_start_and_a_calibration_counts(run, scenario, tmp_path):
    """As people hand recordings in: pictures in MP4, poses beside them; and a calibration that is another camera's."""
    given, told, poses = sorted(scenario.glob("*.ts")), [], []
    for video in given:
        plain, beside = tmp_path / f"{video.stem}.mp4", tmp_path / f"poses-{video.stem}.klv"
        with av.open(str(video)) as source, av.open(str(plain), "w") as out:
            pictures, klv = source.streams.video[0], bytearray()
            target = out.add_stream_from_template(pictures)
            for packet in source.demux():
                if packet.stream is pictures and packet.size:
                    packet.stream = target
                    out.mux(packet)
                elif packet.size:
                    klv += bytes(packet)
        beside.write_bytes(klv)
        with vision.open_source(video) as source:
            told.append((plain, video.with_suffix(".truth.json"), vision.iso_time(source.start_us)))
        poses.append(beside)

    def evaluated(poses, *more):
        pairs = [(plain, "--truth", truth, "--start", start) for plain, truth, start in told]
        named = [part for pose in poses for part in ("--pose", pose)]
        return run(
            "evaluate", *[p for pair in pairs for p in pair], *named, "--fps", 2, "--json", tmp_path / "p.json", *more
        )

    def median_m(poses, *more):
        ran = evaluated(poses, *more)
        assert ran.code == 0, ran.err
        return json.loads((tmp_path / "p.json").read_text())["georeference"]["single"]["median_m"]

    assert median_m(poses) < 6
    swapped = evaluated(poses[::-1])
    assert swapped.code == 1
    assert "poses are known, and none of them at the times of its pictures" in swapped.err
    askew = vision.Calibration((0.0, 0.0, 0.0), 12.0, np.eye(4) * 0.01)
    vision.save_calibration(tmp_path / "camera.json", askew)
    assert median_m(poses, "--calibration", tmp_path / "camera.json") > 12


def test_a_street_with_a_line(run, tmp_path, shared_data):
    """PETS09-S2L1 at three frames a second: 28 passages of the middle by people who are seen a second around them."""
    ran = run(
        "evaluate", shared_data("videos/vtest.avi"), "--truth", shared_data("videos/vtest.gt.txt"),
        "--model", shared_data("weights/coco-yolo11n.onnx"), "--line", "384,576,384,0", "--fps", "3",
        "--json", tmp_path / "v.json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "v.json").read_text())
    assert told["crossings"]["truth"] == 28
    assert told["crossings"]["precision"] >= 0.9
    assert told["crossings"]["recall"] >= 0.9
    assert told["boxes"]["by_kind"]["person"]["ap50"] > 0.85
    assert told["tracks"]["person"]["objects"] == 19
    assert told["tracks"]["person"]["hota"] > 0.5
    assert "not measured: no true tracks on the ground" in " ".join(ran.out.replace("│", " ").split())


def test_boxes_without_identity(run, tmp_path, shared_data):
    video, truth = shared_data("videos/1_60_70_0_00540-00639.mp4"), shared_data("videos/1_60_70_0_00540-00639.gt.txt")
    named = "0=person,1=vehicle,2=bicycle"
    ran = run(
        "evaluate", video, "--truth", truth, "--classes", named, "--line", "0,256,640,256", "--fps", "1",
        "--json", tmp_path / "t.json", "--report", tmp_path / "t.html",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["tracks"] == told["crossings"] == {"not_measured": "no identity in the truth"}
    assert told["boxes"]["by_kind"]["person"]["objects"] > 10
    page = (tmp_path / "t.html").read_text()
    assert page.count("no identity in the truth") == 2
    assert "nan" not in page.lower()
    # The numbers of classes differ between programs: they are asked for.
    refused = run("evaluate", video, "--truth", truth)
    assert refused.code == 1
    assert "class 0 has no name" in refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.ts", "b.ts", "--truth", "a.txt"], "2 videos and 1 --truth"),
        (["a.ts", "b.ts", "--pose", "a.csv"], "2 videos and 1 --pose: give one for each"),
        (["a.ts", "b.ts", "--start", "2026-05-01T06:30:00Z"], "2 videos and 1 --start: give one for each"),
        (["a.ts", "--start", "noon"], "--start 'noon': give ISO 8601"),
        (["a.ts", "--calibration", "absent.json"], "absent.json"),
        (["a.ts", "--line", "1,2,3,4", "--fixed", "f.json"], "give one"),
        (["a.ts", "--line", "1,2,3,4", "--border", "b.geojson"], "two lines: give one"),
        (["a.ts", "--alarm", "2"], "--alarm 2: give a score between 0 and 1"),
        (["a.ts", "--classes", "person"], "--classes 'person': give numbers and kinds"),
        (["a.ts", "--sigma", "1,2"], "--sigma '1,2': give H,V,YAW,PITCH,ROLL"),
        (["a.ts", "--sigma", "1,2,nan,1,1"], "--sigma '1,2,nan,1,1': give five numbers above 0"),
        (["a.ts"], "a.ts: no truth beside it"),
        (["a.ts", "--truth", "absent.txt"], "absent.txt: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_watched(run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    ran = run("evaluate", *arguments)
    assert ran.code == 1
    assert words in ran.err
    assert ran.out == ""


def test_the_truth_of_another_recording_is_refused(run, scenario, tmp_path):
    first, second = sorted(scenario.glob("*.ts"))
    ran = run("evaluate", first, "--truth", second.with_suffix(".truth.json"), "--json", tmp_path / "n.json")
    assert ran.code == 1
    assert "give the truth of this very recording" in ran.err
    assert not (tmp_path / "n.json").exists()
