"""ST 0601 packets: other libraries' encoders and decoders, real packets, and packets that are not sound."""

from datetime import UTC, datetime, timedelta

import klvdata
import pytest
import stanag4609
from hypothesis import given, settings
from hypothesis import strategies as st
from tstrans.klv import UasDatalinkLs, decode_uas_datalink, encode_uas_datalink

from sim.klv import TAGS, encode_packet
from tests.asked import few
from vision import MetadataError, decode_klv, read_klv, split_klv
from vision.klv import FIELDS, UAS_LOCAL_SET_KEY

FLIGHT, MINIMAL, ALTERED = (
    f"telemetry/klv/{name}"
    for name in ("day-flight.klv", "DynamicOnlyMISMMSPacketData.bin", "DynamicConstantMISMMSPacketData.bin")
)

# Encoder's field, our tag, range, and half a step of the standard's integer: the most that encoding may move a figure.
MAPPED = [
    ("platform_heading_deg", 5, 0, 360, 360 / 65535 / 2),
    ("platform_pitch_deg", 6, -20, 20, 20 / 32767 / 2),
    ("platform_roll_deg", 7, -50, 50, 50 / 32767 / 2),
    ("sensor_lat_deg", 13, -90, 90, 90 / (2**31 - 1) / 2),
    ("sensor_lon_deg", 14, -180, 180, 180 / (2**31 - 1) / 2),
    ("sensor_alt_m", 15, -900, 19000, 19900 / 65535 / 2),
    ("sensor_hfov_deg", 16, 0, 180, 180 / 65535 / 2),
    ("sensor_vfov_deg", 17, 0, 180, 180 / 65535 / 2),
    ("sensor_rel_az_deg", 18, 0, 360, 360 / (2**32 - 1) / 2),
    ("sensor_rel_el_deg", 19, -180, 180, 180 / (2**31 - 1) / 2),
    ("sensor_rel_roll_deg", 20, 0, 360, 360 / (2**32 - 1) / 2),
    ("slant_range_m", 21, 0, 5_000_000, 5e6 / (2**32 - 1) / 2),
    ("target_width_m", 22, 0, 10_000, 1e4 / 65535 / 2),
    ("frame_center_lat_deg", 23, -90, 90, 90 / (2**31 - 1) / 2),
    ("frame_center_lon_deg", 24, -180, 180, 180 / (2**31 - 1) / 2),
    ("frame_center_elev_m", 25, -900, 19000, 19900 / 65535 / 2),
    ("corner_lat_offset_p1_deg", 26, -0.075, 0.075, 0.075 / 32767 / 2),
    ("corner_lon_offset_p4_deg", 33, -0.075, 0.075, 0.075 / 32767 / 2),
    ("target_location_lat_deg", 40, -90, 90, 90 / (2**31 - 1) / 2),
    ("sensor_ellipsoid_height_m", 75, -900, 19000, 19900 / 65535 / 2),
    ("frame_center_ellipsoid_height_m", 78, -900, 19000, 19900 / 65535 / 2),
    ("corner_lat_p1_deg", 82, -90, 90, 90 / (2**31 - 1) / 2),
    ("corner_lon_p4_deg", 89, -180, 180, 180 / (2**31 - 1) / 2),
    ("platform_pitch_full_deg", 90, -90, 90, 90 / (2**31 - 1) / 2),
    ("platform_roll_full_deg", 91, -90, 90, 90 / (2**31 - 1) / 2),
    # IMAPB truncates; its step hangs on the length the encoder chose: two bytes at least, so at most 2 m here.
    ("sensor_ellipsoid_height_extended_m", 104, -900, 40_000, 2.0),
]


def packet(**values):
    return encode_uas_datalink(UasDatalinkLs(uas_ls_version=19, timestamp_us=1_790_000_000_123_456, **values))


def with_checksum(body):
    """A packet around a local set's bytes, which lack the checksum."""
    content = body + b"\x01\x02"
    head = UAS_LOCAL_SET_KEY + bytes([0x82]) + (len(content) + 2).to_bytes(2, "big") + content
    total = sum(value << (8 if i % 2 == 0 else 0) for i, value in enumerate(head)) & 0xFFFF
    return head + total.to_bytes(2, "big")


