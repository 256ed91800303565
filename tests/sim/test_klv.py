"""Packets of ST 0601, read back by three other libraries."""

import math

import klvdata
import pytest
import stanag4609
import tstrans
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, compose_attitude, geodesic_distance_m
from sim.errors import WorldError
from sim.klv import KEY, TAGS, Platform, Scaled, encode_packet, frame_packet, frame_values

SCALED = {tag: form for tag, (_, form) in TAGS.items() if isinstance(form, Scaled)}
CAMERA = CameraModel(640, 512, 1125.0)
POSE = CameraPose(31.333, -110.94, Altitude(1270.0, Datum.AMSL), 181.0, -57.0, 0.2)
PLATFORM = Platform("vehicle-1", 91.0, -3.0, 1.0)
TIME_US = 1_780_000_000_123_456


def by_stanag4609(packet: bytes) -> dict[int, object]:
    fields = stanag4609.decode_uas_local_set(packet, verify_checksum=True).fields
    return {field.definition.tag: field.value for field in fields}


def by_klvdata(packet: bytes) -> dict[int, str]:
    (parsed,) = list(klvdata.StreamParser(packet))
    return {tag: entry[3] for tag, entry in parsed.MetadataList().items()}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_number_comes_back_within_half_a_step(data):
    values = {2: data.draw(st.integers(10**15, 4 * 10**15)), 65: 19}
    for tag, form in SCALED.items():
        values[tag] = data.draw(st.floats(form.low, form.high), label=f"tag {tag}")
    packet = encode_packet(values)
    first, second = by_stanag4609(packet), by_klvdata(packet)
    for tag, form in SCALED.items():
        # A float of the size of the range carries its own rounding.
        tolerance = form.step / 2 + 1e-15 * form.high
        assert abs(first[tag] - values[tag]) <= tolerance * 1.001
        assert abs(float(second[tag]) - values[tag]) <= tolerance * 1.001


def test_a_frame_reads_the_same_in_tstrans():
    read = tstrans.klv.decode_uas_datalink(frame_packet(TIME_US, CAMERA, POSE, PLATFORM, 1180.0))
    assert read.timestamp_us == TIME_US
    assert read.platform_designation == "vehicle-1"
    assert read.sensor_lat_deg == pytest.approx(31.333, abs=5e-8)
    assert read.sensor_lon_deg == pytest.approx(-110.94, abs=5e-8)
    assert read.sensor_alt_m == pytest.approx(1270.0, abs=0.16)
    assert read.sensor_hfov_deg == pytest.approx(CAMERA.horizontal_fov_deg, abs=0.0014)
    platform = (read.platform_heading_deg, read.platform_pitch_full_deg, read.platform_roll_full_deg)
    sensor = (read.sensor_rel_az_deg, read.sensor_rel_el_deg, read.sensor_rel_roll_deg)
    assert compose_attitude(platform, sensor) == pytest.approx((181.0, -57.0, 0.2), abs=0.004)
    assert not read.field_errors


def test_frame_centre_lies_where_the_axis_meets_flat_ground():
    values = frame_values(TIME_US, CAMERA, POSE, PLATFORM, 1180.0)
    assert values[21] == pytest.approx(90 / math.sin(math.radians(57)), rel=1e-4)
    away = float(geodesic_distance_m(POSE.lat_deg, POSE.lon_deg, values[23], values[24]))
    # Metres at 1180 m above the ellipsoid are shorter on it.
    assert away == pytest.approx(90 / math.tan(math.radians(57)) * (1 - 1180 / 6.371e6), rel=2e-5)


def test_no_centre_where_the_axis_misses_the_ground():
    level = CameraPose(31.333, -110.94, Altitude(1270.0, Datum.AMSL), 0.0, 10.0)
    values = frame_values(TIME_US, CAMERA, level, PLATFORM, 1180.0)
    assert not set(range(21, 34)) & set(values)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30))
def test_lengths_are_ber_short_and_long(text):
    packet = encode_packet({2: TIME_US, 3: text, 65: 19})
    length, start = (
        (packet[16], 17)
        if packet[16] < 128
        else (int.from_bytes(packet[17 : 17 + packet[16] - 128]), 17 + packet[16] - 128)
    )
    assert packet.startswith(KEY)
    assert len(packet) == start + length


def test_signed_values_out_of_range_say_so():
    packet = encode_packet({2: TIME_US, 6: 33.0, 65: 19})
    assert b"\x06\x02\x80\x00" in packet
    assert tstrans.klv.decode_uas_datalink(packet).sentinel_tags


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 199), st.integers(1, 255))
def test_a_changed_byte_fails_the_checksum(position, change):
    packet = bytearray(frame_packet(TIME_US, CAMERA, POSE, PLATFORM, 1180.0))
    packet[position % len(packet)] ^= change
    with pytest.raises(Exception, match=r".+"):
        stanag4609.decode_uas_local_set(bytes(packet), verify_checksum=True)


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({200: 1.0}, "tag 200"),
        ({5: 361.0}, "outside 0 to 360"),
        ({13: "north"}, "finite"),
        ({13: math.nan}, "finite"),
        ({65: 256}, "does not fit"),
        ({3: "m" * 128}, "128 bytes"),
    ],
)
def test_refuses_what_it_cannot_write(values, part):
    with pytest.raises(WorldError, match=part):
        encode_packet(values)
