"""Transport streams and the truth beside them."""

import json

import av
import numpy as np
import pytest
import stanag4609
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import CameraModel, FileWriteError, locate
from sim.errors import WorldError
from sim.klv import encode_packet
from sim.render import Box
from sim.video import Shot, write_video
from sim.video_truth import TrueFrame, find_crossings, line_in_world, write_mot, write_truth
from sim.world import Actor, World, join, walk

START_US = 1_780_000_000_000_000
LAT, LON = 31.333, -110.94
CAMERA = CameraModel(640, 512, 1125.0)
OPEN = av.open


def shots(count=12, fps=5, grey=True):
    for number in range(count):
        time_us = START_US + number * 1_000_000 // fps
        image = np.full((64, 96) if grey else (64, 96, 3), 20 * number, np.uint8)
        yield Shot(time_us, image, encode_packet({2: time_us, 3: "m" * (number * 10), 65: 19}))


def test_frames_and_metadata_pair_by_their_time_stamps(tmp_path):
    path = tmp_path / "a.ts"
    assert write_video(path, shots(), 5) == 12
    assert b"KLVA" in path.read_bytes()
    with av.open(str(path)) as container:
        (video,), (data,) = container.streams.video, container.streams.data
        assert video.codec_context.name == "h264"
        packets = [(p.stream.type, p.pts, p.is_keyframe, bytes(p)) for p in container.demux(video, data) if p.size]
    metadata = {pts: content for kind, pts, _, content in packets if kind == "data"}
    frames = [pts for kind, pts, _, _ in packets if kind == "video"]
    keys = [pts for kind, pts, key, _ in packets if kind == "video" and key]
    assert sorted(metadata) == sorted(frames) == [18_000 * i for i in range(12)]
    assert keys == [0, 90_000, 180_000]
    for pts, packet in metadata.items():
        field = stanag4609.decode_uas_local_set(packet).fields[0]
        assert round((field.value.timestamp() - START_US / 1e6) * 90_000) == pytest.approx(pts, abs=1)


@pytest.mark.parametrize("grey", [True, False])
def test_pictures_come_back_and_bytes_repeat(tmp_path, grey):
    write_video(tmp_path / "a.ts", shots(grey=grey), 5)
    write_video(tmp_path / "b.ts", shots(grey=grey), 5)
    assert (tmp_path / "a.ts").read_bytes() == (tmp_path / "b.ts").read_bytes()
    with av.open(str(tmp_path / "a.ts")) as container:
        means = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    assert len(means) == 12
    assert np.all(np.diff(means) > 10)


