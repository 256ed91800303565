"""Poses: composed from packets, interpolated over time, never made up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from geo import Altitude, CameraPose, Datum, PoseSigma, geodesic_destination
from tests.asked import few
from tests.vision.recordings import T0_US, klv
from vision import (
    MetadataError,
    PoseSample,
    PoseTrack,
    camera_from_klv,
    decode_klv,
    interpolate,
    pose_from_klv,
    read_klv,
    read_pose_csv,
    read_pose_klv,
    read_sidecar,
)
from vision.pose import axis_error_deg

HEADER = "time_us,lat_deg,lon_deg,amsl_m,yaw_deg,pitch_deg,roll_deg"


def pose(yaw=0.0, pitch=-57.0, roll=0.0, lat=31.0, lon=-110.0, metres=1270.0, datum=Datum.AMSL):
    return CameraPose(lat, lon, Altitude(metres, datum), yaw, pitch, roll)


def sample(time_us, **values):
    return PoseSample(time_us, pose(**values), hfov_deg=30.0 + time_us / 1e6)


def test_a_packet_gives_the_pose_of_the_optical_axis():
    found = pose_from_klv(decode_klv(klv(T0_US)))
    assert (found.lat_deg, found.lon_deg) == pytest.approx((31.333, -110.94), abs=1e-7)
    assert found.altitude.datum is Datum.AMSL
    assert found.altitude.metres == pytest.approx(1270.0, abs=0.2)
    # A level airframe: heading and azimuth add up, elevation and roll stay.
    assert (found.yaw_deg, found.pitch_deg) == pytest.approx((100.0, -57.0), abs=0.01)
    assert found.roll_deg == pytest.approx(0.0, abs=0.01)


@settings(max_examples=few(60))
@given(
    st.floats(0, 359.9),
    st.floats(-20, 20),
    st.floats(-50, 50),
    st.floats(0, 359.9),
    st.floats(-89, 45),
    st.floats(0, 30),
)
def test_attitude_agrees_with_an_independent_composition(heading, pitch, roll, azimuth, elevation, sensor_roll):
    raw = klv(
        T0_US,
        platform_heading_deg=heading,
        platform_pitch_deg=pitch,
        platform_roll_deg=roll,
        sensor_rel_az_deg=azimuth,
        sensor_rel_el_deg=elevation,
        sensor_rel_roll_deg=sensor_roll,
    )
    found = pose_from_klv(decode_klv(raw))
    expected = Rotation.from_euler("ZYX", [heading, pitch, roll], degrees=True) * Rotation.from_euler(
        "ZYX", [azimuth, elevation, sensor_roll], degrees=True
    )
    ours = Rotation.from_euler("ZYX", [found.yaw_deg, found.pitch_deg, found.roll_deg], degrees=True)
    assert np.degrees((expected.inv() * ours).magnitude()) < 0.01


def test_full_range_angles_go_before_the_short_ones():
    found = pose_from_klv(
        decode_klv(klv(T0_US, platform_pitch_full_deg=35.0, sensor_rel_az_deg=0.0, sensor_rel_el_deg=0.0))
    )
    assert found.pitch_deg == pytest.approx(35.0, abs=1e-6)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("sensor_rel_el_deg", r"19 \(sensor_relative_elevation_deg\)"),
        ("sensor_rel_roll_deg", r"20 \(sensor_relative_roll_deg\)"),
        ("platform_heading_deg", r"5 \(platform_heading_deg\)"),
        ("platform_roll_deg", r"7 \(platform_roll_deg\)"),
        ("sensor_lat_deg", r"13 \(sensor_lat_deg\)"),
        ("sensor_alt_m", r"15, 75 or 104"),
    ],
)
def test_what_a_packet_lacks_is_named_and_not_assumed(field, message):
    with pytest.raises(MetadataError, match=message):
        pose_from_klv(decode_klv(klv(T0_US, **{field: None})))


@pytest.mark.parametrize(
    ("heights", "datum", "metres"),
    [
        ({"sensor_alt_m": 1270.0, "sensor_ellipsoid_height_m": 1240.0}, Datum.AMSL, 1270.0),
        ({"sensor_alt_m": None, "sensor_ellipsoid_height_m": 1240.0}, Datum.HAE, 1240.0),
        ({"sensor_alt_m": None, "sensor_ellipsoid_height_extended_m": 1241.0}, Datum.HAE, 1241.0),
    ],
    ids=["both", "ellipsoid", "extended"],
)
def test_a_height_keeps_its_datum(heights, datum, metres):
    altitude = pose_from_klv(decode_klv(klv(T0_US, **heights))).altitude
    assert altitude.datum is datum
    assert altitude.metres == pytest.approx(metres, abs=2.0 if "sensor_ellipsoid_height_extended_m" in heights else 0.2)


def test_sigma_is_the_callers_where_given():
    assert pose_from_klv(decode_klv(klv(T0_US)), PoseSigma(yaw_deg=9.0)).sigma.yaw_deg == 9.0


def test_camera_from_the_field_of_view():
    camera, square = camera_from_klv(decode_klv(klv(T0_US, sensor_hfov_deg=31.748, sensor_vfov_deg=25.6)), 640, 512)
    assert camera.focal_px == pytest.approx(1125.0, rel=1e-3)
    assert square
    assert not camera_from_klv(decode_klv(klv(T0_US, sensor_vfov_deg=60.0)), 640, 512)[1]
    with pytest.raises(MetadataError, match="tag 16"):
        camera_from_klv(decode_klv(klv(T0_US, sensor_hfov_deg=None)), 640, 512)


def test_angles_wrap_in_between():
    middle = interpolate(sample(0, yaw=359.0, lon=179.9), sample(100, yaw=1.0, lon=-179.9), 50)
    assert math.remainder(middle.pose.yaw_deg, 360) == pytest.approx(0.0, abs=1e-9)
    assert abs(middle.pose.lon_deg) == pytest.approx(180.0)
    assert interpolate(sample(0, roll=178.0), sample(100, roll=-178.0), 25).pose.roll_deg == pytest.approx(
        179.0, abs=0.05
    )


angles = st.tuples(st.floats(0, 360), st.floats(-89.9, 89.9), st.floats(-60, 60))


@settings(max_examples=few(60))
@given(angles, angles, st.floats(0.01, 0.99))
def test_the_axis_turns_at_a_constant_rate(first, second, fraction):
    """The angle from the first attitude grows in proportion, for any two attitudes: what a slerp is."""
    a, b = (PoseSample(t, pose(*angle)) for t, angle in ((0, first), (1_000_000, second)))
    time_us = round(fraction * 1e6)
    start, middle, end = (
        Rotation.from_matrix(s.pose.rotation_enu_from_camera()) for s in (a, interpolate(a, b, time_us), b)
    )
    whole, part = (start.inv() * end).magnitude(), (start.inv() * middle).magnitude()
    assert part == pytest.approx(whole * time_us / 1e6, abs=1e-6)


def test_heights_of_two_datums_are_not_mixed():
    assert interpolate(sample(0), sample(100, datum=Datum.HAE), 50).pose is None


def test_no_pose_is_held_over_a_gap_or_beyond_the_ends():
    track = PoseTrack([sample(int(t * 1e6)) for t in (0, 0.2, 0.4, 5.0, 5.2)], absolute=True, origin="csv")
    assert track.at(200_000) is track.samples[1]
    assert track.at(300_000).hfov_deg == pytest.approx(30.3)
    assert track.at(2_000_000) is None
    assert track.at(5_290_000).time_us == 5_290_000
    assert track.at(5_310_000) is None
    assert track.at(-110_000) is None


def test_a_track_needs_rising_times():
    with pytest.raises(MetadataError, match="sample 1 does not advance"):
        PoseTrack([sample(5), sample(5)], absolute=True, origin="csv")
    with pytest.raises(MetadataError, match="there is none"):
        PoseTrack([], absolute=True, origin="csv")


def test_csv_with_errors_of_its_own(tmp_path):
    path = tmp_path / "flight.csv"
    path.write_text(
        "t_s,lat_deg,lon_deg,hae_m,yaw_deg,pitch_deg,roll_deg,hfov_deg,sigma_yaw_deg\n"
        "0.0,31.0,-110.0,1250,350,-57,0,31.5,4\n0.5,31.1,-110.0,1260,10,-57,0,31.5,\n"
    )
    track = read_pose_csv(path, sigma=PoseSigma(yaw_deg=2.0))
    assert not track.absolute
    assert [s.pose.sigma.yaw_deg for s in track.samples] == [4.0, 2.0]
    middle = track.at(250_000).pose
    assert middle.altitude == Altitude(1255.0, Datum.HAE)
    assert math.remainder(middle.yaw_deg, 360) == pytest.approx(0.0, abs=1e-6)


def test_csv_times_of_day(tmp_path):
    path = tmp_path / "flight.csv"
    head = HEADER.replace("time_us", "time")
    path.write_text(
        f"{head}\n2026-09-21T17:46:40Z,31,-110,1250,0,-57,0\n2026-09-21T18:46:41+01:00,31,-110,1250,0,-57,0\n"
    )
    assert [s.time_us for s in read_pose_csv(path).samples] == [1_790_012_800_000_000, 1_790_012_801_000_000]


SEEN = "31,-110,1250,0,-57,0"
ROW = f"1790012800000000,{SEEN}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: needs one of"),
        (HEADER, "line 2: the table has no row"),
        (f"{HEADER.replace('roll_deg', 'bank')}\n{ROW}", "line 1: needs one of"),
        (f"{HEADER},agl_m\n{ROW},9", "line 1: needs one of"),
        (f"{HEADER},gimbal_pitch_deg\n{ROW},9", "gimbal columns"),
        (f"{HEADER}\n{ROW}\n{ROW}", "line 3: the time does not advance"),
        (f"{HEADER}\n1790012800,{SEEN}", "line 2: time_us 1790012800 is no .*looks like seconds: write microseconds"),
        (f"{HEADER}\n1790012800123,{SEEN}", "line 2: .*looks like milliseconds: write microseconds"),
        (f"{HEADER}\n1790012800123456789,{SEEN}", "line 2: .*looks like nanoseconds: write microseconds"),
        (f"{HEADER}\n33000,{SEEN}", "line 2: .*count from the first frame name the column t_s, in seconds"),
        (f"{HEADER}\n-1,{SEEN}", "line 2: time_us -1 is no time"),
        (f"{HEADER}\n{ROW.replace(',0,-57', ',north,-57')}", "line 2: yaw_deg is 'north', not a number"),
        (f"{HEADER}\n{ROW.replace(',0,-57', ',nan,-57')}", "line 2: yaw_deg"),
        (f"{HEADER}\n{ROW.replace(',31,', ',310,')}", "line 2.*latitude 310"),
        (f"{HEADER}\n1,31,-110,1250", "line 2: has 4 cells where the header has 7"),
        (f"{HEADER}\n1,31,3,-110,2,1250,0,-57,0", "line 2: has 9 cells where the header has 7"),
        (f"{HEADER}\n{ROW}".replace(",", ";"), "line 1: cells are parted by semicolons: save it with commas"),
        (f"{HEADER}\n{ROW}".replace(",", "\t"), "line 1: cells are parted by tabs"),
        (f"{HEADER}\n{ROW}".encode("utf-16").decode("latin-1"), "is not text in UTF-8.*save a CSV pose file as CSV"),
        (f"{HEADER}\nsoon,31,-110,1250,0,-57,0", "line 2: time_us is 'soon'"),
        (f"{HEADER.replace('time_us', 'time')}\n2026-09-21T17:46:40,31,-110,1250,0,-57,0", "has no zone"),
    ],
)
def test_a_broken_csv_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "flight.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(MetadataError, match=message) as error:
        read_pose_csv(path)
    assert "flight.csv" in str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=40)
@given(content=st.binary(max_size=200))
def test_csv_of_any_bytes_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "flight.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    try:
        assert read_pose_csv(path).samples
    except MetadataError as error:
        assert "flight.csv" in str(error)  # noqa: PT017 - either outcome is right


def test_raw_klv_of_a_real_flight(shared_data):
    track = read_pose_klv(shared_data("telemetry/klv/day-flight.klv"))
    first = track.samples[0].pose
    assert track.absolute
    assert first.yaw_deg == pytest.approx(86.107 + 46.103, abs=0.5)  # nearly level, so headings nearly add


def test_angles_that_miss_the_packets_own_frame_centre_show(shared_data):
    """The real flight's encoder writes the gimbal's azimuth from north: 86 degrees of heading come on top of it."""
    packet = read_klv(shared_data("telemetry/klv/day-flight.klv")).packets[0]
    assert axis_error_deg(packet, pose_from_klv(packet)) == pytest.approx(86.1, abs=1.0)
    # 1270 m over 1180 m, 57 degrees down, looking along 100 degrees: the centre lies 58 m away.
    lat, lon = geodesic_destination(31.333, -110.94, 100.0, 90.0 / math.tan(math.radians(57.0)))
    sound = decode_klv(klv(T0_US, frame_center_lat_deg=lat, frame_center_lon_deg=lon))
    assert axis_error_deg(sound, pose_from_klv(sound)) == pytest.approx(0.0, abs=0.3)
    assert axis_error_deg(decode_klv(klv(T0_US)), pose_from_klv(sound)) is None


def test_the_suffix_decides_the_reader(tmp_path):
    with pytest.raises(MetadataError, match=r"ends in \.srt, \.csv, \.klv or \.tlog"):
        read_sidecar(tmp_path / "flight.txt")
