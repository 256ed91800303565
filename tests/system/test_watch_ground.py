"""What ``vedette watch`` and ``evaluate`` are told of ground and camera: terrain, geoid, angles, known points."""

import json

import numpy as np
import pytest

import sim
from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame
from tests.sim.stage_flights import BORDER, patrol_flight
from tests.vision.recordings import T0_US, klv, write_video

pytestmark = pytest.mark.usefixtures("seen_before")


def border_file(folder, line=((-110.95, 31.334), (-110.93, 31.334))):
    feature = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [list(point) for point in line]},
        "properties": {"name": "test", "own_side": "left"},
    }
    path = folder / "border.geojson"
    path.write_text(json.dumps(feature))
    return path


def tile(folder, amsl_m, name="N31W111"):
    """An SRTM tile of level ground."""
    folder.mkdir()
    np.full((1201, 1201), amsl_m, ">i2").tofile(folder / f"{name}.hgt")
    return folder


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenario")
    flights = [patrol_flight(1, 1, length_m=900, east_m=-450)]
    staged = sim.stage(BORDER, "left", flights, CameraModel(640, 512, 1125.0), 3, crossings=1, windows=1, window_s=9.0)
    (recording,) = sim.record(staged, folder)
    return recording.video, border_file(folder, BORDER)


def test_places_are_by_the_terrain_that_is_given(run, scenario, tmp_path):
    video, border = scenario
    told = {}
    for name, ground in (
        ("level", ["--ground", 1180]),
        ("tile", ["--terrain", tile(tmp_path / "right", 1180)]),
        ("high", ["--terrain", tile(tmp_path / "high", 1195)]),
    ):
        ran = run("evaluate", video, "--border", border, "--json", tmp_path / "e.json", *ground)
        assert ran.code == 0, ran.err
        told[name] = json.loads((tmp_path / "e.json").read_text())["georeference"]["single"]
    assert told["tile"]["median_m"] == pytest.approx(told["level"]["median_m"], abs=0.01)
    # Ground that is taken 15 m too high is met 15 m / tan 57 degrees too soon.
    assert told["high"]["median_m"] == pytest.approx(15 / np.tan(np.radians(57)), abs=3.0)
    assert told["high"]["median_m"] > told["tile"]["median_m"] + 5
    ran = run("watch", video, "--border", border, "--ground", 1180, "--terrain", tmp_path, "--out", tmp_path / "w")
    assert "--terrain has the elevations: leave --ground out" in " ".join(ran.err.split())


def test_ground_of_which_the_terrain_knows_nothing_is_said(run, tmp_path):
    video = write_video(tmp_path / "v.ts", 5, telemetry=lambda n: klv(T0_US + n * 200_000))
    elsewhere = tile(tmp_path / "tiles", 300, "N46E008")
    ran = run(
        "watch", video, "--border", border_file(tmp_path), "--terrain", elsewhere, "--out", tmp_path / "w"
    )  # fmt: skip
    assert ran.code == 1
    said = " ".join(ran.err.split())
    assert "none of its pictures gave a place on the ground: the ground below them is unknown: 31.333" in said
    assert "N31W111.hgt" in said


def test_heights_above_the_ellipsoid_need_the_geoid(run, tmp_path):
    video = write_video(
        tmp_path / "v.ts",
        5,
        telemetry=lambda n: klv(T0_US + n * 200_000, sensor_alt_m=None, sensor_ellipsoid_height_m=1243.0),
    )
    asked = ["watch", video, "--border", border_file(tmp_path), "--out", tmp_path / "w", "--json", tmp_path / "w.json"]
    ran = run(*asked)
    assert ran.code == 1
    assert "give the height of the geoid there (--undulation)" in " ".join(ran.err.split())
    ran = run(*asked, "--undulation", -27)
    assert ran.code == 0, ran.err
    (told,) = json.loads((tmp_path / "w.json").read_text())["streams"]
    assert (told["method"], told["frames"], told["notes"]) == ("ground", 5, [])


