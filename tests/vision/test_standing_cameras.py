"""What fixed cameras live through outside: no crossing is made up, and none is lost, by light, wind, text and time."""

import cv2
import numpy as np
import pytest

from tests.vision.filmed import BESIDE, LINE, OVER, STILL, T0, WORLD, Told, drawn, filmed, pan, shaken, told
from tests.vision.scenery import HEIGHT, WIDTH, apply, grainy, moved, scenery, seen
from vision.records import Direction
from vision.steady import SteadyCamera
from vision.types import Frame
from vision.watch import watch

STANDING = [lambda _, x=x: (x, 200.0) for x in (350.0, 420.0, 480.0, 560.0)]
BOTH = [Direction.INBOUND, Direction.OUTBOUND]


def hazy(contrast):
    """The same place through haze: large shapes alone, of little contrast."""
    soft = cv2.GaussianBlur(WORLD, (0, 0), 9).astype(float)
    return (110 + contrast * (soft - soft.mean())).clip(0, 255).astype(np.uint8)


def written(number, image):
    """What a camera writes into its picture: name, time, settings."""
    stamp = f"2026-11-28 12:{number // 600 % 60:02}:{number // 10 % 60:02}   CAM 07 NORTH GATE ALT 12.5 M"
    for row, text in ((22, stamp), (HEIGHT - 10, "IR-CUT AUTO  ZOOM 1.0X  PTZ 113.2/-04.5 REC")):
        for shade, width in ((0, 3), (255, 1)):
            place, font = (8, row), cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(image, text, place, font, 0.6, (shade,) * 3, width, cv2.LINE_AA)
    return image


def noisy(seed, sigma=3.0, then=lambda _, image: image):
    """Noise of a sensor, new in every picture, before what is written into it."""
    rng = np.random.default_rng(seed)
    return lambda i, image: then(i, grainy(image, sigma, rng))


def watched(motions, people, **how):
    frames, boxes = filmed(motions, people, **how)
    return watch(frames, Told(boxes), line=LINE, name="mast")


@pytest.mark.parametrize("reach", [150, 400])
@pytest.mark.parametrize("contrast", [0.5, 0.2])
def test_text_in_the_picture_stands_still_and_the_camera_does_not(contrast, reach):
    """In haze the letters have the best corners: whoever stands there must not slide over the line with the view."""
    result = watched(pan(90, reach), STANDING, world=hazy(contrast), light=noisy(1, then=written))
    assert told(result) == []
    assert (result.turned_away > 0) is (reach == 400)
    assert any("moved by up to" in note for note in result.notes)


@pytest.mark.parametrize("strength", [4.0, 12.0])
def test_wind_beside_text_in_the_picture(strength):
    result = watched(shaken(80, strength), OVER + BESIDE, world=hazy(0.5), light=noisy(2, then=written))
    assert sorted(d for d, _ in told(result)) == BOTH
    assert result.turned_away == 0
    assert len(result.tracks) == 5


def test_where_the_edges_alone_show_something_they_tell():
    """A road before hills: nothing but noise in the middle of the picture, as long as it never was more."""
    hills = WORLD.copy()
    hills[400 + 50 : 400 + HEIGHT] = 110
    result = watched(shaken(80, 6.0), OVER + BESIDE, world=hills, light=noisy(3))
    assert sorted(d for d, _ in told(result)) == BOTH
    assert len(result.tracks) == 5
    assert result.turned_away == 0


@pytest.mark.parametrize("contrast", [1.0, 0.3, 0.1])
def test_wind_at_nightfall(contrast):
    """The picture grows dark to a share of its contrast while the mast shakes; the noise of the sensor stays."""

    def light(i, image):
        left = 1 - (1 - contrast) * min(1.0, i / 40)
        return noise(i, (60 + left * (image.astype(float) - 60)).astype(np.uint8))

    noise = noisy(4)
    result = watched(shaken(80, 8.0), OVER + BESIDE, light=light)
    assert sorted(d for d, _ in told(result)) == BOTH
    assert len(result.tracks) == 5
    assert result.turned_away == 0


