"""Watches judged beside their truth: oracles that see everything, and faults that have to show in the figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vision
from geo import LocalFrame, PoseSigma
from tests.vision.test_watch import (
    INBOUND,
    ORIGIN,
    OUTBOUND,
    STANDING,
    T0,
    Oracle,
    border,
    fly,
    numbered,
    walker,
)
from vision.errors import VisionError
from vision.evaluate import Gates, TrueCrossing
from vision.place_scores import score_places
from vision.records import Direction
from vision.true_boxes import TrueBox, TrueTrack, TruthBoxes
from vision.true_crossings import crossings_in_picture, times_of_frames
from vision.types import Detection, Frame
from vision.video_evaluation import EvaluationSettings, VideoEvaluation
from vision.video_truth import VideoTruth, find_truth, load_video_truth

PEOPLE = (INBOUND, OUTBOUND, STANDING)
CROSSINGS = tuple(
    TrueCrossing(T0 + time_us, way, "person", *(float(v) for v in ORIGIN.to_geodetic(east, -62.0)[:2]))
    for time_us, way, east in ((7_000_000, Direction.INBOUND, 0.0), (7_500_000, Direction.OUTBOUND, 6.0))
)


def truth_of(people, *, ids=True, kinds=frozenset({"person"}), **flight):
    """Exact boxes, one number a person, and their true ways."""
    frames, tracks = {}, {}
    for number, person in enumerate(people, start=1):
        seen, oracle = fly([person], noise=0.0, **flight)
        for frame, boxes in zip(seen, oracle.boxes, strict=True):
            there = [TrueBox(number if ids else None, "person", b.x1, b.y1, b.x2, b.y2) for b in boxes]
            frames.setdefault(frame.index, []).extend(there)
        ends = np.array([person(0.0), person(60.0)])
        lat, lon, _ = ORIGIN.to_geodetic(ends[:, 0], ends[:, 1])
        tracks[number] = TrueTrack(number, "person", np.array([T0, T0 + 60_000_000]), lat, lon)
    times = np.array([frame.time_us for frame in seen], np.int64)
    return VideoTruth(TruthBoxes(Path("t"), frames, len(times) - 1, kinds, times), CROSSINGS, tracks)


def judged(*recordings, settings=None, **line):
    """The figures of recordings, each (frames, detector, truth)."""
    evaluation = VideoEvaluation(recordings[0][1], settings=settings, **(line or {"border": border()}))
    for number, (frames, detector, truth) in enumerate(recordings):
        evaluation._detector = detector
        evaluation.add(frames, truth, name=f"r{number}")
    return evaluation.result()


def test_a_flight_with_an_oracle_is_judged_whole():
    frames, oracle = fly(PEOPLE, bias=np.zeros(6))
    result = judged((frames, oracle, truth_of(PEOPLE)))
    told = json.loads(json.dumps(result.to_json(), allow_nan=False))
    (note,) = told["recordings"]
    assert (note["frames"], note["frames_judged"], note["method"]) == (70, 70, "ground")
    person = told["boxes"]["by_kind"]["person"]
    assert person["objects"] == sum(len(boxes) for boxes in oracle.boxes)
    assert (person["precision"], person["recall"]) == (1.0, 1.0)
    assert told["boxes"]["map50"] == pytest.approx(1.0)
    assert told["tracks"]["person"] | {"by_alpha": 0, "alphas": 0} == {
        **told["tracks"]["person"], "by_alpha": 0, "alphas": 0, "objects": 3, "tracks": 3, "id_switches": 0,
        "mota": 1.0, "idf1": 1.0,
    }  # fmt: skip
    assert (told["crossings"]["found"], told["crossings"]["false"], told["crossings"]["missed"]) == (2, 0, 0)
    places = told["georeference"]
    assert places["single"]["sightings"] == person["objects"]
    # Nothing but a pixel of noise: decimetres, where two metres are stated.
    assert places["smoothed"]["median_m"] < 0.3 < places["smoothed"]["semi_major_m"]
    assert places["smoothed"]["inside"] == 1.0
    (height,) = places["by_height_m"]
    assert (height["from"], height["to"]) == (75.0, 105.0)
    assert sum(band["sightings"] for band in places["by_look_deg"]) == person["objects"]
    assert all(45 <= band["from"] <= 60 for band in places["by_look_deg"])  # it looks 57 degrees down


def test_a_pose_that_is_worse_than_it_says_is_found_out():
    """Five sigmas of a bias to the east: every place is off by that, and outside of what is stated."""
    frames, oracle = fly(PEOPLE, bias=[5, 0, 0, 0, 0, 0])
    places = judged((frames, oracle, truth_of(PEOPLE))).to_json()["georeference"]["smoothed"]
    assert places["median_m"] == pytest.approx(5 * 0.5, abs=0.4)
    assert places["inside"] < 0.3


def test_stated_ellipses_hold_what_they_say_over_many_flights():
    """Poses with errors as they state them: nineteen in twenty true places inside, by flights, not by sightings."""
    errors = PoseSigma(0.8, 1.2, 0.6, 0.3, 0.3)
    runs = []
    for seed in range(40):
        frames, oracle = fly([INBOUND], seed=seed, sigma=errors, rate=2.0)
        runs.append((frames, oracle, truth_of([INBOUND], rate=2.0)))
    evaluated = judged(*runs)
    one = score_places(evaluated.places.single)
    assert one.recordings == 40
    assert 0.90 <= one.inside <= 1.0
    assert one.low < 0.95 < one.high
    # The same errors, stated half as large, are told apart.
    half = PoseSigma(0.4, 0.6, 0.3, 0.15, 0.15)
    worse = [
        ([replace(f, pose=replace(f.pose, sigma=half)) for f in frames], oracle, truth)
        for frames, oracle, truth in runs
    ]
    assert score_places(judged(*worse).places.single).inside < one.inside - 0.1


def test_what_the_detector_misses_and_makes_up_shows():
    frames, oracle = fly(PEOPLE)
    total = sum(len(boxes) for boxes in oracle.boxes)
    blind = [boxes if n % 2 else [] for n, boxes in enumerate(oracle.boxes)]
    kept = sum(len(boxes) for boxes in blind)
    person = judged((frames, Oracle(blind), truth_of(PEOPLE))).to_json()["boxes"]["by_kind"]["person"]
    assert person["recall"] == pytest.approx(kept / total)
    extra = [[*boxes, Detection(5, 5, 15, 25, "person", 0.9)] for boxes in oracle.boxes]
    person = judged((frames, Oracle(extra), truth_of(PEOPLE))).to_json()["boxes"]["by_kind"]["person"]
    assert person["precision"] == pytest.approx(total / (total + 70))
    vehicle = [[replace(box, kind="vehicle") for box in boxes] for boxes in oracle.boxes]
    told = judged((frames, Oracle(vehicle), truth_of(PEOPLE, kinds=frozenset({"person", "vehicle"})))).to_json()
    assert told["boxes"]["by_kind"]["person"]["recall"] == 0.0
    assert told["boxes"]["by_kind"]["vehicle"] | {"by_alarm": 0} == {
        "objects": 0, "ap50": None, "ap50_95": None, "precision": 0.0, "recall": None, "by_alarm": 0,
    }  # fmt: skip
    assert told["tracks"]["all"]["hota"] == 0.0  # a box never matches one of another kind
    assert told["crossings"]["found"] == 2  # a wrong kind is found and said
    assert told["crossings"]["kinds_right"] == 0


def test_kinds_that_nobody_labelled_are_not_judged():
    frames, oracle = fly(PEOPLE)
    more = [[*boxes, Detection(5, 5, 15, 25, "vehicle", 0.9)] for boxes in oracle.boxes]
    told = judged((frames, Oracle(more), truth_of(PEOPLE))).to_json()
    assert list(told["boxes"]["by_kind"]) == ["person"]
    assert told["boxes"]["by_kind"]["person"]["precision"] == 1.0
    assert list(told["tracks"]) == ["person"]
    assert told["tracks"]["person"]["false"] == 0


def test_without_identity_there_is_no_number():
    frames, oracle = fly(PEOPLE)
    nameless = replace(truth_of(PEOPLE, ids=False), crossings=None)
    told = judged((frames, oracle, nameless)).to_json()
    reason = {"not_measured": "no identity in the truth"}
    assert told["tracks"] == told["crossings"] == told["georeference"] == reason
    assert told["boxes"]["map50"] == pytest.approx(1.0)  # boxes need none
    # One recording without is enough: figures of the others would be taken for those of all.
    told = judged((frames, oracle, truth_of(PEOPLE)), (frames, oracle, nameless)).to_json()
    assert told["tracks"] == told["crossings"] == reason


def test_several_recordings_are_one_set_whose_people_are_not_mixed():
    """Each recording counts its people from one; together they are as many, and none is taken for another's."""
    frames, oracle = fly(PEOPLE)
    one = judged((frames, oracle, truth_of(PEOPLE))).to_json()
    two = judged((frames, oracle, truth_of(PEOPLE)), (frames, oracle, truth_of(PEOPLE))).to_json()
    assert two["tracks"]["person"]["objects"] == 6
    assert two["tracks"]["person"]["by_alpha"] == {
        name: pytest.approx(values) for name, values in one["tracks"]["person"]["by_alpha"].items()
    }
    assert two["crossings"]["found"] == 4


