"""Errors that a recording states itself: packs of other libraries, packs that are not sound, and poses."""

import math
import struct
from dataclasses import replace

import numpy as np
import pytest
import stanag4609
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from stanag4609.st1010 import SDCCFLP, SDCCParseControl, SDCCValueFormat, encode_sdcc_flp
from tstrans.klv import encode_sdcc_flp_mode2

from geo import Altitude, CameraModel, CameraPose, Datum, FlatTerrain, LocalFrame, PoseSigma
from sim.camera import PoseNoise
from sim.klv import Platform, encode_packet, frame_packet, frame_values, standard_deviations
from tests.asked import few
from tests.vision.recordings import T0_US, klv
from vision.errors import MetadataError
from vision.georeference import Georeferencer
from vision.klv import decode_klv
from vision.klv_sigma import decode_deviations
from vision.pose import POSE_SIGMAS, pose_from_klv, sigma_from_klv
from vision.types import Detection, Frame

CAMERA = CameraModel(640, 512, 1125.0)
LEVEL = Platform("vehicle-1", 91.0, 0.0, 0.0)
POSE = CameraPose(31.333, -110.94, Altitude(1270.0, Datum.AMSL), 181.0, -57.0, 0.2)
TAGS = (13, 14, 15, 18, 19, 20)

deviations = st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=6)


def near(values):
    return pytest.approx(values, rel=1e-6, abs=1e-30)


@given(values=deviations, data=st.data())
def test_packs_of_tstrans(values, data):
    pairs = len(values) * (len(values) - 1) // 2
    correlations = data.draw(st.lists(st.floats(-1, 1), min_size=pairs, max_size=pairs))
    raw = encode_sdcc_flp_mode2(values, correlations, data.draw(st.integers(1, 4)))
    before = (7, *TAGS[: len(values)])
    assert decode_deviations(raw, before) == near(dict(zip(TAGS, values, strict=False)))


@given(
    values=deviations,
    correlations=st.lists(st.none() | st.floats(-1, 1), min_size=15, max_size=15),
    length=st.sampled_from([4, 8]),
    clen=st.integers(0, 4),
)
def test_packs_of_stanag4609_whole_and_sparse(values, correlations, length, clen):
    pairs = len(values) * (len(values) - 1) // 2
    chosen = tuple(correlations[:pairs]) if clen else ()
    sparse = None in chosen
    control = SDCCParseControl(2, sparse, length, clen, SDCCValueFormat.IEEE, SDCCValueFormat.IMAP)
    raw = encode_sdcc_flp(SDCCFLP(len(values), control, tuple(values), chosen))
    assert decode_deviations(raw, TAGS[: len(values)]) == near(dict(zip(TAGS, values, strict=False)))


def test_the_simulators_packets_say_to_another_library_what_they_say_here():
    sigma = PoseSigma(0.8, 1.2, 0.6, 0.3, 0.2)
    raw = frame_packet(T0_US, CAMERA, POSE, Platform("vehicle-1", 91.0, -3.0, 1.0), 1180.0, sigma=sigma)
    (field,) = [f for f in stanag4609.decode_uas_local_set(raw).fields if f.definition.tag == 102]
    stated = dict(zip(field.value.source_tags, field.value.standard_deviations, strict=True))
    ours = decode_klv(raw)
    assert ours.sigmas == stated
    assert 102 not in ours.unknown
    assert (stated[15], stated[18], stated[19], stated[20]) == near((1.2, 0.6, 0.3, 0.2))
    assert stated[5] == stated[90] == stated[16] == 0.0
    # A degree of latitude is 111 km long, one of longitude cos(latitude) of it.
    assert stated[13] * 111_132 == near(0.8)
    assert stated[14] * 111_132 * math.cos(math.radians(31.333)) == near(0.8)
    # All that is said besides is as without them.
    silent = decode_klv(frame_packet(T0_US, CAMERA, POSE, Platform("vehicle-1", 91.0, -3.0, 1.0), 1180.0))
    assert {t: v for t, v in ours.values.items() if t != 1} == {t: v for t, v in silent.values.items() if t != 1}
    assert silent.sigmas == {}


