"""The motion of the picture, seen in scenes that were warped by known homographies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asked import few
from tests.vision.scenery import HEIGHT, WIDTH, apply, grainy, grid, moved, scenery, seen
from vision.image_motion import KeyPicture, SmallPicture, StepMotion, _median
from vision.types import Detection

WORLD = scenery(1)
REST = seen(WORLD)


def small(image, boxes=()):
    return SmallPicture.of(image, boxes)


def worst_px(matrix, truth):
    return np.hypot(*(apply(matrix, grid()) - apply(truth, grid())).T).max()


def test_the_noise_of_these_pictures_is_what_they_ask_for():
    level, rng = np.full((HEIGHT, WIDTH, 3), 128, np.uint8), np.random.default_rng(3)
    first, second = (grainy(level, 3.0, rng).reshape(-1, 3) - 128.0 for _ in range(2))
    channels = np.concatenate([first, second], axis=1).T
    assert channels.std(axis=1) == pytest.approx(3.0, rel=0.02)
    assert channels.mean(axis=1) == pytest.approx(0.0, abs=0.05)
    assert np.abs(np.corrcoef(channels) - np.eye(6)).max() < 0.02  # each channel and picture has its own
    np.testing.assert_array_equal(grainy(level, 3.0, np.random.default_rng(3)).reshape(-1, 3) - 128.0, first)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(-25, 25),
    y=st.floats(-25, 25),
    turn=st.floats(-5, 5),
    zoom=st.floats(0.96, 1.04),
    tilt=st.tuples(st.floats(-5e-5, 5e-5), st.floats(-5e-5, 5e-5)),
    seed=st.integers(0, 99),
)
def test_a_known_motion_is_found_to_a_fraction_of_a_pixel(x, y, turn, zoom, tilt, seed):
    truth = moved(x, y, turn, zoom, tilt)
    rng = np.random.default_rng(seed)
    match = KeyPicture(small(REST)).match(small(seen(WORLD, truth, noise=4.0, rng=rng)))
    assert worst_px(match.matrix, truth) < 1.0
    assert np.hypot(*(apply(match.matrix, grid()[17:18]) - apply(truth, grid()[17:18])).T) < 0.35
    assert match.sigma_px < 1.0
    assert match.share > 0.6


@pytest.mark.parametrize("size", [(1280, 720), (853, 481), (300, 200)])
def test_pictures_of_any_size_are_measured_in_their_own_pixels(size):
    width, height = size
    world = scenery(5, width, height)
    truth = moved(0.01 * width, -0.02 * width, 3.0, 1.02, width=width, height=height)
    one, other = (seen(world, m, width=width, height=height) for m in (None, truth))
    match = KeyPicture(small(one)).match(small(other))
    points = grid(width, height)
    assert np.hypot(*(apply(match.matrix, points) - apply(truth, points)).T).max() < 0.0012 * width


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 512), (3840, 2160), (853, 481), (960, 540)])
def test_what_is_seen_is_where_the_reduced_picture_says(size):
    """A spot's middle: geo's pixels count from the corner, so the first pixel's middle is at a half."""
    width, height = size
    x, y, wide = 0.31 * width, 0.63 * height, width / 80
    across, down = np.meshgrid(np.arange(width) + 0.5 - x, np.arange(height) + 0.5 - y)
    spot = 60 + 150 * np.exp(-(across**2 + down**2) / (2 * wide**2))
    picture = small(np.repeat(spot.round().astype(np.uint8)[..., None], 3, axis=2))
    weight = np.clip(picture.grey.astype(float) - 190, 0, None)
    rows, columns = np.indices(weight.shape)
    middle = (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()
    assert np.hypot(*(apply(picture.to_full, np.array([middle]))[0] - (x, y))) < 0.15 * picture.scale


@settings(max_examples=few(200), deadline=None)
@given(st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=40))
def test_the_median_is_that_of_numpy(values):
    values = np.array(values, np.float32)
    assert _median(values) == pytest.approx(float(np.median(values)), rel=1e-6)