def test_crossings_on_the_ground_out_of_labels():
    """MOT text knows no crossings: they are found from the labels and the pose that the watch has, too."""
    frames, oracle = fly(PEOPLE)
    told = judged((frames, oracle, replace(truth_of(PEOPLE), crossings=None))).to_json()["crossings"]
    assert (told["truth"], told["found"], told["false"]) == (2, 2, 0)
    assert told["place_error_m"] < 0.5


def test_frames_after_the_last_label_are_not_judged():
    frames, oracle = fly(PEOPLE)
    truth = truth_of(PEOPLE)
    boxes = truth.boxes
    short = TruthBoxes(boxes.path, {n: b for n, b in boxes.frames.items() if n < 40}, 39, boxes.kinds)
    told = judged((frames, oracle, replace(truth, boxes=short))).to_json()
    assert told["recordings"][0]["frames_judged"] == 40
    assert told["boxes"]["by_kind"]["person"]["precision"] == 1.0


def test_the_truth_of_another_recording_or_border_is_refused():
    frames, oracle = fly(PEOPLE)
    truth = truth_of(PEOPLE)
    late = replace(truth.boxes, times_us=truth.boxes.times_us + 150_000)
    with pytest.raises(VisionError, match=r"r0: frame 0 was exposed -0\.150 s from its label.*this very recording"):
        judged((frames, oracle, replace(truth, boxes=late)))
    away = tuple(replace(c, lat_deg=c.lat_deg + 0.001) for c in CROSSINGS)
    with pytest.raises(VisionError, match=r"r0: a true crossing lies 111 m off the border test"):
        judged((frames, oracle, replace(truth, crossings=away)))
    evaluation = VideoEvaluation(oracle, border=border())
    evaluation.add(frames, truth, name="v")
    with pytest.raises(VisionError, match="v was given twice"):
        evaluation.add(frames, truth, name="v")
    with pytest.raises(VisionError, match="nothing was judged"):
        VideoEvaluation(oracle, border=border()).result()


