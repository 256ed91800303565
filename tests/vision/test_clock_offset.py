"""Offsets that were planted between pictures and poses are found; where nothing tells them, none is made up."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame
from tests.asked import asked
from tests.vision.scenery import HEIGHT, WIDTH, scenery, seen
from vision.camera_motion import GroundPlane
from vision.clock_offset import estimate_clock_offset
from vision.errors import MetadataError
from vision.types import Frame

WORLD = scenery(31)
LENS = CameraModel(WIDTH, HEIGHT, 700.0)
ORIGIN = LocalFrame(31.333, -110.94, 0.0)
T0 = 1_790_000_000_000_000


def searching(t):
    """A camera that hangs in gusts and looks about: place, yaw and pitch."""
    return (
        3 * math.sin(0.7 * t) + 0.5 * t,
        2 * math.sin(0.45 * t),
        4 * math.sin(0.9 * t + 1),
        -65 + 2 * math.sin(0.6 * t),
    )


def braking(t):
    """A leg that is flown up to 6 s and then stopped within 2 s: one change, no repetition."""
    return (
        3.0 * min(t, 6.0) + (3.0 * (min(t - 6.0, 2.0) - min(t - 6.0, 2.0) ** 2 / 4) if t > 6 else 0.0) - 12,
        0.0,
        0.0,
        -70.0,
    )


def hovering(t):
    return 0.0, 0.0, 0.0, -65.0


def cruising(t):
    return 2.0 * t - 8.0, 0.0, 0.0, -70.0


def swinging(t):
    """The same swing once a second: an offset of a second fits as well."""
    return 0.0, 0.0, 3 * math.sin(2 * math.pi * t), -65.0


def pose_at(way, t, noise=None, bias=(0.0, 0.0, 0.0)):
    east, north, yaw, pitch = way(t)
    if noise is not None:
        yaw, pitch = yaw + noise.normal(0, 0.06), pitch + noise.normal(0, 0.03)
        east, north = east + noise.normal(0, 0.08), north + noise.normal(0, 0.08)
    lat, lon, _ = ORIGIN.to_geodetic(east, north, 0.0)
    return CameraPose(
        float(lat), float(lon), Altitude(40.0 + bias[0], Datum.AGL), yaw + bias[1], max(pitch + bias[2], -90.0), 0.0
    )


@cache
def grain(number):
    """What a sensor adds to a picture; drawn anew for each, it takes longer than all else."""
    return np.random.default_rng(number).normal(0, 2.0, seen(WORLD).shape).astype(np.float32)


def filmed(way, offset_s, *, rate=10.0, seconds=14.0, seed=None, bias=(0.0, 0.0, 0.0), world=WORLD):
    """Frames whose pictures show the way, and whose poses are recorded `offset_s` later."""
    noise = None if seed is None else np.random.default_rng(seed)
    frames, first = [], GroundPlane.of_pose(LENS, pose_at(way, 0.0), ORIGIN, 0.0)
    for i in range(round(seconds * rate)):
        t = i / rate
        plane = GroundPlane.of_pose(LENS, pose_at(way, t), ORIGIN, 0.0)
        clean = seen(world, np.linalg.inv(plane.to_plane) @ first.to_plane)
        image = (clean + grain(i % 24)).clip(0, 255).astype(np.uint8)
        pose = pose_at(way, t - offset_s, noise, bias)
        frames.append(Frame(image, T0 + round(t * 1e6), i, t, pose, LENS, 0.0))
    return frames


@settings(max_examples=asked(9), deadline=None)
@given(offset=st.floats(-1.5, 1.5), rate=st.sampled_from([5.0, 10.0, 25.0]))
def test_a_planted_offset_is_found_to_a_fraction_of_a_frame(offset, rate):
    found = estimate_clock_offset(filmed(searching, offset, rate=rate))
    assert found.seconds == pytest.approx(offset, abs=0.02)
    assert found.sigma_s < 0.03
    assert found.told > 0.8


@pytest.mark.parametrize(("offset", "seed"), [(-1.2, 0), (0.0, 1), (0.4, 0)])
def test_with_the_errors_of_real_poses_it_is_found_within_its_sigma(offset, seed):
    """Noise of a gimbal and of a receiver, a compass 5 degrees off, a barometer 4 m."""
    found = estimate_clock_offset(filmed(searching, offset, seed=seed, bias=(4.0, 5.0, 1.0)))
    assert abs(found.seconds - offset) < 3 * found.sigma_s + 0.005
    assert abs(found.seconds - offset) < 0.04
    assert found.sigma_s < 0.05


def test_one_stop_is_enough():
    found = estimate_clock_offset(filmed(braking, 0.7, seed=1))
    assert found.seconds == pytest.approx(0.7, abs=0.06)
    assert "0.7" in str(found)
    assert "later" in str(found)


@pytest.mark.parametrize("way", [hovering, cruising, swinging])
@pytest.mark.parametrize("offset", [0.0, 0.8])
def test_where_the_motion_does_not_tell_nothing_is_made_up(way, offset):
    found = estimate_clock_offset(filmed(way, offset, seed=1))
    assert found.seconds is None
    assert found.why
    assert math.isinf(found.sigma_s)
    assert "cannot be told" in str(found)


def test_a_swing_that_repeats_itself_fits_at_every_period():
    """Even with poses without error, and the clocks in step."""
    found = estimate_clock_offset(filmed(swinging, 0.0))
    assert found.seconds is None
    assert "repeats itself" in found.why


def test_poses_of_another_flight_are_no_offset():
    frames = filmed(searching, 0.0)
    other = filmed(lambda t: (-2 * math.sin(1.1 * t), math.cos(1.7 * t), 5 * math.cos(0.31 * t * t / 3), -65.0), 0.0)
    mixed = [Frame(a.image, a.time_us, a.index, a.pts_s, b.pose, LENS, 0.0) for a, b in zip(frames, other, strict=True)]
    found = estimate_clock_offset(mixed)
    assert found.seconds is None
    assert "another flight" in found.why


def test_an_offset_beyond_the_search_is_not_taken_for_a_smaller_one():
    assert estimate_clock_offset(filmed(searching, 4.5, seconds=18.0)).seconds is None


def test_gaps_in_the_poses_and_cuts_in_the_video_do_not_matter():
    frames = filmed(searching, -0.5, rate=10.0, seconds=18.0, seed=3)
    holed = [
        Frame(
            scenery(i)[:HEIGHT, :WIDTH] if i in {50, 51, 90} else f.image,
            f.time_us,
            i,
            f.pts_s,
            None if 60 <= i < 75 else f.pose,
            LENS,
            0.0,
        )
        for i, f in enumerate(frames)
        if not 120 <= i < 128
    ]
    assert estimate_clock_offset(holed).seconds == pytest.approx(-0.5, abs=0.05)


def test_only_the_beginning_is_looked_at():
    def frames():
        yield from filmed(searching, 0.3, seconds=8.0)
        raise AssertionError("went on")

    asked = frames()
    assert estimate_clock_offset(asked, seconds=7.5).seconds == pytest.approx(0.3, abs=0.03)


def test_without_poses_or_pictures_it_says_why():
    frames = filmed(searching, 0.0, seconds=3.0)
    with pytest.raises(MetadataError, match="no two frames have a camera pose"):
        estimate_clock_offset([Frame(f.image, f.time_us, f.index) for f in frames])
    blank = [Frame(np.zeros_like(f.image), f.time_us, f.index, f.pts_s, f.pose, LENS, 0.0) for f in frames]
    found = estimate_clock_offset(blank)
    assert (found.seconds, found.told) == (None, 0.0)
    assert "do not show" in found.why
