"""Truth as it is read: MOT text, the simulator's boxes and tracks, and what is wrong with broken ones."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from geo import CameraModel
from sim.world import Path
from vision.errors import VisionError
from vision.true_boxes import TrueBox, load_boxes, load_tracks

T0 = 1_790_000_000_000_000


def mot(tmp_path, text):
    path = tmp_path / "clip.gt.txt"
    path.write_text(text)
    return path


def test_mot_challenge_text(tmp_path):
    truth = load_boxes(mot(tmp_path, "1,4,10,20,30,40,1,1,0.9\n\n3,4,11,21,30,40,1,1,1\n"))
    assert truth.frames == {0: [TrueBox(4, "person", 10, 20, 40, 60)], 2: [TrueBox(4, "person", 11, 21, 41, 61)]}
    assert (truth.last, truth.kinds, truth.has_identity, truth.times_us) == (2, {"person"}, True, None)


def test_mot15_has_places_where_others_have_the_class(tmp_path):
    truth = load_boxes(mot(tmp_path, "1,9,499,158,31,75,1,-4.1554,-7.3591,0\n1,3,9,8,31,75,1,2,-7.3591,0\n"))
    assert {box.kind for box in truth.frames[0]} == {"person"}


def test_boxes_without_identity(tmp_path):
    truth = load_boxes(mot(tmp_path, "1,-1,0,0,5,9,1,0,1,x.jpg\n1,-1,0,0,5,9,1,0,1,x.jpg\n"), {0: "person"})
    assert len(truth.frames[0]) == 2
    assert not truth.has_identity


def test_what_is_not_judged(tmp_path):
    """A conf of 0, and classes that were not named; a crowd without ids is no object without identity."""
    truth = load_boxes(mot(tmp_path, "1,1,0,0,5,9,1,2,1\n1,2,0,0,5,9,0,2,1\n1,-1,0,0,5,9,1,8,1\n"), {2: "vehicle"})
    assert [box.judged for box in truth.frames[0]] == [True, False, False]
    assert truth.has_identity


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,1,0,0,5", "line 2: 5 columns"),
        ("1,1,0,0,5,x,1,1,1", "line 2: could not convert"),
        ("1,1,0,0,5,nan,1,1,1", "line 2: a value is not finite"),
        ("0,1,0,0,5,5,1,1,1", "line 2: frame 0: frames are whole numbers from 1"),
        ("1.5,1,0,0,5,5,1,1,1", r"line 2: frame 1\.5"),
        ("1,1.5,0,0,5,5,1,1,1", r"line 2: id 1\.5"),
        ("1,1,0,0,0,5,1,1,1", "line 2: a box 0 wide and 5 high"),
        ("1,7,1,1,5,5,1,1,1", "line 2: object 7 is in frame 1 twice, first in line 1"),
        ("1,1,0,0,5,5,1,3,1", "line 2: class 3 has no name: .*--classes"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, words):
    with pytest.raises(VisionError, match=rf"clip\.gt\.txt, {words}"):
        load_boxes(mot(tmp_path, "1,7,0,0,5,5,1,1,1\n" + line + "\n"))


@pytest.mark.parametrize("text", ["", "\n", "1,1,0,0,5,5,0,1,1\n"])
def test_a_truth_of_nothing_is_refused(tmp_path, text):
    with pytest.raises(VisionError, match=r"clip\.gt\.txt.*(holds no box|no box in it)"):
        load_boxes(mot(tmp_path, text))


def test_unreadable_files(tmp_path):
    with pytest.raises(VisionError, match=r"none\.txt: cannot be read"):
        load_boxes(tmp_path / "none.txt")
    (tmp_path / "clip.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(VisionError, match=r"clip\.txt: not text"):
        load_boxes(tmp_path / "clip.txt")


def written(tmp_path, frames):
    path = tmp_path / "w.truth.json"
    path.write_text(json.dumps({"video": "w.ts", "frames": frames, "crossings": []}))
    return path


def sim_box(**changes):
    return {"id": 3, "kind": "vehicle", "x1": 1, "y1": 2, "x2": 5, "y2": 9, "visible": 1.0, **changes}


def test_the_simulators_boxes(tmp_path):
    truth = load_boxes(
        written(tmp_path, [{"time_us": T0, "boxes": [sim_box()]}, {"time_us": T0 + 1, "boxes": [sim_box(visible=0.1)]}])
    )
    assert truth.frames[0] == [TrueBox(3, "vehicle", 1, 2, 5, 9)]
    assert not truth.frames[1][0].judged
    assert truth.times_us.tolist() == [T0, T0 + 1]
    assert truth.kinds == set(sim.KINDS)  # everything that a world holds was labelled


@pytest.mark.parametrize(
    "frames",
    [
        [{"time_us": T0}],
        [{"time_us": T0, "boxes": [sim_box(x2=0)]}],
        [{"time_us": T0, "boxes": [sim_box(x2=float("nan"))]}],
        [{"time_us": T0, "boxes": []}, {"time_us": T0, "boxes": []}],
        [],
        7,
    ],
)
def test_a_broken_truth_is_named(tmp_path, frames):
    with pytest.raises(VisionError, match=r"w\.truth\.json"):
        load_boxes(written(tmp_path, frames))


def test_mot_text_and_truth_of_one_recording_agree(tmp_path):
    boxes = (sim.Box(3, "person", 1.0, 2.0, 5.0, 9.0, 1.0), sim.Box(4, "person", 11.0, 2.0, 15.0, 9.0, 1.0))
    frames = [sim.TrueFrame(T0, boxes), sim.TrueFrame(T0 + 200_000, boxes[:1])]
    sim.write_mot(tmp_path / "w.gt.txt", frames)
    sim.write_truth(tmp_path / "w.truth.json", "w.ts", frames, [], CameraModel(64, 64, 100.0))
    assert load_boxes(tmp_path / "w.gt.txt").frames == load_boxes(tmp_path / "w.truth.json").frames


@given(
    lon=st.sampled_from([-110.94, 179.9999]),
    walk=st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40)), min_size=2, max_size=6),
    share=st.floats(0, 1),
)
def test_tracks_come_back_at_every_time(tmp_path_factory, lon, walk, share):
    """The simulator writes, we read: the place at any time is where the actor truly is, across the antimeridian too."""
    points = np.array(walk)
    path = Path(np.arange(len(points)) * 3.0, points)
    world = sim.World(31.333, lon, 1180.0, T0, (sim.Actor(5, "person", path, 1),))
    file = tmp_path_factory.mktemp("tracks") / "w.tracks.geojson"
    end_us = T0 + (len(points) - 1) * 3_000_000
    sim.write_tracks(file, world, T0, end_us)
    track = load_tracks(file)[5]
    time_us = T0 + round(share * (end_us - T0))
    lat, lon_then = track.at(time_us)
    east, north, _ = world.frame.to_enu(lat, lon_then, 1180.0)
    assert np.allclose([east, north], path.at(share * (end_us - T0) / 1e6), atol=0.01)
    assert track.at(T0 - 1) is None
    assert track.at(end_us + 1) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"geometry": None}, "after 1 good features"),
        ({"properties": {"kind": "person", "coordTimes": ["2026-09-21T14:13:20Z"]}}, "2 positions at 1 times"),
        ({"properties": {"kind": "person", "coordTimes": ["2026-09-21T14:13:20", "2026-09-21T14:13:21"]}}, "no zone"),
        (
            {"properties": {"kind": "person", "coordTimes": ["2026-09-21T14:13:21Z", "2026-09-21T14:13:20Z"]}},
            "increase",
        ),
    ],
)
def test_broken_tracks_are_named(tmp_path, change, words):
    good = {
        "type": "Feature", "id": 1, "geometry": {"type": "LineString", "coordinates": [[1, 2], [1, 3]]},
        "properties": {"kind": "person", "coordTimes": ["2026-09-21T14:13:20Z", "2026-09-21T14:13:21Z"]},
    }  # fmt: skip
    path = tmp_path / "w.tracks.geojson"
    path.write_text(json.dumps({"features": [good, {**good, **change}]}))
    with pytest.raises(VisionError, match=rf"w\.tracks\.geojson.*{words}"):
        load_tracks(path)