def test_an_aircraft_that_records_no_angles_is_watched_with_those_that_are_given(run, tmp_path, shared_data):
    video = write_video(tmp_path / "v.mp4", 5, fps=30)
    asked = ["watch", video, "--pose", shared_data("telemetry/dji/air2s.srt"), "--out", tmp_path / "w"]
    asked += ["--border", border_file(tmp_path, ((2.23, 41.4245), (2.24, 41.4245))), "--hfov", 70]
    ran = run(*asked)
    assert ran.code == 1
    assert "records no gimbal angles: give the camera's yaw, pitch and roll (--attitude)" in " ".join(ran.err.split())
    ran = run(*asked, "--attitude", "10,-45,0", "--home", 20, "--ground", 20, "--json", tmp_path / "w.json")
    assert ran.code == 0, ran.err
    (told,) = json.loads((tmp_path / "w.json").read_text())["streams"]
    assert (told["method"], told["frames"], told["counts"]["without_pose"]) == ("ground", 5, 0)
    assert told["time_basis"] == "relative"
    assert any(
        "2022-08-07 13:40:40, in a zone that nobody tells: give that (--zone)" in note
        for note in told["counts"]["problems"]
    )
    for zone in ("+02:00", "Europe/Madrid"):
        more = ["--attitude", "10,-45,0", "--home", 20, "--ground", 20, "--json", tmp_path / "w.json", "--zone", zone]
        ran = run(*asked, *more)
        assert ran.code == 0, ran.err
        (told,) = json.loads((tmp_path / "w.json").read_text())["streams"]
        assert told["time_basis"] == "aircraft"
    for zone in ("summer", "2 hours", "+2"):
        ran = run(*asked, "--attitude", "10,-45,0", "--zone", zone)
        assert f"--zone '{zone}': give hours from UTC" in " ".join(ran.err.split())
    ran = run(*asked, "--attitude", "10,-145,0")
    assert "--attitude '10,-145,0': give degrees" in " ".join(ran.err.split())


def test_known_points_of_a_fixed_camera_put_a_real_walk_on_the_ground(run, walker, tmp_path, shared_data):
    """Points by a camera 6 m up that nobody surveyed; who crosses is on the line x = 384 of the picture after 8 s."""
    lens, pose = CameraModel(768, 432, 600.0), CameraPose(46.0, 8.0, Altitude(6.0, Datum.AMSL), 0.0, -25.0)
    local = LocalFrame(46.0, 8.0, 0.0)

    def pixel(east, north):
        return lens.project(np.array([east, north, -6.0]) @ pose.rotation_enu_from_camera())

    def place(east, north):
        lat, lon, _ = local.to_geodetic(east, north, 0.0)
        return {"pixel": pixel(east, north).tolist(), "lat": float(lat), "lon": float(lon)}

    known = tmp_path / "gate.json"
    known.write_text(json.dumps({"points": [place(*at) for at in ((-3, 8), (3, 8), (6, 25), (-6, 25))]}))
    ends = [local.to_geodetic(0.0, north, 0.0) for north in (4.0, 40.0)]
    border = border_file(tmp_path, [(float(lon), float(lat)) for lat, lon, _ in ends])
    asked = ["watch", walker, "--fps", 3, "--model", shared_data("weights/coco-yolo11n.onnx"), "--out", tmp_path / "w"]
    ran = run(*asked, "--fixed", known, "--border", border)
    assert ran.code == 0, ran.err
    (crossing,) = map(json.loads, (tmp_path / "w" / "crossings.jsonl").read_text().splitlines())
    assert crossing["method"] == "homography"
    east, _, _ = local.to_enu(crossing["lat"], crossing["lon"], 0.0)
    assert abs(float(east)) < 0.05  # on the line
    ran = run(*asked, "--line", "384,432,384,0")
    (by_line,) = map(json.loads, (tmp_path / "w" / "crossings.jsonl").read_text().splitlines())
    assert (by_line["method"], by_line["lat"], by_line["status"]) == ("pixel", None, "probable")
    assert by_line["direction"] == crossing["direction"]
    ran = run(*asked, "--line", "384,432,384,0", "--fixed", known)
    assert "--line and --fixed both say where the line is" in " ".join(ran.err.split())