def test_a_guess_finds_what_is_too_far_to_search_for():
    truth = moved(220.0, 60.0, 4.0)
    key, other = KeyPicture(small(REST)), small(seen(WORLD, truth))
    match = key.match(other, moved(205.0, 70.0))
    assert worst_px(match.matrix, truth) < 1.5
    blind = key.match(other)
    assert blind is None or worst_px(blind.matrix, truth) < 1.5


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(2, 500))
def test_another_scene_is_no_motion(seed):
    assert KeyPicture(small(REST)).match(small(seen(scenery(seed)))) is None


def test_nothing_to_see_is_no_motion():
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert not KeyPicture(small(flat)).tells
    assert KeyPicture(small(flat)).match(small(REST)) is None
    assert KeyPicture(small(REST)).match(small(flat)) is None
    assert KeyPicture(small(REST)).match(small(REST[:100, :100])) is None
    tiny = np.zeros((2, 2, 3), np.uint8)
    assert KeyPicture(small(tiny)).match(small(tiny)) is None


def with_crowd(image, offset):
    """A third of the picture covered by objects that all go to the right."""
    image = image.copy()
    crowd = scenery(77)[400 : 400 + HEIGHT, 400 : 400 + WIDTH]
    boxes = []
    for x in range(40, 600, 140):
        for y in (20, 200):
            left = x + offset
            image[y : y + 120, left : left + 80] = crowd[y : y + 120, x : x + 80]
            boxes.append(Detection(left, y, left + 80, y + 120, "vehicle", 0.9))
    return image, boxes


def test_objects_that_were_detected_say_nothing_of_the_camera():
    (one, boxes), (other, later) = with_crowd(REST, 0), with_crowd(REST, 9)
    match = KeyPicture(small(one, boxes)).match(small(other, later))
    assert worst_px(match.matrix, np.eye(3)) < 0.5
    # Corners on them are not even looked at.
    corners = apply(small(one).to_full, KeyPicture(small(one, boxes)).corners)
    assert len(corners) > 30
    for b in boxes:
        inside = (corners[:, 0] > b.x1) & (corners[:, 0] < b.x2) & (corners[:, 1] > b.y1) & (corners[:, 1] < b.y2)
        assert not inside.any()


def test_objects_that_are_first_found_in_the_second_picture_say_nothing_either():
    """In the first one nobody saw them: most of its corners are on them."""
    (one, _), (other, later) = with_crowd(REST // 4 + 90, 0), with_crowd(REST // 4 + 90, 9)
    match = KeyPicture(small(one)).match(small(other, later))
    assert match is None or worst_px(match.matrix, np.eye(3)) < 0.5
    misled = KeyPicture(small(one)).match(small(other))
    assert misled is not None
    assert worst_px(misled.matrix, moved(9.0)) < 0.5


def test_one_that_turned_fast_and_stops_is_followed():
    motion = StepMotion()
    for x in (0, 40, 100, 180, 280):
        step = motion.step(small(seen(WORLD, moved(float(x)))))
    assert worst_px(step.matrix, moved(100.0)) < 1.0
    step = motion.step(small(seen(WORLD, moved(280.0))))
    assert worst_px(step.matrix, np.eye(3)) < 0.5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(2, 500))
def test_chance_does_not_say_that_a_view_is_still_there(seed):
    key, other = KeyPicture(small(REST)), small(seen(scenery(seed)))
    assert not key.stays(other, np.eye(3))
    half = seen(scenery(seed))
    half[:, :200] = REST[:, :200]
    assert key.stays(small(half), np.eye(3))
    assert not key.stays(small(half), moved(12.0))
    # All of it covered: there is nothing to be seen that speaks against.
    assert key.stays(small(seen(scenery(seed)), [Detection(0, 0, WIDTH, HEIGHT, "vehicle", 0.9)]), np.eye(3))


def test_steps_add_up_to_the_whole_way_and_a_cut_is_told():
    motion = StepMotion()
    assert motion.first
    steps = [motion.step(small(seen(WORLD, moved(11.0 * i, 4.0 * i, 0.7 * i)))) for i in range(12)]
    assert steps[0] is None
    assert not motion.first
    whole = np.eye(3)
    for step in steps[1:]:
        whole = step.matrix @ whole
    assert worst_px(whole, moved(121.0, 44.0, 7.7)) < 2.5
    assert motion.step(small(seen(scenery(9)))) is None
    assert motion.step(small(seen(scenery(9), moved(3.0)))) is not None