@settings(max_examples=few(50))
@given(figures=st.tuples(*[st.floats(0.01, 5.0) for _ in range(5)]), lat=st.floats(-80, 80))
def test_a_pose_has_the_errors_that_its_packet_states(figures, lat):
    sigma = PoseSigma(*figures)
    pose = CameraPose(lat, 10.0, POSE.altitude, 181.0, -57.0, 0.2)
    told = pose_from_klv(decode_klv(frame_packet(T0_US, CAMERA, pose, LEVEL, 1180.0, sigma=sigma))).sigma
    assert (told.horizontal_m, told.vertical_m) == pytest.approx((sigma.horizontal_m, sigma.vertical_m), rel=1e-5)
    assert (told.yaw_deg, told.pitch_deg, told.roll_deg) == near((sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg))
    assert told.turns_deg == ()


def stated(sigmas, pose=POSE, platform=LEVEL):
    """A packet that states sigmas of single items, by tag; each has a pack of its own behind it."""
    values = frame_values(T0_US, CAMERA, pose, platform, 1180.0)
    body = b""
    for tag, value in values.items():
        one = encode_packet({tag: value})
        body += one[17:-4]  # without key and length (short form), and without checksum
        if tag in sigmas:
            pack = standard_deviations([sigmas[tag]])
            body += bytes([102, len(pack)]) + pack
    return decode_klv(sealed(body))


def sealed(body):
    content = body + b"\x01\x02"
    head = bytes.fromhex("060e2b34020b01010e01030101000000") + bytes([0x82]) + (len(content) + 2).to_bytes(2, "big")
    head += content
    return head + (sum(v << (8 if i % 2 == 0 else 0) for i, v in enumerate(head)) & 0xFFFF).to_bytes(2, "big")


ALL = dict.fromkeys((5, 18, 19, 20, 90, 91), 0.0)


@pytest.mark.parametrize("tag", [5, 18, 19, 20, 90, 91])
@pytest.mark.parametrize("heading", [91.0, 181.0, 230.0])
def test_each_angle_turns_the_camera_as_it_turns_it(tag, heading):
    """Oracle: one angle of the packet moved by its sigma, and the turn between both attitudes."""
    platform = Platform("vehicle-1", heading, 4.0, -3.0)
    packet = stated(ALL | {tag: 0.5}, platform=platform)
    pose = pose_from_klv(packet)

    def attitude(moved):
        angles = [packet.number(t) + (0.5 if t == moved else 0.0) for t in (5, 90, 91, 18, 19, 20)]
        both = (Rotation.from_euler("ZYX", part, degrees=True) for part in (angles[:3], angles[3:]))
        return next(both) * next(both)

    ned = (attitude(tag) * attitude(None).inv()).as_rotvec(degrees=True)
    expected = np.outer(ned[[1, 0, 2]] * [1, 1, -1], ned[[1, 0, 2]] * [1, 1, -1])
    turns = np.degrees(pose.turns_enu())
    # Heading and the gimbal's angles are taken as of an airframe that flies level: here it leans by 5 degrees.
    assert turns.T @ turns == pytest.approx(expected, abs=0.003 if tag in {90, 91, 20, 5} else 0.04)


@pytest.mark.parametrize("missing", [5, 18, 19, 20, 90, 91])
def test_an_attitude_of_which_a_part_is_not_stated_is_as_unsure_as_ever(missing):
    packet = stated({tag: value for tag, value in ALL.items() if tag != missing} | {15: 0.25})
    sigma = sigma_from_klv(packet, pose_from_klv(packet))
    usual = POSE_SIGMAS["klv"]
    assert (sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg) == (usual.yaw_deg, usual.pitch_deg, usual.roll_deg)
    assert (sigma.horizontal_m, sigma.vertical_m) == (usual.horizontal_m, 0.25)


def test_what_is_stated_as_exact_is_not_known():
    """Encoders write 0 for what they do not know."""
    packet = stated(ALL | {13: 0.0, 14: 0.0, 15: 0.0})
    assert sigma_from_klv(packet, pose_from_klv(packet)) == POSE_SIGMAS["klv"]


def test_the_larger_of_north_and_east_counts_and_the_caller_goes_before_the_packet():
    packet = stated({13: 2.0 / 111_132, 14: 0.1 / 111_132})
    assert pose_from_klv(packet).sigma.horizontal_m == pytest.approx(2.0, rel=1e-6)
    assert pose_from_klv(packet, PoseSigma(9.0)).sigma.horizontal_m == 9.0


