"""DJI subtitles of ten aircraft, and broken ones."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, Datum
from tests.asked import few
from vision import MetadataError, read_srt

LOOK = (10.0, -45.0, 0.0)


@pytest.mark.parametrize(
    ("name", "count", "place", "height_m", "spacing_us"),
    [
        ("air2s.srt", 17, (41.424724, 2.234156), 117.0, 33_000),
        ("mavic_air2.srt", 25, (41.420684, 2.162162), 27.3, 17_000),
        ("matrice_300.srt", 381, (36.6146, -6.1120), 0.3, 1_000_000),  # Cadiz: latitude first
        ("mavic_mini.SRT", 117, (48.0771, -121.7458), 200.7, 1_000_000),
        ("mavic_pro.SRT", 468, (-20.2533, 149.0251), 1.9, 1_000_000),  # Queensland: longitude first
        ("old_format.SRT", 468, (-20.2533, 149.0251), 1.9, 1_000_000),
        ("p4_rtk.SRT", 55, (-34.237922, -58.851745), 85.8, 1_000_000),
        ("p4p_sample.SRT", 5, (47.4692, 8.2090), 45.6, 1_000_000),
    ],
)
def test_each_dialect(shared_data, name, count, place, height_m, spacing_us):
    track = read_srt(shared_data(f"telemetry/dji/{name}"), attitude=LOOK)
    first = track.samples[0].pose
    assert len(track.samples) == count
    assert (first.lat_deg, first.lon_deg) == place
    assert first.altitude == Altitude(height_m, Datum.AGL)
    assert track.spacing_us == spacing_us
    assert not track.absolute


def test_gimbal_angles_where_the_aircraft_records_them(shared_data):
    first = read_srt(shared_data("telemetry/dji/p4_rtk.SRT")).samples[0].pose
    assert (first.yaw_deg, first.pitch_deg, first.roll_deg) == pytest.approx((110.4, -24.4, 0.0))


def test_angles_are_never_guessed(shared_data):
    with pytest.raises(MetadataError, match=r"air2s\.srt: line 2: this aircraft records no gimbal angles"):
        read_srt(shared_data("telemetry/dji/air2s.srt"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken_empty.SRT", r"broken_empty\.SRT: line 1: the file is empty"),
        ("broken_incomplete.SRT", r"broken_incomplete\.SRT: line 116: the cue has no position"),
        ("mavic_air.SRT", r"mavic_air\.SRT: line 2: the cue has no position"),
    ],
)
def test_broken_files_are_refused_with_their_line(shared_data, name, message):
    with pytest.raises(MetadataError, match=message):
        read_srt(shared_data(f"telemetry/dji/{name}"), attitude=LOOK)


NEW = """1
00:00:00,000 --> 00:00:00,033
<font size="28">FrameCnt: 1, DiffTime: 33ms
2024-05-01 12:00:00.000
[iso: 100] [latitude: 31.333000] [longitude: -110.940000] [rel_alt: 90.100 abs_alt: 1275.300] \
[gb_yaw: -90.5 gb_pitch: -57.0 gb_roll: 0.0] </font>
"""


def test_the_newest_dialect(tmp_path):
    path = tmp_path / "new.SRT"
    path.write_text(NEW)
    pose = read_srt(path).samples[0].pose
    assert (pose.yaw_deg, pose.pitch_deg) == pytest.approx((269.5, -57.0))
    assert pose.altitude == Altitude(1275.3, Datum.AMSL)
    assert read_srt(path, home_amsl_m=1180.0).samples[0].pose.altitude == Altitude(1270.1, Datum.AMSL)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("air2s.srt", "2022-08-07 13:40:40.774"),
        ("mavic_air2.srt", "2022-05-01 15:01:58.531"),
        ("matrice_300.srt", "2022-06-21 16:06:17"),
        ("mavic_pro.SRT", "2017-08-05 14:11:50"),  # its first cue is that of the first second
        ("old_format.SRT", "2017-08-05 14:11:50"),
        ("mavic_mini.SRT", None),
        ("p4_rtk.SRT", None),
    ],
)
def test_the_aircrafts_own_time_is_read_as_it_stands_there(shared_data, name, start):
    """Pictures come a little beside their cues, and seconds are cut off: to a second."""
    told = read_srt(shared_data(f"telemetry/dji/{name}"), attitude=LOOK).local_start
    if start is None:
        assert told is None
        return
    assert told.tzinfo is None
    assert abs((told - datetime.fromisoformat(start)).total_seconds()) <= 1.0


def test_a_clock_that_is_set_in_flight_tells_what_most_cues_say(tmp_path):
    """Before the first fix it is years off."""
    cues = [NEW.replace("00:00:00,000", f"00:00:0{k},000").replace("12:00:00", f"12:00:0{k}") for k in range(5)]
    cues[0] = cues[0].replace("2024-05-01", "2015-01-01")
    path = tmp_path / "new.SRT"
    path.write_text("\n".join(cues))
    assert read_srt(path).local_start == datetime.fromisoformat("2024-05-01T12:00:00")
    path.write_text(NEW.replace("2024-05-01", "2024-13-01"))
    assert read_srt(path).local_start is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_a_file_that_an_editor_saved_in_another_encoding_is_the_same(tmp_path, encoding):
    path = tmp_path / "new.SRT"
    path.write_text(NEW.replace("[iso", "Полёт [iso"), encoding=encoding)
    assert read_srt(path).samples[0].pose.altitude == Altitude(1275.3, Datum.AMSL)


def test_cues_before_the_fix_are_left_out(tmp_path):
    path = tmp_path / "new.SRT"
    no_fix = NEW.replace("31.333000", "0.000000").replace("-110.940000", "0.000000")
    path.write_text(no_fix + "\n" + NEW.replace("00:00:00,000", "00:00:01,000"))
    assert [s.time_us for s in read_srt(path).samples] == [1_000_000]
    path.write_text(no_fix)
    with pytest.raises(MetadataError, match="no cue has a position fix"):
        read_srt(path)


def test_times_that_stand_still_are_refused(tmp_path):
    path = tmp_path / "new.SRT"
    path.write_text(NEW + "\n" + NEW)
    with pytest.raises(MetadataError, match="line 8: the cue's time does not advance"):
        read_srt(path)


@settings(max_examples=few(60))
@given(st.integers(0, len(NEW)), st.text(max_size=8))
def test_damage_is_refused_or_read(tmp_path_factory, position, noise):
    path = tmp_path_factory.mktemp("srt") / "new.SRT"
    path.write_text(NEW[:position] + noise, encoding="utf-8", errors="replace")
    try:
        assert read_srt(path, attitude=LOOK).samples
    except MetadataError as error:
        assert "new.SRT: line " in str(error)  # noqa: PT017 - either outcome is right
