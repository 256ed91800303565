"""The pipeline from frames to crossings: rendered by geometry, and real clips."""

import json
import re
import threading
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from geo import Altitude, CameraPose, Datum, PoseSigma
from sim.camera import MEASURED, FlightTrack
from sim.staging import record, stage
from tests.full_disk import full_after
from tests.vision.flown import (
    ALONG,
    CAMERA,
    INBOUND,
    MODEL,
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
from tests.vision.recordings import write_video
from vision import EvidenceWriter, verify_evidence
from vision.ahead import Ended, Lanes
from vision.border import BorderLine, load_border
from vision.crossing import Outcome
from vision.detector import Detector
from vision.errors import BorderError, MetadataError, SourceError, VisionError
from vision.evaluate import TrueCrossing, load_truth, score
from vision.fixed import Homography, KnownPoint, PixelLine
from vision.output import write_crossings
from vision.records import Custody, Direction, EvidenceRef, Method, Status
from vision.source import open_source
from vision.types import Detection
from vision.watch import watch
from vision.watcher import WatchSettings


@pytest.mark.parametrize("seed", range(3))
def test_a_flight_past_people_finds_who_crossed(seed):
    frames, oracle = fly([INBOUND, OUTBOUND, STANDING, ALONG], seed=seed)
    result = watch(frames, oracle, border=border(), name="vehicle-1")
    lat, lon, _ = ORIGIN.to_geodetic([0.0, 6.0], [-62.0, -62.0])
    truth = [
        TrueCrossing(T0 + 7_000_000, Direction.INBOUND, "person", float(lat[0]), float(lon[0])),
        TrueCrossing(T0 + 7_500_000, Direction.OUTBOUND, "person", float(lat[1]), float(lon[1])),
    ]
    figures = score({"a": result.crossings}, {"a": truth})
    assert (figures.found, figures.false) == (2, 0)
    assert figures.place_error_m < 3.0
    assert result.method is Method.GROUND
    assert result.outcomes[Outcome.CROSSED] == 2
    assert (result.frames, len(result.tracks), result.dropped, result.without_pose) == (70, 4, 0, 0)
    for crossing in result.crossings:
        # The bias was drawn from what the pose says of itself, so the ellipse holds the place (it would fail 1 in 20).
        assert crossing.ellipse.semi_major_m < 6


@pytest.mark.parametrize(("over_s", "crossings", "outcome"), [(9.5, 1, Outcome.CROSSED), (11.0, 0, Outcome.OPEN)])
def test_who_leaves_the_picture_within_the_error_of_the_line_is_told_with_the_time(over_s, crossings, outcome):
    frames, oracle = fly([walker(0.0, -62.0, 0.2, 1.3, over_s), STANDING])
    result = watch(frames, oracle, border=border(), name="v")
    assert len(result.crossings) == crossings
    assert result.outcomes[outcome] == 1
    seen = min(result.tracks, key=lambda track: track.start_us)
    first_s, last_s = ((at_us - frames[0].time_us) / 1e6 for at_us in (seen.start_us, seen.end_us))
    told = [note for note in result.notes if "(person 1)" in note and note.endswith(f"{first_s:.1f}-{last_s:.1f} s")]
    assert len(told) == len(result.notes) == (outcome is Outcome.OPEN)


def test_pictures_that_come_too_seldom_for_anybody_to_be_followed_are_said():
    frames, _ = fly([INBOUND])
    blind = SimpleNamespace(model=MODEL, detect=lambda images: [[] for _ in images])
    every_s = (frames[1].time_us - frames[0].time_us) / 1e6
    told = watch(frames[:: round(2.6 / every_s)], blind, border=border(), name="v").notes
    assert [note for note in told if note.startswith("for 13 of 13 s pictures came more than 2 s apart")]
    assert watch(frames, blind, border=border(), name="v").notes == ()


def test_the_same_recording_gives_the_same_ids_and_a_good_pose_confirms():
    exact = PoseSigma(0.05, 0.05, 0.05, 0.05, 0.05)
    frames, oracle = fly([INBOUND], sigma=exact)
    kept = []
    result = watch(frames, oracle, border=border(), name="v", on_crossing=kept.append, custody=Custody(owner="unit 7"))
    again = watch(frames, oracle, border=border(), name="v", settings=WatchSettings(batch=4, ahead=1))
    assert [c.source_id for c in result.crossings] == [c.source_id for c in again.crossings]
    (crossing,) = kept
    assert crossing.status is Status.CONFIRMED
    assert crossing.model == MODEL
    assert crossing.custody.owner == "unit 7"
    assert watch(frames, oracle, border=border(), name="w").crossings[0].source_id != crossing.source_id
    # 4 s of view are 5 m on either side: too little for an ellipse of 7 m.
    frames, oracle = fly([INBOUND], sigma=PoseSigma(2.0, 2.0, 1.0, 1.0, 1.0), bias=np.zeros(6))
    assert [c.status for c in watch(frames, oracle, border=border()).crossings] == [Status.PROBABLE]


def test_a_biased_pose_and_a_walk_along_the_line_are_never_confirmed():
    for bias in ([0, -4, 0, 0, 0, 0], [0, 4, 0, 0, 0, 0], [0, 0, 0, 3, -2, 0], [0, -2, 2, -3, 2, 0]):
        frames, oracle = fly([walker(0.0, -59.0, 1.2, 0.0, 7.0)], bias=np.array(bias, float))
        result = watch(frames, oracle, border=border())
        assert [c for c in result.crossings if c.status is Status.CONFIRMED] == []


def test_who_comes_back_or_goes_round_the_end_did_not_cross():
    round_end = walker(2.0, -62.0, 0.0, 1.3, 7.0)
    frames, oracle = fly([round_end])
    assert watch(frames, oracle, border=border(end=0.0)).crossings == ()
    assert len(watch(frames, oracle, border=border()).crossings) == 1


def test_two_abreast_are_two():
    frames, oracle = fly([INBOUND, walker(1.0, -62.0, 0.2, 1.3, 7.0)])
    result = watch(frames, oracle, border=border())
    assert len(result.crossings) == 2
    assert result.duplicates == 0


def test_an_open_track_is_decided_before_it_ends():
    """A live watch does not wait for a person to leave: the order of calls shows when it was decided."""
    hover = [walker(-52.0, -62.0, 0.0, 1.3, 5.0)]
    frames, oracle = fly(hover, speed=0.0, seconds=20.0)
    seen = []
    watch(
        frames,
        oracle,
        border=border(),
        progress=seen.append,
        on_crossing=seen.append,
    )
    place = next(i for i, item in enumerate(seen) if not isinstance(item, int))
    assert seen[place - 1] < 70
    assert sum(not isinstance(item, int) for item in seen) == 1


def test_what_is_open_of_the_clock_widens_the_ellipse_along_the_flight():
    """A tenth of a second at 7.5 m/s, flown eastwards: 0.75 m more for one sigma east, nothing north."""
    exact = PoseSigma(0.2, 0.2, 0.05, 0.05, 0.05)

    class Measured(list):
        has_pose = True
        clock_sigma_s = 0.1

    frames, oracle = fly([INBOUND], sigma=exact)
    (sure,) = watch(frames, oracle, border=border(), name="v").crossings
    (open_,) = watch(Measured(frames), oracle, border=border(), name="v").crossings

    def covariance(ellipse):
        """East and north, square metres, of 95 %."""
        angle = np.radians(ellipse.orientation_deg)
        along = np.array([np.sin(angle), np.cos(angle)])
        across = np.array([np.cos(angle), -np.sin(angle)])
        return ellipse.semi_major_m**2 * np.outer(along, along) + ellipse.semi_minor_m**2 * np.outer(across, across)

    more = covariance(open_.ellipse) - covariance(sure.ellipse)
    assert more == pytest.approx(np.diag([5.99 * 7.5**2 * (0.1**2 - 0.02**2), 0.0]), abs=0.35)


def test_evidence_is_cut_for_each_crossing_and_where_it_cannot_be_the_crossing_stays():
    frames, oracle = fly([INBOUND])
    asked = []

    def cutter(crossing, track):
        asked.append((crossing.source_id, len(track.observations)))
        return EvidenceRef("m.json", "c.mp4", "ab")

    result = watch(frames, oracle, border=border(), evidence=cutter)
    assert result.crossings[0].to_json()["evidence"] == {"manifest": "m.json", "clip": "c.mp4", "sha256": "ab"}
    assert asked[0][0] == result.crossings[0].source_id

    assert result.without_evidence == {}

    def broken(crossing, track):
        raise VisionError("disk full")

    handed = []
    without = watch(frames, oracle, border=border(), evidence=broken, on_crossing=handed.append)
    assert without.crossings == (replace(result.crossings[0], evidence=None),) == tuple(handed)
    assert without.without_evidence == {handed[0].source_id: "disk full"}


def test_a_crossing_is_told_while_its_stream_stands_still():
    """Its clip is ready after the last picture for a long time: whoever waits for it is not left waiting."""
    frames, oracle = fly([INBOUND])
    told, cut = threading.Event(), threading.Event()

    def stands_still():
        yield from frames
        cut.set()
        assert told.wait(120.0)
        yield replace(frames[-1], time_us=frames[-1].time_us + 10_000_000, index=len(frames))

    def cutter(crossing, track):
        assert cut.wait(120.0)
        return EvidenceRef("m.json", "c.mp4", "ab")

    oracle.boxes.append([])
    result = watch(stands_still(), oracle, border=border(), evidence=cutter, on_crossing=lambda _: told.set())
    assert len(result.crossings) == 1


def test_whatever_fails_in_evidence_the_crossing_is_told():
    frames, oracle = fly([INBOUND])

    def broken(crossing, track):
        raise ZeroDivisionError

    result = watch(frames, oracle, border=border(), evidence=broken)
    assert list(result.without_evidence.values()) == ["ZeroDivisionError"]
    assert len(result.crossings) == 1


def stop_here(crossing, track):
    raise KeyboardInterrupt


def test_a_person_can_still_stop_a_watch_that_keeps_evidence():
    frames, oracle = fly([INBOUND])
    with pytest.raises(KeyboardInterrupt):
        watch(frames, oracle, border=border(), evidence=stop_here)


@pytest.mark.parametrize("limit", [0, 600, 4_000])
def test_a_disk_that_fills_up_in_a_clip_costs_the_clip_and_nothing_else(tmp_path, limit):
    """Writes of the first crossing's evidence fail for real; the disk has room again for the second."""
    video = write_video(tmp_path / "gate.ts", 60)
    boxes = []
    for number in range(60):
        shown = [100.0 + 6 * number] if number < 25 else [260.0 - 6 * (number - 35)] if number >= 35 else []
        boxes.append([Detection(x, 60.0, x + 16.0, 100.0, "person", 0.9) for x in shown])
    (tmp_path / "evidence").mkdir()
    with open_source(video) as source:
        writer = EvidenceWriter(tmp_path / "evidence", source, pre_s=1.0, post_s=1.0)
        frames = [replace(f, image=numbered(f.index)) for f in source]
        asked = []

        def cut(crossing, track):
            asked.append(crossing.source_id)
            with full_after(limit if len(asked) == 1 else 1 << 40):
                return writer(crossing, track)

        line = PixelLine("gate", ((160.0, 256.0), (160.0, 0.0)), "left")
        result = watch(frames, Oracle(boxes), line=line, evidence=cut)
    first, second = result.crossings
    assert asked == [first.source_id, second.source_id]
    assert result.frames == 60
    assert first.evidence is None
    assert re.search(r"cannot (write|be written)", result.without_evidence[first.source_id])
    assert second.evidence is not None
    assert [path.name for path in (tmp_path / "evidence").iterdir()] == [writer.folder_of(second).name]
    assert verify_evidence(writer.folder_of(second)) == []


def test_frames_without_pose_are_counted_and_do_not_stop_it():
    frames, oracle = fly([INBOUND])
    holed = [replace(f, pose=None) if f.index % 9 == 4 else f for f in frames]
    result = watch(holed, oracle, border=border())
    assert result.without_pose == 8
    assert len(result.crossings) == 1


def test_what_is_missing_is_said():
    frames, oracle = fly([INBOUND], seconds=1.0)
    blind = [replace(f, pose=None) for f in frames]
    with pytest.raises(MetadataError, match=r"homography.*line"):
        watch(blind, oracle, border=border())
    with pytest.raises(MetadataError, match=r"field of view is not: give it \(--hfov\)"):
        watch([replace(f, camera=None) for f in frames], oracle, border=border())
    with pytest.raises(MetadataError, match="no line to watch"):
        watch(blind, oracle)
    with pytest.raises(MetadataError, match="elevation of the ground"):
        watch([replace(f, ground_amsl_m=None) for f in frames], oracle, border=border())


def test_a_failing_source_or_detector_fails_the_watch_and_leaves_no_thread():
    frames, oracle = fly([INBOUND], seconds=4.0)

    def breaks():
        yield from frames[:10]
        raise SourceError("the camera has gone")

    with pytest.raises(SourceError, match="has gone"):
        watch(breaks(), oracle, border=border())

    class Bad(Oracle):
        def detect(self, images):
            raise VisionError(f"no model for {len(images)} pictures")

    with pytest.raises(VisionError, match="no model"):
        watch(frames, Bad([]), border=border())

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(frames, oracle, border=border(), progress=stop)
    assert [t for t in threading.enumerate() if t.name == "ahead"] == []


def test_running_ahead_is_bounded_and_loses_nothing():
    made = []

    def items():
        for i in range(50):
            made.append(i)
            yield i

    with Lanes([items()], [3]) as lanes:
        got = lanes.take(1)
        assert len(made) <= 6
        while taken := lanes.take(4):
            got += taken
    *items_, (_, end) = got
    assert [item for _, item in items_] == list(range(50))
    assert end == Ended()


def test_waiting_for_a_lane_ends_in_time():
    go = threading.Event()

    def items():
        go.wait(60.0)
        yield 1

    with Lanes([items()], [1]) as lanes:
        assert lanes.take(1, longest_s=0.05) == []
        assert lanes.running == 1
        go.set()
        assert lanes.take(1) == [(0, 1)]


def test_a_fixed_camera_with_known_points():
    pose = CameraPose(31.333, -110.94, Altitude(1270.0, Datum.AMSL), 180.0, -57.0)
    points = []
    for east, north in ((-20, -50), (20, -50), (22, -75), (-22, -75)):
        x, y = CAMERA.project(np.array([east, north, -90.0]) @ pose.rotation_enu_from_camera())
        lat, lon, _ = ORIGIN.to_geodetic(east, north, 0.0)
        points.append(KnownPoint(float(x), float(y), float(lat), float(lon)))
    frames, oracle = fly([walker(0.0, -62.0, 0.2, 1.3, 5.0)], speed=0.0, start_east=0.0, seconds=10, bias=np.zeros(6))
    blind = [replace(f, pose=None, camera=None) for f in frames]
    result = watch(blind, oracle, border=border(), homography=Homography(tuple(points)))
    (crossing,) = result.crossings
    assert crossing.method is Method.HOMOGRAPHY
    assert crossing.direction is Direction.INBOUND
    assert abs(crossing.time_us - T0 - 5_000_000) < 1_200_000


def test_crossings_are_written_whole(tmp_path):
    frames, oracle = fly([INBOUND, OUTBOUND])
    crossings = watch(frames, oracle, border=border(), name="v").crossings
    write_crossings(tmp_path / "c.jsonl", crossings)
    lines = (tmp_path / "c.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [c.to_json() for c in crossings]
    write_crossings(tmp_path / "c.geojson", crossings)
    features = json.loads((tmp_path / "c.geojson").read_text())["features"]
    assert [f["id"] for f in features] == [c.source_id for c in crossings]
    assert features[0]["geometry"]["coordinates"] == [
        lines and json.loads(lines[0])["lon"],
        json.loads(lines[0])["lat"],
    ]
    with pytest.raises(VisionError, match="choose one"):
        write_crossings(tmp_path / "c.txt", crossings)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.geojson", "c.jsonl"]


def test_a_border_file_is_read_and_mistakes_named(tmp_path):
    path = tmp_path / "b.geojson"
    feature = {
        "type": "Feature",
        "properties": {"name": "n", "own_side": "right"},
        "geometry": {"type": "LineString", "coordinates": [[-111, 31.3], [-110.5, 31.3]]},
    }
    path.write_text(json.dumps(feature))
    assert load_border(path) == BorderLine("n", ((-111.0, 31.3), (-110.5, 31.3)), "right")
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert load_border(path).name == "n"
    for document, message in (
        ("{", "not JSON"),
        (json.dumps({"type": "FeatureCollection", "features": [feature, feature]}), "several"),
        (json.dumps({"type": "Polygon"}), "not a GeoJSON Feature"),
        (json.dumps({**feature, "properties": {}}), "own_side"),
        (json.dumps({**feature, "geometry": {"type": "Point", "coordinates": [0, 0]}}), "LineString"),
        (json.dumps({**feature, "geometry": {"type": "LineString", "coordinates": [1, 2]}}), "coordinates"),
    ):
        path.write_text(document)
        with pytest.raises(BorderError, match=message):
            load_border(path)
    with pytest.raises(BorderError, match="cannot be read"):
        load_border(tmp_path / "absent.geojson")


def patrol():
    """A straight patrol eastwards, 58.4 m north of a border along a parallel, looking across it: as sim records it."""
    time = np.arange(0.0, 200.0, 0.2)
    lat, lon, _ = ORIGIN.to_geodetic(7.5 * time - 750.0, np.full(time.shape, 90 / np.tan(np.radians(57))), 90.0)
    level = np.zeros(time.shape)
    columns = [time, lat, lon, level + 1270, level + 90, level - 3, level, level + 90, level - 57]
    return FlightTrack(1, 1, T0, np.stack(columns, axis=1))


def test_a_simulated_recording_from_end_to_end(tmp_path):
    """Another hand's geometry, metadata and video; the boxes are the truth's, so that no model decides."""
    # Short, so that it does not matter whether a line is straight in degrees or in metres.
    line = ((-110.95, 31.333), (-110.93, 31.333))
    scenario = stage(line, "left", [patrol()], CAMERA, seed=4, crossings=2, windows=2)
    recordings = record(scenario, tmp_path)
    found, truth = {}, {}
    for recording in recordings:
        document = json.loads(recording.truth.read_text())
        boxes = {
            frame["time_us"]: [
                Detection(b["x1"], b["y1"], b["x2"], b["y2"], b["kind"], 0.8)
                for b in frame["boxes"]
                if float(b["visible"]) > 0.3
            ]
            for frame in document["frames"]
        }
        name = recording.video.stem
        with open_source(recording.video, sigma=MEASURED) as source:
            frames = list(source)
            evidence = EvidenceWriter(tmp_path / "evidence", source)
            oracle = Oracle([boxes[f.time_us] for f in frames])
            numbers = [replace(f, image=numbered(k)) for k, f in enumerate(frames)]
            result = watch(numbers, oracle, border=BorderLine("b", line, "left"), name=name, evidence=evidence)
        found[name], truth[name] = result.crossings, load_truth(recording.truth)
        for crossing in result.crossings:
            assert verify_evidence(evidence.folder_of(crossing)) == []
    figures = score(found, truth)
    assert figures.truth == 2
    assert (figures.found, figures.false) == (2, 0)
    # One sigma of the pose's place across the line is 1.4 m.
    assert figures.place_error_m < 4.0


def true_passages(path, x_line, first, last, rate):
    """Crossings of the vertical x = `x_line` in a MOT file with identities: the feet on the other side for 1 s."""
    rows = np.loadtxt(path, delimiter=",", usecols=range(6))
    truth = []
    for identity in np.unique(rows[:, 1]):
        own = rows[rows[:, 1] == identity]
        frame, offset = own[:, 0] - 1, own[:, 2] + own[:, 4] / 2 - x_line
        for k in np.flatnonzero(offset[:-1] * offset[1:] < 0):
            before, after = (
                (frame >= frame[k] - rate) & (frame <= frame[k]),
                (frame > frame[k]) & (frame <= frame[k] + rate),
            )
            stays = (
                before.sum() >= rate
                and (offset[before] * offset[k] > 0).all()
                and (offset[after] * offset[k] < 0).all()
            )
            if stays and after.sum() >= rate - 1 and first + rate <= frame[k] <= last - rate:
                truth.append((frame[k] / rate, Direction.INBOUND if offset[k] > 0 else Direction.OUTBOUND))
    return truth


@pytest.mark.data
def test_real_people_over_a_line_in_a_real_picture(shared_data):
    """18 s of a square with a dozen people; the line is a vertical in the middle of the picture."""
    detector = Detector(
        shared_data("weights/coco-yolo11n.onnx"), confidence=0.12, kinds=("person",), backend="onnxruntime", threads=2
    )
    truth = true_passages(shared_data("videos/vtest.gt.txt"), 384, 200, 380, 10)
    with open_source(shared_data("videos/vtest.avi")) as source:
        frames = [f for f in islice(source, 380) if f.index >= 200 and f.index % 3 == 0]
    result = watch(frames, detector, line=PixelLine("middle", ((384, 576), (384, 0)), "left"))
    start = frames[0].time_us - 200 / 10 * 1e6 - (frames[0].index - 200) / 10 * 1e6
    found = [((c.time_us - start) / 1e6, c.direction) for c in result.crossings]
    hits = sum(any(d is direction and abs(t - time_s) < 1 for t, d in found) for time_s, direction in truth)
    assert len(truth) >= 6
    assert hits >= len(truth) - 1
    assert len(found) <= len(truth) + 2
    assert all(c.status is Status.PROBABLE and c.lat_deg is None for c in result.crossings)