def test_without_a_line_objects_are_followed_and_placed():
    frames, oracle = fly(PEOPLE)
    evaluation = VideoEvaluation(oracle)
    evaluation.add(frames, truth_of(PEOPLE), name="v")
    told = evaluation.result().to_json()
    assert told["crossings"] == {"not_measured": "no line and no border was given"}
    assert told["tracks"]["person"]["idf1"] == 1.0
    assert told["georeference"]["single"]["sightings"] > 50


# ------------------------------------------------------------------------------------------------------ fixed camera


class NoPose(list):
    """Frames of a video that tells no pose."""

    has_pose = False


def street(ways, *, count=60, rate=5.0, step=1):
    """People on a picture, feet at (x, y), boxes 20 x 50 px: frames, an oracle, and the labels of all frames."""
    labels, boxes, frames = {}, [], NoPose()
    for number in range(count):
        feet = [way(number / rate) for way in ways]
        labels[number] = [TrueBox(k, "person", x - 10, y - 50, x + 10, y) for k, (x, y) in enumerate(feet, start=1)]
        if number % step == 0:
            frames.append(Frame(numbered(len(frames)), T0 + round(number / rate * 1e6), number, number / rate))
            boxes.append([Detection(b.x1, b.y1, b.x2, b.y2, "person", 0.8) for b in labels[number]])
    return frames, Oracle(boxes), VideoTruth(TruthBoxes(Path("t"), labels, count - 1, frozenset({"person"})))


