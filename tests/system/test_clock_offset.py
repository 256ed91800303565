"""`vedette watch --clock-offset` on a recording of the simulator whose poses lie in a file with a clock of its own."""

import json
import re

import numpy as np
import pytest

import vision
from geo import CameraModel, LocalFrame
from sim.camera import FlightTrack
from sim.staging import record, stage
from tests.vision.tiny_models import tiny_model

ORIGIN = LocalFrame(31.333, -110.94, 1180.0)
LINE = ((-110.95, 31.333), (-110.93, 31.333))
T0 = 1_790_000_000_000_000


def flight(gusts):
    """A patrol eastwards, 58 m north of the line, looking across it; gusts push it to and fro."""
    t = np.arange(0.0, 120.0, 0.1)
    east = 7.5 * t - 450 + gusts * 2.5 * np.sin(0.55 * t)
    north = 90 / np.tan(np.radians(57)) + gusts * 1.5 * np.sin(0.37 * t + 1)
    lat, lon, _ = ORIGIN.to_geodetic(east, north, 90.0)
    level, yaw = np.zeros(t.shape), 90 + gusts * 1.5 * np.sin(0.8 * t)
    return FlightTrack(
        1, 1, T0, np.stack([t, lat, lon, level + 1270, yaw, level - 3, level, level + 90, level - 57], axis=1)
    )


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """The recording of a flight, one for each strength of its gusts."""
    films = {}

    def film(gusts):
        if gusts not in films:
            staged = stage(LINE, "left", [flight(gusts)], CameraModel(640, 512, 1125.0), seed=4, crossings=1, windows=1)
            (films[gusts],) = record(staged, tmp_path_factory.mktemp("film"))
        return films[gusts]

    return film


def recorded(folder, made, offset_s):
    """What watches a video with a pose file whose clock is ahead by `offset_s`; and that file.

    Nobody asks who crosses: the network finds nothing.
    """
    with vision.open_source(made.video) as source:
        frames = list(source)
    header = "time_us,lat_deg,lon_deg,amsl_m,yaw_deg,pitch_deg,roll_deg,hfov_deg,ground_amsl_m"
    rows = [
        f"{f.time_us + round(offset_s * 1e6)},{f.pose.lat_deg},{f.pose.lon_deg},{f.pose.altitude.metres},"
        f"{f.pose.yaw_deg},{f.pose.pitch_deg},{f.pose.roll_deg},{f.camera.horizontal_fov_deg},{f.ground_amsl_m}"
        for f in frames
    ]
    table, border = folder / "record.csv", folder / "border.geojson"
    table.write_text("\n".join([header, *rows]))
    line = {"type": "LineString", "coordinates": LINE}
    border.write_text(
        json.dumps({"type": "Feature", "properties": {"name": "b", "own_side": "left"}, "geometry": line})
    )
    model = tiny_model(folder / "blind.onnx", np.zeros((1, 7, 1)))
    asked = ["watch", made.video, "--pose", table, "--border", border, "--model", model, "--out", folder / "o"]
    return asked, table


@pytest.mark.parametrize("offset_s", [-1.1, 0.8])
def test_a_planted_offset_is_found_and_taken(run, tmp_path, filmed, offset_s):
    made = filmed(1.0)
    asked, table = recorded(tmp_path, made, offset_s)
    ran = run(*asked, "--clock-offset", "auto")
    assert ran.code == 0, ran.err
    found = re.search(r"recorded ([\d.]+) ± ([\d.]+) s (later|earlier)", " ".join(ran.out.split()))
    seconds = float(found[1]) * (1 if found[3] == "later" else -1)
    assert seconds == pytest.approx(offset_s, abs=0.03)
    assert abs(seconds - offset_s) < 3 * float(found[2])
    # The places that follow: poses of the record at the offset are those of the video itself.
    with (
        vision.open_source(made.video) as true,
        vision.open_source(made.video, pose=table, clock_offset_s=seconds) as put_right,
        vision.open_source(made.video, pose=table) as wrong,
    ):
        away = {"right": [], "wrong": []}
        for a, b, c in zip(true, put_right, wrong, strict=True):
            here = LocalFrame(a.pose.lat_deg, a.pose.lon_deg, 0.0)
            for name, other in (("right", b.pose), ("wrong", c.pose)):
                if other is not None:
                    away[name].append(float(np.hypot(*here.to_enu(other.lat_deg, other.lon_deg, 0.0)[:2])))
    assert np.median(away["right"]) < 0.4
    assert np.median(away["wrong"]) > 4


def test_a_straight_leg_tells_nothing_and_is_watched_as_it_is(run, tmp_path, filmed):
    asked, _ = recorded(tmp_path, filmed(0.0), 0.8)
    ran = run(*asked, "--clock-offset", "auto")
    assert ran.code == 0, ran.err
    assert "cannot be told" in " ".join(ran.err.split())
    assert "no offset is taken" in " ".join(ran.err.split())


def test_what_is_no_offset_is_refused(run, tmp_path, shared_data):
    street = str(shared_data("videos/vtest.avi"))
    for value, words in (("soon", "SECONDS"), ("nan", "clock offset"), ("auto", "has none")):
        ran = run("watch", street, "--line", "384,576,384,0", "--clock-offset", value, "--out", str(tmp_path))
        assert ran.code != 0
        assert words in " ".join(ran.err.split())