@pytest.mark.parametrize(("field", "tag", "low", "high", "step"), MAPPED, ids=[m[0] for m in MAPPED])
@settings(max_examples=15)
@given(data=st.data())
def test_figures_of_another_encoder_come_back(field, tag, low, high, step, data):
    value = data.draw(st.floats(low, high))
    decoded = decode_klv(packet(**{field: value}))
    assert decoded.number(tag) == pytest.approx(value, abs=step * 1.001)
    assert decoded.time_us == 1_790_000_000_123_456


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {}, optional={field: st.floats(low, high) for field, tag, low, high, _ in MAPPED if tag != 104}
    )
)
def test_agrees_with_two_other_decoders(values):
    raw = packet(**values)
    ours = decode_klv(raw)
    theirs = stanag4609.decode_uas_local_set(raw)
    for field in theirs.fields:
        tag = field.definition.tag
        if isinstance(field.value, float):
            assert ours.number(tag) == pytest.approx(field.value, abs=1e-9)
    old = next(iter(klvdata.StreamParser(raw))).MetadataList()
    for tag in (5, 13, 14, 15, 18, 19):
        if tag in old:
            assert ours.number(tag) == pytest.approx(float(old[tag][3]), abs=1e-6)


def items(raw):
    """Bytes of each tag of a packet, by the standard's own words: tag, length, value; none here is 128 or larger."""
    at, found = 17 + max(0, raw[16] - 128), {}
    while at < len(raw):
        tag, size = raw[at : at + 2]
        found[tag], at = raw[at + 2 : at + 2 + size], at + 2 + size
    return found


FIELD_OF = {tag: field for field, tag, *_ in MAPPED}