ACROSS = walker(300, 300, 40.0, 0.0, 6.0)
BACK = walker(300, 100, -40.0, 0.0, 5.0)
# From bottom to top: the left of the picture is on its left.
MIDDLE = vision.PixelLine("line", ((300.0, 500.0), (300.0, 0.0)), "left")


def test_a_line_in_the_picture():
    frames, oracle, truth = street([ACROSS, BACK, walker(100, 200, 3.0, 0.0)])
    told = judged((frames, oracle, truth), line=MIDDLE).to_json()
    assert (told["crossings"]["truth"], told["crossings"]["found"], told["crossings"]["false"]) == (2, 2, 0)
    assert told["crossings"]["time_error_s"] < 0.05
    assert told["crossings"]["place_error_m"] is None
    assert told["georeference"]["not_measured"].startswith("no true tracks")


def test_what_passes_does_not_depend_on_how_many_frames_are_looked_at():
    whole, _, truth = street([ACROSS, BACK])
    some, _, _ = street([ACROSS, BACK], step=4)
    assert times_of_frames(some, 59).tolist() == times_of_frames(whole, 59).tolist()
    assert crossings_in_picture(truth.boxes, some, MIDDLE) == crossings_in_picture(truth.boxes, whole, MIDDLE)
    (first, second) = crossings_in_picture(truth.boxes, whole, MIDDLE)
    assert (first.direction, first.time_us, first.foot_px) == (Direction.INBOUND, T0 + 5_000_000, (300.0, 100.0))
    assert (second.direction, second.time_us, second.height_px) == (Direction.OUTBOUND, T0 + 6_000_000, 50.0)


def test_a_crossing_at_another_place_of_the_line_is_another():
    """One crosses unseen at the bottom while a thing that is none is followed over the line at the top."""
    frames, _, truth = street([ACROSS])
    _, wrong, _ = street([walker(300, 100, 40.0, 0.0, 6.0)])
    told = judged((frames, wrong, truth), line=MIDDLE).to_json()["crossings"]
    assert (told["found"], told["missed"], told["false"]) == (0, 1, 1)
    loose = EvaluationSettings(gates=Gates(heights=5.0))
    told = judged((frames, wrong, truth), line=MIDDLE, settings=loose).to_json()["crossings"]
    assert (told["found"], told["missed"], told["false"]) == (1, 0, 0)


def test_known_points_of_a_fixed_camera():
    """Ten pixels are a metre: the walker passes the border, and stands where the picture says."""
    local = LocalFrame(31.333, -110.94, 0.0)

    def place(x, y):
        return (float(v) for v in local.to_geodetic((x - 300) / 20, (300 - y) / 20)[:2])

    corners = [(0, 0), (600, 0), (600, 500), (0, 500)]
    known = vision.Homography(tuple(vision.KnownPoint(x, y, *place(x, y)) for x, y in corners), 0.2)
    ends = [tuple(reversed(tuple(place(300, y)))) for y in (500, 0)]
    line = vision.BorderLine("gate", tuple(ends), "left")
    frames, oracle, truth = street([ACROSS])
    lat, lon, _ = local.to_geodetic(np.array([-12.0, 12.0]), np.zeros(2))
    tracks = {1: TrueTrack(1, "person", np.array([T0, T0 + 12_000_000]), lat, lon)}
    told = judged((frames, oracle, replace(truth, tracks=tracks)), border=line, homography=known).to_json()
    assert (told["crossings"]["found"], told["crossings"]["false"]) == (1, 0)
    assert told["recordings"][0]["method"] == "homography"
    assert told["georeference"]["single"]["median_m"] < 0.05
    assert told["georeference"]["by_height_m"] == []  # nobody knows how high the camera hangs


def test_files_beside_a_video(tmp_path):
    video = tmp_path / "w.ts"
    with pytest.raises(VisionError, match=r"w\.ts: no truth beside it \(w\.truth\.json or w\.gt\.txt\)"):
        find_truth(video)
    (tmp_path / "w.gt.txt").write_text("1,1,0,0,5,5,1,1,1\n")
    assert find_truth(video).name == "w.gt.txt"
    told = load_video_truth(find_truth(video))
    assert (told.crossings, told.tracks) == (None, None)
    (tmp_path / "w.truth.json").write_text(json.dumps({"frames": [{"time_us": T0, "boxes": []}], "crossings": []}))
    (tmp_path / "w.tracks.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    told = load_video_truth(find_truth(video))
    assert (told.crossings, told.tracks) == ((), {})