def test_a_recording_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield from shots(4)
        raise WorldError("the world ended")

    with pytest.raises(WorldError, match="ended"):
        write_video(tmp_path / "a.ts", broken(), 5)
    with pytest.raises(WorldError, match="no frame"):
        write_video(tmp_path / "a.ts", [], 5)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "a.ts", tmp_path / "full.ts"):
        with monkeypatch.context() as patch:
            if path.name == "full.ts":
                patch.setattr(av, "open", lambda _path, *a, **k: OPEN("/dev/full", *a, **k))
            with pytest.raises(FileWriteError, match=f"cannot write .*{path.name}: "):
                write_video(path, shots(12), 5)
    for write in (lambda path: write_mot(path, []), lambda path: write_truth(path, "a.ts", [], [], CAMERA)):
        with pytest.raises(FileWriteError, match=r"cannot write .*a\.txt: "):
            write(tmp_path / "file" / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def border(*points):
    lat, lon, _ = World(LAT, LON, 1180.0, START_US).frame.to_geodetic(*np.array(points, dtype=float).T)
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


@settings(max_examples=30, deadline=None)
@given(st.floats(-20, 20), st.floats(-60, 60), st.floats(1, 3), st.booleans())
def test_a_straight_crossing_is_where_and_when_it_must_be(along, slant, speed, inbound):
    line = border((-300, -40), (0, 0), (300, 40))
    unit = np.array([300.0, 40.0]) / np.hypot(300, 40)
    left = np.array([-unit[1], unit[0]])
    direction = (left if inbound else -left) * np.cos(np.radians(slant)) + unit * np.sin(np.radians(slant))
    meeting = along * unit
    path = walk([meeting - 10 * direction, meeting + 10 * direction], speed, start_s=1.0, variation=0)
    scene = World(LAT, LON, 1180.0, START_US, (Actor(7, "person", path),))
    (crossing,) = find_crossings(scene, line, "left", START_US, START_US + 30_000_000)
    assert crossing.time_us == pytest.approx(START_US + (1 + 10 / speed) * 1e6, abs=20)
    east, north, _ = scene.frame.to_enu(crossing.lat_deg, crossing.lon_deg, 1180.0)
    assert (float(east), float(north)) == pytest.approx(tuple(meeting), abs=1e-3)
    assert crossing.direction == ("inbound" if inbound else "outbound")
    (other,) = find_crossings(scene, line, "right", START_US, START_US + 30_000_000)
    assert other.direction != crossing.direction


def test_a_long_edge_is_straight_in_degrees():
    """A point on it is on the line, and who passes there crosses there, not at the chord 4.9 m north."""
    scene = World(31.335, -110.94, 1180.0, START_US, (Actor(1, "person", walk([(0, -8), (0, 8)], 1.0, variation=0)),))
    edge = [(-111.045, 31.33), (-110.835, 31.34)]
    east, north, _ = scene.frame.to_enu([31.335, 31.334875], [-110.94, -110.942625], 1180.0)
    offsets = locate(line_in_world(scene, edge), np.stack([east, north], axis=-1)).offset_m
    assert np.abs(offsets).max() < 0.01
    (crossing,) = find_crossings(scene, edge, "left", START_US, START_US + 20_000_000)
    assert crossing.time_us == pytest.approx(START_US + 8_000_000, abs=20_000)
    assert crossing.lat_deg == pytest.approx(31.335, abs=1e-7)


def test_there_and_back_are_two_crossings_and_round_the_end_is_none():
    line = border((-20, 0), (20, 0))
    there = walk([(0, -5), (0, 5)], 1.0, variation=0)
    back = walk([(0, 5), (0, -5)], 1.0, start_s=12.0, variation=0)
    around = walk([(25, -5), (25, 5)], 1.0, variation=0)
    scene = World(LAT, LON, 0.0, 0, (Actor(1, "person", join([there, back])), Actor(2, "person", around)))
    found = find_crossings(scene, line, "left", 0, 30_000_000)
    assert [(c.id, c.direction) for c in found] == [(1, "inbound"), (1, "outbound")]
    assert not find_crossings(scene, line, "left", 6_000_000, 12_000_000)
    with pytest.raises(WorldError, match="own side"):
        find_crossings(scene, line, "north", 0, 1)


def test_truth_says_whether_a_crossing_was_in_view(tmp_path):
    path = walk([(0, -10), (0, 10)], 1.0, variation=0)
    scene = World(LAT, LON, 1180.0, START_US, (Actor(5, "person", path),))
    found = find_crossings(scene, border((-50, 0), (50, 0)), "left", START_US, START_US + 20_000_000)
    whole, cut = Box(5, "person", 100, 100, 108, 114, 1.0), Box(5, "person", 0, 100, 4, 114, 0.5)
    for at, box, seen in ((None, whole, True), (41, cut, False), (60, cut, False), (65, cut, True)):
        frames = [TrueFrame(START_US + k * 200_000, (box if k == at else whole,)) for k in range(100)]
        write_truth(tmp_path / "t.truth.json", "t.ts", frames, found, CAMERA)
        document = json.loads((tmp_path / "t.truth.json").read_text())
        assert document["crossings"][0]["in_view"] is seen
    assert document["video"] == "t.ts"
    assert document["frames"][0]["boxes"][0] == {
        "id": 5, "kind": "person", "x1": 100, "y1": 100, "x2": 108, "y2": 114, "visible": 1.0,
    }  # fmt: skip
    write_mot(tmp_path / "t.gt.txt", frames)
    assert (tmp_path / "t.gt.txt").read_text().splitlines()[1] == "2,5,100.00,100.00,8.00,14.00,1,1,1.000"
