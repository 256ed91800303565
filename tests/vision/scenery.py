"""Pictures of a textured scene through a camera whose motion is known: what a warp does, not what a matcher thinks."""

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 360


def scenery(seed, width=WIDTH, height=HEIGHT, margin=400):
    """A picture of blobs of all sizes, larger than what the camera shows of it: shape (h, w, 3), uint8."""
    rng = np.random.default_rng(seed)
    shape = height + 2 * margin, width + 2 * margin
    picture = np.zeros(shape, np.float32)
    for size, weight in ((3, 1.0), (8, 1.2), (25, 1.5), (80, 1.5)):
        small = rng.standard_normal((shape[0] // size + 2, shape[1] // size + 2)).astype(np.float32)
        picture += weight * cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    picture = (120 + 22 * picture).clip(0, 255).astype(np.uint8)
    return np.repeat(picture[..., None], 3, axis=2)


def seen(world, motion=None, *, width=WIDTH, height=HEIGHT, margin=400, noise=0.0, rng=None):
    """The world through a camera: `motion` takes pixels of the picture at rest to those of this one, shape (3, 3)."""
    at_rest = np.array([[1, 0, -margin], [0, 1, -margin], [0, 0, 1.0]])
    # OpenCV counts from the middle of the first pixel, geo from its corner.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    matrix = np.linalg.inv(half) @ (np.eye(3) if motion is None else motion) @ at_rest @ half
    picture = cv2.warpPerspective(world, matrix, (width, height), flags=cv2.INTER_LINEAR)
    if noise:
        picture = grainy(picture, noise, rng)
    return picture


def grainy(picture, sigma, rng):
    """The picture with noise of a sensor, normal and another in each channel of each pixel; the picture stays.

    NumPy takes five times as long for it, which is most of what such a test takes. OpenCV's own sequence is one a
    thread: it is begun anew for each picture, so that the same `rng` gives the same noise wherever it is asked.
    """
    noise = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(1, 2**31)))
    cv2.randn(noise.reshape(len(picture), -1), 0, sigma)  # of a picture with channels it would fill the first
    return cv2.add(picture, noise, dtype=cv2.CV_8U)


def moved(x=0.0, y=0.0, turn_deg=0.0, zoom=1.0, tilt=(0.0, 0.0), width=WIDTH, height=HEIGHT):
    """A homography about the middle of the picture: shift, turn, zoom and tilt (of the last row, 1 / pixels)."""
    c, s = zoom * np.cos(np.radians(turn_deg)), zoom * np.sin(np.radians(turn_deg))
    core = np.array([[c, -s, x], [s, c, y], [tilt[0], tilt[1], 1.0]])
    middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    return middle @ core @ np.linalg.inv(middle)


def apply(matrix, points):
    """Points, shape (n, 2), under a homography."""
    mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def grid(width=WIDTH, height=HEIGHT):
    """Points all over the picture."""
    x, y = np.meshgrid(np.linspace(20, width - 20, 7), np.linspace(20, height - 20, 5))
    return np.stack([x.ravel(), y.ravel()], axis=1)
