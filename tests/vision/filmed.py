"""A fixed camera before which people walk, however it shakes or turns: its pictures, and the boxes in them."""

import itertools

import numpy as np

from tests.vision.scenery import HEIGHT, WIDTH, apply, moved, scenery, seen
from vision.fixed import PixelLine
from vision.records import ModelRef
from vision.types import Detection, Frame
from vision.watch import watch

WORLD = scenery(3)
LINE = PixelLine("gate", ((320.0, 360.0), (320.0, 0.0)), "left")
T0 = 1_790_000_000_000_000
RATE = 10.0


_numbers = itertools.count()


def at_rate(image, rate=RATE):
    """A frame of a picture, later than the one before."""
    i = next(_numbers)
    return Frame(image, T0 + round(i / rate * 1e6), i, i / rate)


class Told:
    """A detector that is told what is in each picture, in their order."""

    model = ModelRef("told", "0" * 64)

    def __init__(self, boxes):
        self._left = list(boxes)

    def detect(self, images):
        return [self._left.pop(0) for _ in images]


def drawn(image, place, size=(16, 44)):
    """A person at a pixel (the foot), and the box of it."""
    w, h = size
    left, top = round(place[0] - w / 2), round(place[1] - h)
    image[max(top, 0) : max(top + h, 0), max(left, 0) : max(left + w, 0)] = 245
    return Detection(left, top, left + w, top + h, "person", 0.9)


def filmed(motions, people, world=WORLD, light=None, rng=None):
    """Frames and boxes: `people` are functions of time to the foot in the picture at rest."""
    frames, boxes = [], []
    for i, motion in enumerate(motions):
        image = seen(world, motion)
        if light is not None:
            image = light(i, image)
        found = []
        for person in people:
            foot = apply(motion, np.array([person(i / RATE)]))[0]
            if (foot > (10, 46)).all() and (foot < (WIDTH - 10, HEIGHT - 2)).all():
                found.append(drawn(image, foot))
        frames.append(Frame(image, T0 + round(i / RATE * 1e6), i, i / RATE))
        boxes.append(found)
    return frames, boxes


def shaken(count, strength, seed=0):
    """Wind: a mast that swings and trembles, pixels."""
    rng = np.random.default_rng(seed)
    t = np.arange(count) / RATE
    x = strength * (np.sin(2.1 * t) + 0.5 * np.sin(7.3 * t + 1)) + rng.normal(0, 0.2 * strength, count)
    y = 0.5 * strength * np.sin(3.3 * t + 2)
    turn = 0.05 * strength * np.sin(1.3 * t)
    return [moved(x[i] - x[0], y[i] - y[0], turn[i] - turn[0]) for i in range(count)]


def crossings(motions, people, line=LINE, **how):
    frames, boxes = filmed(motions, people, **how)
    return watch(frames, Told(boxes), line=line, name="mast")


def told(result):
    return [(c.direction, c.time_us) for c in result.crossings]


STILL = [np.eye(3)] * 80
OVER = [lambda t: (250 + 18 * t, 200.0), lambda t: (400 - 22 * t, 300.0)]
BESIDE = [lambda _: (306.0, 150.0), lambda t: (340.0, 250 + 3 * t), lambda t: (312 - 1.5 * t, 330.0)]


def pan(count, reach, begin=20, end=50):
    """Looks to the right from `begin` to `end`, by `reach` pixels, and back."""
    turned = np.interp(np.arange(count), [begin, begin + 12, end, end + 12], [0, reach, reach, 0])
    return [moved(-x) for x in turned]