def three_encoders(values):
    """The same figures by the simulator's encoder and two other libraries'."""
    time_us = values[2]
    known = {FIELD_OF[tag]: value for tag, value in values.items() if tag in FIELD_OF}
    told = {
        **values,
        2: datetime.fromtimestamp(time_us // 1_000_000, UTC) + timedelta(microseconds=time_us % 1_000_000),
    }
    return (
        encode_packet(values),
        stanag4609.encode_uas_local_set(told),
        encode_uas_datalink(UasDatalinkLs(uas_ls_version=values[65], timestamp_us=time_us, **known)),
    )


@settings(max_examples=60)
@given(st.data())
def test_three_encoders_write_the_same_bytes_and_three_decoders_read_the_same_figures(data):
    values = {2: data.draw(st.integers(10**15, 4 * 10**15)), 65: 19}
    for field, tag, low, high, _ in MAPPED:
        if tag in TAGS:
            values[tag] = data.draw(st.floats(low, high), label=field)
    ours, second, third = three_encoders(values)
    without_sum = [{tag: raw for tag, raw in items(one).items() if tag != 1} for one in (ours, second, third)]
    assert without_sum[0] == without_sum[1] == without_sum[2]  # of another order the sum is another
    read, other, last = decode_klv(ours), stanag4609.decode_uas_local_set(ours), decode_uas_datalink(ours)
    for field in other.fields:
        if isinstance(field.value, float):
            assert read.number(field.definition.tag) == pytest.approx(field.value, rel=1e-14, abs=1e-12)
    for tag, field in FIELD_OF.items():
        if tag in values:
            assert read.number(tag) == pytest.approx(getattr(last, field), rel=1e-14, abs=1e-12)


def test_a_real_packet_is_written_again_byte_for_byte(shared_data):
    raw = shared_data(MINIMAL).read_bytes()
    values = {tag: value for tag, value in decode_klv(raw).values.items() if tag != 1}
    for again in three_encoders(values):
        assert again == raw


def test_the_items_of_a_real_flight_are_written_again_byte_for_byte(shared_data):
    """But for tag 22, which its encoder sends in a length that the standard does not have."""
    packets = list(split_klv(shared_data(FLIGHT).read_bytes()))
    assert len(packets) == 6
    compared = set()
    for raw in packets:
        there, values, third = items(raw), decode_klv(raw).values, items(encode_uas_datalink(decode_uas_datalink(raw)))
        known = {tag: value for tag, value in values.items() if tag in TAGS}
        ours = items(encode_packet(known))
        for tag, value in known.items():
            assert ours[tag] == there[tag], tag
            if tag not in {2, 11, 12, 65}:
                assert stanag4609.encode_field_value(tag, value) == there[tag], tag
                assert third[tag] == there[tag], tag
            compared.add(tag)
    assert compared >= {2, 5, 6, 7, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 65}


def test_the_standards_own_example():
    # MISB ST 0601.8, tag 13: 0x5595B66D is 60.1768229669783 degrees; tag 15: 0xC221 is 14190.72 m.
    decoded = decode_klv(with_checksum(bytes.fromhex("0d045595b66d0f02c221")))
    assert decoded.number(13) == pytest.approx(60.1768229669783, abs=1e-12)
    assert decoded.number(15) == pytest.approx(14190.72, abs=5e-3)


def test_out_of_range_marks_are_none():
    decoded = decode_klv(with_checksum(bytes.fromhex("0d048000000006028000680380ffff")))
    assert decoded.values == {13: None, 6: None, 104: None, 1: decoded.values[1]}
    assert decoded.number(13) is None


def test_a_real_flight(shared_data):
    flight = read_klv(shared_data(FLIGHT))
    assert len(flight.packets) == 6
    first = flight.packets[0]
    assert first.time_us == 1_245_257_585_099_653
    assert first.number(13) == pytest.approx(54.681323, abs=1e-6)
    assert first.number(15) == pytest.approx(1532.27, abs=0.01)
    # Its encoder sends tag 22 in four bytes: set aside and told, the rest of the packet stands.
    assert 22 not in first.values
    assert 22 in first.unknown
    assert any("tag 22" in problem for problem in flight.problems)
    centre = first.number(23), first.number(24)
    assert centre == pytest.approx((54.749123, -110.046638), abs=1e-6)


def test_a_packet_whose_bytes_were_altered_is_refused(shared_data):
    assert decode_klv(shared_data(MINIMAL).read_bytes()).number(5) == pytest.approx(159.974, abs=1e-3)
    with pytest.raises(MetadataError, match="checksum is 0xaa43 and should be 0x3e1e"):
        decode_klv(shared_data(ALTERED).read_bytes())


@given(st.integers(0, 200), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position, change):
    raw = bytearray(packet(sensor_lat_deg=31.3, sensor_lon_deg=-110.9, platform_designation="quad"))
    raw[position % len(raw)] ^= change
    with pytest.raises(MetadataError):
        decode_klv(bytes(raw))


@given(st.binary(max_size=120), st.booleans())
def test_arbitrary_bytes_never_crash(data, sealed):
    """Random local sets, half of them with a good checksum so that they reach the field decoders."""
    raw = with_checksum(data) if sealed else UAS_LOCAL_SET_KEY + data
    try:
        decoded = decode_klv(raw)
    except MetadataError:
        return
    assert set(decoded.values) <= set(FIELDS)


NOISE = [b"", b"\x00" * 7, b"noise", UAS_LOCAL_SET_KEY, UAS_LOCAL_SET_KEY + b"\x89"]


@settings(max_examples=few(50))
@given(st.lists(st.sampled_from(NOISE), max_size=4))
def test_sound_packets_are_found_among_noise(noise):
    """Neither noise nor a key without a body hides the packets after it."""
    wanted = [packet(sensor_lat_deg=float(n)) for n in range(3)]
    data = b"".join(piece for n, raw in enumerate(wanted) for piece in (*noise[n:], raw))
    assert [raw for raw in split_klv(data) if raw in wanted] == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no sound"), (b"not klv at all", "no sound"), (UAS_LOCAL_SET_KEY + b"\x20\x02\x08", "cut short")],
    ids=["empty", "text", "cut short"],
)
def test_a_file_without_a_packet_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "flight.klv"
    path.write_bytes(content)
    with pytest.raises(MetadataError, match=message) as error:
        read_klv(path)
    assert "flight.klv" in str(error.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(MetadataError, match=r"away\.klv: cannot be read"):
        read_klv(tmp_path / "away.klv")