LAMPS = {
    "lamps that flicker": lambda i, image: (image * (0.8 + 0.2 * np.sin(2.4 * i))).astype(np.uint8),
    "a cloud's shadow": lambda i, image: (
        image * np.clip(1.4 - 0.8 * np.exp(-(((np.arange(WIDTH) - 9 * i) / 160) ** 2)), 0.5, 1.0)[None, :, None]
    ).astype(np.uint8),
    "headlights": lambda i, image: (
        (image + 140 * np.exp(-(((np.arange(WIDTH) - 640 + 12 * i) / 90) ** 2))[None, :, None])
        .clip(0, 255)
        .astype(np.uint8)
    ),
    "lightning": lambda i, image: image if i % 17 else (image.astype(int) + 120).clip(0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("lamp", LAMPS.values(), ids=LAMPS)
@pytest.mark.parametrize("strength", [0.0, 5.0])
def test_light_that_changes(lamp, strength):
    result = watched(shaken(80, strength), OVER + BESIDE, light=noisy(5, then=lamp))
    assert sorted(d for d, _ in told(result)) == BOTH
    assert len(result.tracks) == 5
    assert result.turned_away == 0


class Shown(Told):
    """A detector that is told what is in a picture when that is made: a watch of an hour is not kept."""

    def __init__(self):
        self.boxes = {}

    def detect_frames(self, frames):
        return [self.boxes.pop(frame.index) for frame in frames]


def long_watch(parts, people, light):
    """Watches parts of a day: first second, last, pictures a second, and all of them the motion by the second."""
    *times, motion = parts
    noise, detector = noisy(0), Shown()

    def made():
        for index, t in enumerate(t for begin, end, rate in times for t in np.arange(begin, end, 1 / rate).tolist()):
            image = noise(0, light(t, seen(WORLD, motion(t))))
            feet = [apply(motion(t), np.array([person(t)]))[0] for person in people]
            inside = [foot for foot in feet if (foot > (10, 46)).all() and (foot < (WIDTH - 10, HEIGHT - 2)).all()]
            detector.boxes[index] = [drawn(image, foot) for foot in inside]
            yield Frame(image, T0 + round(t * 1e6), index, t)

    return watch(made(), detector, line=LINE, name="mast")


def day(t, image):
    """The sun goes round: shade and brightness change over an hour."""
    across = np.linspace(-1, 1, WIDTH)[None, :, None]
    return (image * (0.75 + 0.2 * np.cos(t / 600) + 0.15 * np.sin(t / 900) * across)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("speed_px", [5.0, 120.0])
def test_a_pan_after_an_hour_of_rest(speed_px):
    """Slower than what counts as standing still from picture to picture, and in one go; then who walks over is seen."""

    def turned(t):
        return moved(-min(speed_px * max(0.0, t - 3602), 150.0, max(0.0, 150 - 60 * (t - 3633))))

    over = [lambda t: (320 + 25 * (t - 3639), 300.0)]
    result = long_watch([(0, 3600, 1 / 60), (3600, 3643, 5.0), turned], STANDING + over, day)
    ((direction, time_us),) = told(result)
    assert direction is Direction.OUTBOUND
    assert abs(time_us - T0 - 3_639_000_000) < 400_000
    assert result.turned_away == 0


def test_a_pole_that_bends_in_the_sun():
    """Thirty pixels and half a degree in ten minutes, a tenth of a pixel a picture: the line goes along."""

    def bent(t):
        share = np.sin(np.pi * min(t, 600) / 1200)
        return moved(30 * share, -12 * share, 0.5 * share)

    beside = [lambda _: (306.0, 150.0), lambda _: (334.0, 250.0)]
    over = [lambda t: (320 + 18 * (t - 610), 320.0)]
    result = long_watch([(0, 600, 0.2), (600, 620, 5.0), bent], beside + over, day)
    ((direction, time_us),) = told(result)
    assert direction is Direction.OUTBOUND
    assert abs(time_us - T0 - 610_000_000) < 400_000
    assert result.turned_away == 0


def test_a_calm_between_gusts_is_not_taken_for_the_end_of_them():
    """The mast stands still for less than a second, where only patches are looked at, and is thrown aside again."""
    rng = np.random.default_rng(3)
    motions, at = [], np.zeros(2)
    for i in range(120):
        if i % 8 in (0, 1):
            at = rng.uniform(-14, 14, 2)
        motions.append(moved(*(at if i else (0, 0))))
    people = [lambda t: (230 + 18 * t, 200.0), lambda t: (420 - 20 * t, 300.0), *BESIDE[:1]]
    result = watched(motions, people, light=noisy(6))
    assert sorted(d for d, _ in told(result)) == BOTH
    assert len(result.tracks) == 3
    assert result.turned_away == 0


def test_another_camera_under_the_same_address_is_another_view():
    """Its text is the same, and where it stands, too."""
    other = scenery(40)
    frames, boxes = filmed(STILL[:30], OVER, light=noisy(7, then=written))
    late, found = filmed(STILL[:60], [lambda t: (200 + 60 * t, 250.0)], world=other, light=noisy(8, then=written))
    late = [Frame(f.image, f.time_us + 3_000_000, f.index + 30, f.pts_s + 3) for f in late]
    result = watch(frames + late, Told(boxes + found), line=LINE, name="mast")
    assert result.turned_away == 60
    camera = SteadyCamera()
    for frame, held in zip(frames, boxes, strict=True):
        assert camera.view(frame, held) is not None
    assert camera.view(late[0], found[0]) is None
