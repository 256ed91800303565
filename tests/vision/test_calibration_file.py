"""The way of a calibration: points in a file, pictures of a recording, a calibration file, poses put right."""

import json
import math

import numpy as np
import pytest

from geo import Altitude, CameraModel, CameraPose, Datum, Distortion, LocalFrame
from sim.klv import Platform, frame_packet
from sim.video import Shot
from sim.video import write_video as write_recording
from vision import (
    Calibration,
    MetadataError,
    calibrate,
    load_calibration,
    open_source,
    read_points,
    save_calibration,
    sightings,
)

CAMERA = CameraModel(640, 512, 900.0)
T0_US, FPS = 1_790_000_000_000_000, 5
YAWS, PITCHES = (10.0, 100.0, 190.0, 280.0, 10.0, 100.0, 190.0, 280.0), (-40.0, -60.0) * 4
# The camera truly looks 2 degrees more to the right and 1 degree higher, and the compass is 3 degrees short.
TRUTH = Calibration((2.0, 1.0, 0.0), 3.0, np.zeros((4, 4)))
ORIGIN = (31.333, -110.94)


def told(n):
    return CameraPose(ORIGIN[0] + n * 1e-5, ORIGIN[1], Altitude(1270.0, Datum.AMSL), YAWS[n], PITCHES[n], 0.0)


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    """A recording with wrong poses, and the points that it saw."""
    folder = tmp_path_factory.mktemp("survey")
    shots, lines = [], ["name,time_us,x_px,y_px,lat_deg,lon_deg,amsl_m,sigma_px,sigma_m"]
    for n in range(8):
        time_us = T0_US + n * 1_000_000 // FPS
        packet = frame_packet(time_us, CAMERA, told(n), Platform("vehicle-1", YAWS[n], 0.0, 0.0), 1180.0)
        shots.append(Shot(time_us, np.full((512, 640), 90, np.uint8), packet))
        true = TRUTH.pose(told(n))
        local = LocalFrame(true.lat_deg, true.lon_deg, 1270.0)
        for x, y in ((100.0, 120.0), (540.0, 400.0), (320.0, 256.0)):
            ray = true.rotation_enu_from_camera() @ CAMERA.rays((x, y))
            lat, lon, height = map(float, local.to_geodetic(*(ray * -90.0 / ray[2])))
            lines.append(f"p{n}-{x:.0f},{time_us},{x},{y},{lat:.9f},{lon:.9f},{height:.4f},0.5,0.05")
    write_recording(folder / "survey.ts", shots, FPS)
    (folder / "points.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_points_of_a_recording_put_its_poses_right(survey, tmp_path):
    with open_source(survey / "survey.ts") as source:
        found = calibrate(sightings(source, read_points(survey / "points.csv"), source.frame_rate))
    assert found.boresight_deg == pytest.approx((2.0, 1.0, 0.0), abs=1.0)
    save_calibration(tmp_path / "camera.json", found)
    with open_source(survey / "survey.ts", calibration=load_calibration(tmp_path / "camera.json")) as source:
        frames = list(source)
    assert len(frames) == 8
    for n, frame in enumerate(frames):
        right = TRUTH.pose(told(n)).rotation_enu_from_camera()
        turned = right.T @ frame.pose.rotation_enu_from_camera()
        # The places of the camera are known to a metre only, from 100 m: that is half a degree.
        missed = math.degrees(math.acos(min(1.0, (np.trace(turned) - 1) / 2)))
        assert missed < 0.5
        raw = right.T @ told(n).rotation_enu_from_camera()
        assert math.degrees(math.acos((np.trace(raw) - 1) / 2)) > 2.0
        assert len(frame.pose.sigma.turns_deg) == 3
        assert frame.pose.sigma.yaw_deg == pytest.approx(0.3)
        assert frame.camera.focal_px == pytest.approx(900.0, rel=1e-3)


def test_command_writes_what_watch_takes(survey, tmp_path, monkeypatch, capsys):
    import sys

    import vedette

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vedette", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            vedette.main()
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        return " ".join(said.out.split())

    out, video, border = tmp_path / "camera.json", survey / "survey.ts", tmp_path / "border.geojson"
    said = run("calibrate", video, survey / "points.csv", "--out", out)
    assert "boresight: yaw" in said
    assert "p0-100" in said
    assert load_calibration(out).boresight_deg == pytest.approx((2.0, 1.0, 0.0), abs=1.0)
    line = {"type": "LineString", "coordinates": [[-110.95, 31.334], [-110.93, 31.334]]}
    border.write_text(json.dumps({"type": "Feature", "geometry": line, "properties": {"own_side": "left"}}))
    watch = ["watch", video, "--border", border, "--calibration", out, "--out", tmp_path / "watch"]
    # From 90 m a metre has 9 pixels or fewer in every picture.
    assert "8 of 8 pictures were looked at once more" in run(*watch, "--slice", "12")
    assert "0 of 8 pictures were looked at once more, in 0 slices" in run(*watch, "--slice", "2")


def test_a_calibration_comes_back_from_its_file(tmp_path):
    spread = np.diag([0.1, 0.2, 0.3, 0.4])
    spread[0, 3] = spread[3, 0] = 0.05
    lens = Distortion(-0.1, 0.01, 0.001, 0.002)
    want = Calibration((1.0, -2.0, 3.0), -4.0, spread, 0.2, 1.01, lens, CameraModel(640, 512, 900.0, lens), (), ("n",))
    save_calibration(tmp_path / "c.json", want)
    got = load_calibration(tmp_path / "c.json")
    assert got.to_json() == want.to_json()
    assert got.camera == want.camera
    # Pictures of half the size are of the same lens; of another shape they are not.
    assert got.lens(None, 320, 256) == CameraModel(320, 256, 450.0, lens)
    assert got.lens(CameraModel(640, 512, 1000.0), 640, 512) == CameraModel(640, 512, 1010.0, lens)
    with pytest.raises(MetadataError, match="cannot serve 640x360"):
        got.lens(None, 640, 360)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not of the form"),
        ({"covariance_deg2": [[1.0]]}, "not a sound calibration"),
        ({"covariance_deg2": np.diag([1.0, -1.0, 1.0, 1.0]).tolist()}, "not a sound calibration: .*covariance"),
        ({"focal_scale": 0}, "focal scale"),
        ({"distortion": {"k1": 1}}, "not a sound calibration"),
        ({"boresight": {"yaw_deg": "x", "pitch_deg": 0, "roll_deg": 0}}, "not a sound calibration"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, change, message):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**TRUTH.to_json(), **change}))
    with pytest.raises(MetadataError, match=message):
        load_calibration(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("frame,x_px,y_px,lat_deg,lon_deg\n", "line 1: needs one of frame"),
        ("frame,t_s,x_px,y_px,lat_deg,lon_deg,amsl_m\n", "line 1: needs one of frame"),
        ("frame,x_px,y_px,lat_deg,lon_deg,amsl_m\n", "line 2: the table has no row"),
        ("frame,x_px,y_px,lat_deg,lon_deg,amsl_m\n1.5,1,1,31,-110,1\n", "line 2: frame is '1.5'"),
        ("frame,x_px,y_px,lat_deg,lon_deg,amsl_m\n1,x,1,31,-110,1\n", "line 2: x_px is 'x', not a number"),
        ("frame,x_px,y_px,lat_deg,lon_deg,amsl_m\n1,1,1,91,-110,1\n", "line 2: latitude 91"),
        ("frame,x_px,y_px,lat_deg,lon_deg,amsl_m,sigma_px\n1,1,1,31,-110,1,-2\n", "must be positive"),
    ],
)
def test_broken_points_are_refused_with_their_line(tmp_path, lines, message):
    path = tmp_path / "points.csv"
    path.write_text(lines)
    with pytest.raises(MetadataError, match=message):
        read_points(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("99,1,1,31.333,-110.94,1180", "line 2: the video has no picture at frame 99"),
        ("1,900,1,31.333,-110.94,1180", "line 2: pixel 900, 1 lies outside the picture of 640x512"),
    ],
)
def test_points_that_no_picture_shows_are_refused(survey, tmp_path, row, message):
    path = tmp_path / "points.csv"
    path.write_text(f"frame,x_px,y_px,lat_deg,lon_deg,amsl_m\n{row}\n")
    with open_source(survey / "survey.ts") as source, pytest.raises(MetadataError, match=message):
        sightings(source, read_points(path), source.frame_rate)


def test_a_rate_of_images_is_for_a_folder_of_them_alone(survey, tmp_path, monkeypatch, capsys):
    """The pictures of a video have times of their own, and points are found by those."""
    import sys

    import vedette

    points, out = survey / "points.csv", tmp_path / "camera.json"
    for options, code in ((["--frame-rate", "5"], 1), ([], 0)):
        monkeypatch.setattr(
            sys, "argv", ["vedette", "calibrate", str(survey / "survey.ts"), str(points), "--out", str(out), *options]
        )
        with pytest.raises(SystemExit) as end:
            vedette.main()
        told = " ".join(capsys.readouterr().err.split())
        assert int(end.value.code or 0) == code, told
        assert ("--frame-rate is of a folder of images" in told) == bool(code)
        assert out.exists() == (not code)
