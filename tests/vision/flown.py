"""Flights past people by geometry alone: frames with measured poses, and a detector that knows the boxes."""

from dataclasses import replace

import numpy as np

from geo import Altitude, CameraModel, CameraPose, Datum, LocalFrame, PoseSigma
from vision.border import BorderLine
from vision.records import ModelRef
from vision.types import Detection, Frame

CAMERA = CameraModel(640, 512, 1125.0)
ORIGIN = LocalFrame(31.333, -110.94, 1180.0)
T0 = 1_790_000_000_000_000
SIGMA = PoseSigma(0.5, 0.5, 0.3, 0.3, 0.3)
MODEL = ModelRef("oracle", "0" * 64)


def border(own_side="left", end=400.0):
    """Runs east, 62 m south of the camera's way: the middle of its view. Own side north."""
    ends = [ORIGIN.to_geodetic(east, -62.0) for east in (-400.0, end)]
    return BorderLine("test", tuple((float(lon), float(lat)) for lat, lon, _ in ends), own_side)


class Oracle:
    """A detector that knows the boxes; pictures carry their number in the first pixels."""

    model = MODEL

    def __init__(self, boxes):
        self.boxes = boxes

    def detect(self, images):
        return [self.boxes[int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])] for image in images]


def numbered(number):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0, :2] = number % 256, number // 256
    return image


def fly(people, *, seconds=14.0, rate=5.0, speed=7.5, seed=0, bias=None, noise=0.7, sigma=SIGMA, start_east=-52.0):
    """Frames with measured poses (true plus a bias of one draw and jitter), and an oracle for their boxes."""
    rng = np.random.default_rng(seed)
    bias = rng.standard_normal(6) if bias is None else np.asarray(bias)
    scale = np.array([sigma.horizontal_m] * 2 + [sigma.vertical_m, sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg])
    frames, boxes = [], []
    for number, time_s in enumerate(np.arange(0, seconds, 1 / rate)):
        at = np.array([start_east + speed * time_s, 0.0, 90.0])
        angles = np.array([180.0 + 0.5 * np.sin(time_s), -57.0 + 0.3 * np.cos(2 * time_s), 0.2])
        error = scale * (bias + 0.05 * rng.standard_normal(6))
        lat, lon, _ = ORIGIN.to_geodetic(*(at + error[:3] * [1, 1, 0])[:2])
        yaw, pitch, roll = angles + error[3:]
        measured = CameraPose(float(lat), float(lon), Altitude(1270.0 + error[2], Datum.AMSL), yaw, pitch, roll, sigma)
        rotation = replace(measured, yaw_deg=angles[0], pitch_deg=angles[1], roll_deg=angles[2])
        frames.append(
            Frame(numbered(number), T0 + round(time_s * 1e6), number, time_s, measured, CAMERA, ground_amsl_m=1180.0)
        )
        found = []
        for person in people:
            body = [
                [person(time_s)[0] + dx, person(time_s)[1] + dy, z]
                for dx in (-0.3, 0.3)
                for dy in (-0.3, 0.3)
                for z in (0, 1.7)
            ]
            pixels = CAMERA.project((np.array(body) - at) @ rotation.rotation_enu_from_camera())
            if CAMERA.contains(pixels).all():
                x1, y1, x2, y2 = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]) + rng.normal(0, noise, 4)
                found.append(Detection(x1, y1, max(x2, x1 + 2), max(y2, y1 + 2), "person", 0.8))
        boxes.append(found)
    return frames, Oracle(boxes)


def walker(east, north, speed_east, speed_north, start_s=0.0):
    return lambda t: (east + speed_east * (t - start_s), north + speed_north * (t - start_s))


# The camera passes east = 0 after 7 s; each crosses the line at -62 then.
INBOUND = walker(0.0, -62.0, 0.2, 1.3, 7.0)
OUTBOUND = walker(6.0, -62.0, -0.3, -1.2, 7.5)
STANDING = walker(3.0, -61.5, 0.0, 0.0)
ALONG = walker(-4.0, -60.0, 1.2, 0.0, 7.0)