PACK = standard_deviations([0.5, 0.25])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "KLV tag at byte 0 is broken"),
        (PACK[:-1], "has 10 bytes, which is not what its parse control says"),
        (PACK + b"\0", "has 12 bytes"),
        (standard_deviations([0.1] * 60), "speaks of 60 items, with 6 before it"),
        (b"\0\x80\x04", "speaks of 0 items"),
        (b"\x02\x40" + PACK[3:], "no parse control of two bytes"),  # mode 1
        (b"\x02\x80", "no parse control of two bytes"),
        (b"\x02\x80\x14" + PACK[3:], "a form of 4 bytes that is no float"),  # mapped onto a range that nobody tells
        (b"\x02\x80\x03" + bytes(6), "a form of 3 bytes that is no float"),
        (b"\x01\x80\x04" + struct.pack(">f", -1.0), "negative or not finite"),
        (b"\x01\x80\x04" + struct.pack(">f", math.nan), "negative or not finite"),
        (b"\x01\x80\x04" + struct.pack(">f", math.inf), "negative or not finite"),
    ],
)
def test_what_is_no_pack_is_set_aside_and_the_packet_stands(raw, said):
    with pytest.raises(MetadataError, match=said):
        decode_deviations(raw, TAGS)
    values = frame_values(T0_US, CAMERA, POSE, LEVEL, 1180.0)
    last = {tag: values.pop(tag) for tag in TAGS}
    packet = decode_klv(encode_packet(values | last | {102: raw}))
    assert packet.sigmas == {}
    assert packet.unknown[102] == raw
    assert len(packet.problems) == 1
    assert pose_from_klv(packet).sigma == POSE_SIGMAS["klv"]


@given(raw=st.binary(max_size=40))
def test_arbitrary_bytes_never_crash(raw):
    try:
        found = decode_deviations(raw, TAGS)
    except MetadataError:
        return
    assert all(tag in TAGS and value >= 0 for tag, value in found.items())


def test_correlations_alone_say_nothing_of_size():
    assert decode_deviations(bytes([2, 0x82, 0x00, 0x40, 0x00]), TAGS) == {}
    assert decode_klv(klv(T0_US)).sigmas == {}


def test_as_many_truths_lie_in_the_stated_ellipses_as_are_said_to():
    """Errors of poses drawn as they are stated, through packets; places of people seen from 30 to 150 m."""
    rng, inside, usual = np.random.default_rng(3), [], []
    sigma, ground = PoseSigma(0.8, 1.2, 0.6, 0.3, 0.3), 1180.0
    local = LocalFrame(31.333, -110.94, ground)
    for seed in range(400):
        height, pitch = rng.uniform(30, 150), rng.uniform(-90, -30)
        true = CameraPose(31.333, -110.94, Altitude(ground + height, Datum.AMSL), rng.uniform(0, 360), pitch)
        platform = Platform("vehicle-1", true.yaw_deg - 90.0, -3.0, 0.0)
        raw = frame_packet(T0_US, CAMERA, PoseNoise(sigma, seed).measured(true, T0_US), platform, ground, sigma=sigma)
        measured = pose_from_klv(decode_klv(raw))
        rotation = true.rotation_enu_from_camera()
        ray = (CAMERA.rays(rng.uniform((60, 60), (580, 450))[None]) @ rotation.T)[0]
        foot = ray * (height / -ray[2]) + [0, 0, height]
        body = foot + [[x, y, z] for x in (-0.25, 0.25) for y in (-0.25, 0.25) for z in (0, 1.7)]
        pixels = CAMERA.project((body - [0, 0, height]) @ rotation)
        edges = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]) + rng.normal(0, 0.7, 4)
        for pose, found in ((measured, inside), (replace(measured, sigma=POSE_SIGMAS["klv"]), usual)):
            frame = Frame(np.zeros((2, 2, 3), np.uint8), T0_US, 0, 0.0, pose, CAMERA, ground)
            (point,) = Georeferencer(local, FlatTerrain(ground)).points(frame, [Detection(*edges, "person", 0.8)])
            apart = point.xy - foot[:2]
            covariance = point.random + point.systematic @ point.systematic.T
            found.append(apart @ np.linalg.solve(covariance, apart) <= 5.991)
    assert 0.9 <= np.mean(inside) <= 0.98
    # What is taken of a recording that states nothing is wider than this one's errors.
    assert np.mean(usual) > np.mean(inside)
