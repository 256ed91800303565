"""Slices only where the distance makes objects small; what they show is found, once, in its place."""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import Altitude, CameraModel, CameraPose, Datum, FlatTerrain
from vision import ModelError
from vision.records import ModelRef
from vision.slicing import SliceRule, SlicingDetector, tiles_for
from vision.types import Detection, Frame

SIZE = (1920, 1080)
CAMERA = CameraModel(*SIZE, 4000.0)
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Blobs:
    """Finds bright spots that are some pixels large in an input of 640 pixels, as a network would: and no smaller."""

    least_px: float = 8.0
    image_size: int = 640
    looked: int = 0
    model: ModelRef = field(default_factory=lambda: ModelRef("blobs", "0" * 64))

    def detect(self, images):
        out = []
        for image in images:
            self.looked += 1
            scale = self.image_size / max(image.shape[:2])
            small = cv2.resize(image[..., 0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            _, _, stats, _ = cv2.connectedComponentsWithStats((small > 128).astype(np.uint8))
            out.append(
                [
                    Detection(x / scale, y / scale, (x + w) / scale, (y + h) / scale, "person", min(0.9, w / 100 + 0.3))
                    for x, y, w, h, _ in stats[1:].tolist()
                    if max(w, h) >= self.least_px - 1
                ]
            )
        return out


def pose(pitch_deg, up_m=90.0, datum=Datum.AGL):
    return CameraPose(46.0, 8.0, Altitude(up_m, datum), 30.0, pitch_deg)


def frame_with(spots, view, object_m=1.0, ground_amsl_m=None):
    """A dark picture with a bright square of an object's size at each pixel, and the sizes, pixels."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    sizes = []
    for x, y in spots:
        side = object_m * CAMERA.focal_px / range_m(view, x, y)
        sizes.append(side)
        half = max(side / 2, 0.5)
        image[round(y - half) : round(y + half), round(x - half) : round(x + half)] = 255
    return Frame(image, 0, pose=view, camera=CAMERA, ground_amsl_m=ground_amsl_m), sizes


def range_m(view, x, y):
    """By hand: depression of the pixel in the plane of sight, and the ray that it makes with the axis."""
    u, v = (x - SIZE[0] / 2) / CAMERA.focal_px, (y - SIZE[1] / 2) / CAMERA.focal_px
    pitch = math.radians(-view.pitch_deg)
    fall = (v * math.cos(pitch) + math.sin(pitch)) / math.sqrt(1 + u * u + v * v)
    return view.altitude.metres / fall


def found_at(found, spot, within_px=6.0):
    return [d for d in found if math.dist(d.centre, spot) < within_px]


def test_looking_down_from_low_nothing_is_sliced():
    frame, _ = frame_with([(900, 500)], pose(-90.0, 60.0))
    blobs = Blobs()
    detector = SlicingDetector(blobs)
    assert [len(found) for found in detector.detect_frames([frame])] == [1]
    assert (blobs.looked, detector.sliced, detector.tiles) == (1, 0, 0)


def test_what_is_far_is_found_only_by_slices_and_only_there_is_sliced():
    view = pose(-30.0)
    near, far = (960, 1000), (960, 300)
    frame, sizes = frame_with([near, far], view)
    assert sizes[0] / 3 > 8 > sizes[1] / 3
    blobs = Blobs()
    assert [d.centre for d in blobs.detect([frame.image])[0]] == [pytest.approx(near, abs=4)]
    detector = SlicingDetector(blobs)
    (found,) = detector.detect_frames([frame])
    assert len(found_at(found, near)) == len(found_at(found, far)) == 1
    assert len(found) == 2
    tiles = tiles_for(frame, 640, SliceRule())
    # Only rows beyond the range at which a metre has 8 pixels of the input.
    edge = next(y for y in range(1080) if CAMERA.focal_px / range_m(view, 960, y) / 3 >= 8.0)
    assert tiles
    assert max(tile.y for tile in tiles) < edge
    assert 2 <= len(tiles) <= SliceRule().most_tiles


@SLOW
@given(
    x=st.integers(30, SIZE[0] - 30),
    y=st.integers(60, SIZE[1] - 60),
    pitch=st.floats(-70, -20),
    up=st.floats(40, 150),
    roll=st.floats(-10, 10),
)
def test_every_object_that_the_picture_shows_is_found_once_wherever_it_is(x, y, pitch, up, roll):
    view = CameraPose(46.0, 8.0, Altitude(up, Datum.AGL), 30.0, pitch, roll)
    # Size by the module's own camera model is checked above: here it follows from the real projection.
    ray = (CAMERA.rays(np.array([[x, y]])) @ view.rotation_enu_from_camera().T)[0]
    assume(ray[2] < -0.2 and up / -ray[2] < 1500)
    side = CAMERA.focal_px / (up / -ray[2])
    half = side / 2
    assume(side >= 5 and min(x, y, SIZE[0] - x, SIZE[1] - y) > half + 2)
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[round(y - half) : round(y + half), round(x - half) : round(x + half)] = 255
    frame = Frame(image, 0, pose=view, camera=CAMERA)
    # Enlarged twice at most: what has 5 pixels comes to 10 of the input.
    (found,) = SlicingDetector(Blobs(), SliceRule(most_tiles=60)).detect_frames([frame])
    assert len(found) == 1
    assert math.dist(found[0].centre, (x, y)) < 4
    assert found[0].size == pytest.approx((side, side), abs=4)


def test_a_spot_on_the_seam_of_two_slices_is_found_once():
    view = pose(-25.0)
    frame, _ = frame_with([], view)
    first, second = tiles_for(frame, 640, SliceRule())[:2]
    assert (first.y, second.x > first.x) == (second.y, True)
    for x in range(second.x - 12, first.x + first.width + 12, 4):
        frame, _ = frame_with([(x, 300)], view)
        (found,) = SlicingDetector(Blobs()).detect_frames([frame])
        assert len(found) == 1, x


@pytest.mark.parametrize(
    ("change", "sliced"),
    [
        ({"pose": None}, False),
        ({"camera": None}, False),
        ({"pose": pose(-25.0, 590.0, Datum.AMSL)}, False),
        ({"pose": pose(-25.0, 590.0, Datum.AMSL), "ground_amsl_m": 500.0}, True),
        ({"pose": pose(20.0)}, False),
    ],
)
def test_without_a_pose_and_a_height_above_ground_nothing_is_sliced(change, sliced):
    given = {"pose": pose(-25.0), "camera": CAMERA, **change}
    frame = Frame(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), 0, **given)
    assert bool(tiles_for(frame, 640, SliceRule())) is sliced
    if given["pose"] is not None and given["pose"].altitude.datum is Datum.AMSL:
        assert tiles_for(frame, 640, SliceRule(), FlatTerrain(500.0))


def test_more_slices_than_allowed_are_taken_larger():
    frame, _ = frame_with([], pose(-18.0))
    many = tiles_for(frame, 640, SliceRule(most_tiles=40))
    few = tiles_for(frame, 640, SliceRule(most_tiles=4))
    assert len(many) > len(few) > 0
    assert len(few) <= 4
    assert few[0].width > many[0].width


def test_tiles_lie_in_the_picture_and_cover_what_is_small():
    view = pose(-30.0, 120.0)
    frame, _ = frame_with([], view)
    tiles = tiles_for(frame, 640, SliceRule())
    covered = np.zeros((SIZE[1], SIZE[0]), bool)
    for tile in tiles:
        assert tile.x >= 0
        assert tile.y >= 0
        assert tile.x + tile.width <= SIZE[0]
        assert tile.y + tile.height <= SIZE[1]
        covered[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] = True
    for y in range(16, SIZE[1], 32):
        for x in range(16, SIZE[0], 32):
            away = range_m(view, x, y)
            if 0 < away < 680 and CAMERA.focal_px / away / 3 < 7.9:
                assert covered[y, x], (x, y)


def test_pictures_of_a_batch_are_kept_apart():
    far, near = pose(-25.0), pose(-90.0, 60.0)
    frames = [frame_with([(500, 300)], far)[0], frame_with([(900, 500)], near)[0], frame_with([(1300, 320)], far)[0]]
    found = SlicingDetector(Blobs()).detect_frames(frames)
    assert [len(one) for one in found] == [1, 1, 1]
    for one, spot in zip(found, [(500, 300), (900, 500), (1300, 320)], strict=True):
        assert found_at(one, spot)


@pytest.mark.parametrize("name", ["least_px", "object_m", "most_zoom", "most_tiles", "far_m"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_rule_is_refused(name, value):
    with pytest.raises(ModelError, match=f"slicing: {name}"):
        SliceRule(**{name: value})
