"""Rendered training images with their labels, in the layout that YOLO trainers read."""

from __future__ import annotations

import io
import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from geo import Altitude, CameraModel, CameraPose, Datum, atomic_path, write_text
from sim.errors import WorldError
from sim.render import Box, Rendered, Renderer
from sim.render_ground import Ground
from sim.render_sensor import DAY_LOOK, Look
from sim.render_sprite import View
from sim.world import Actor, Road, World, stand, walk

__all__ = ["CLASSES", "DatasetSummary", "write_dataset"]

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

CLASSES = ("person", "vehicle", "bicycle", "animal")
"""Classes of the labels in their order."""

_WIDTH_PX, _HEIGHT_PX = 640, 512
_SCENES_A_GROUND = 12
_LEAST_VISIBLE = 0.25
_LEAST_SIDE_PX = 3.0
_OPTICAL_SPREAD_PX = 0.5
_HORIZON_MARGIN_DEG = 8.0
_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")

# How many of a kind: shares of images, each with the range of counts it takes.
_COUNTS: Mapping[str, Sequence[tuple[float, int, int]]] = {
    "person": ((0.12, 0, 0), (0.40, 1, 3), (0.33, 4, 10), (0.15, 11, 26)),
    "vehicle": ((0.50, 0, 0), (0.38, 1, 3), (0.12, 4, 9)),
    "bicycle": ((0.55, 0, 0), (0.45, 1, 4)),
    "animal": ((0.55, 0, 0), (0.45, 1, 4)),
}
_SPEEDS: Mapping[str, tuple[float, float]] = {
    "person": (1.0, 1.8),
    "vehicle": (5.0, 12.0),
    "bicycle": (3.0, 6.0),
    "animal": (0.6, 1.5),
}
_STILL: Mapping[str, float] = {"person": 0.25, "vehicle": 0.6, "bicycle": 0.1, "animal": 0.4}


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What was written.

    Parameters
    ----------
    images
        Number of images.
    labels
        Number of labelled boxes of each class.
    """

    images: int
    labels: Mapping[str, int]


def write_dataset(
    out_dir: Path,
    count: int,
    seed: int,
    *,
    thermal_share: float = 0.7,
    backgrounds: Path | None = None,
    background_share: float = 0.4,
    val_share: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> DatasetSummary:
    """Write rendered images with exact labels: images/, labels/ (train and val) and data.yaml.

    Each image has a camera of its own (30 to 150 m above ground, 25 to 90 degrees down), a scene of its own, and the
    blur, noise and compression of some camera. The same arguments write the same files.

    Parameters
    ----------
    out_dir
        Folder to make; must not exist or be empty.
    count
        Number of images.
    seed
        Chooses everything.
    thermal_share
        Share of thermal images, the rest are day RGB.
    backgrounds
        Folder of photographs from above, free of people and vehicles, that take the place of the rendered ground
        in `background_share` of the images; turned into greys for thermal ones.
    background_share
        See `backgrounds`.
    val_share
        Share of the images, the last ones, that go into the validation part.
    progress
        Called with the number of images done and `count`.

    Raises
    ------
    WorldError
        When the folder is taken, the count is not positive, a share is not within 0 to 1, or there is no background.
    FileWriteError
        When a file cannot be written; then nothing is left.
    """
    if count < 1 or not all(0 <= share <= 1 for share in (thermal_share, background_share, val_share)):
        raise WorldError(f"data set of {count} images: give a count of 1 or more and shares within 0 to 1")
    if out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir())):
        raise WorldError(f"{out_dir} is not an empty folder: give a new one for the data set")
    photos = _photos(backgrounds)
    part = out_dir.with_name(out_dir.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    labels: Counter[str] = Counter()
    first_val = count - round(count * val_share)
    try:
        for index in range(count):
            group = "train" if index < first_val else "val"
            rendered = _scene(seed, index, thermal_share, photos, background_share)
            labels.update(_write(part, group, f"scene_{seed}_{index:05d}", rendered))
            if progress is not None:
                progress(index + 1, count)
        names = "".join(f"  {i}: {name}\n" for i, name in enumerate(CLASSES))
        val = "val" if first_val < count else "train"
        write_text(part / "data.yaml", f"train: images/train\nval: images/{val}\nnames:\n{names}")
        if out_dir.exists():
            out_dir.rmdir()
        part.replace(out_dir)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return DatasetSummary(count, {name: labels[name] for name in CLASSES})


def yolo_labels(boxes: Sequence[Box]) -> list[str]:
    """Lines `class x y w h`, shares of the image, of the boxes of labelled classes that are visible enough."""
    size = np.array([_WIDTH_PX, _HEIGHT_PX] * 2)
    lines = []
    for box in boxes:
        edges = np.array([box.x1, box.y1, box.x2, box.y2])
        if box.kind not in CLASSES or box.visible < _LEAST_VISIBLE or (edges[2:] - edges[:2]).min() < _LEAST_SIDE_PX:
            continue
        spread = edges + np.array([-1, -1, 1, 1]) * _OPTICAL_SPREAD_PX
        x1, y1, x2, y2 = np.clip(spread / size, 0, 1).tolist()
        lines.append(f"{CLASSES.index(box.kind)} {(x1 + x2) / 2:.6f} {(y1 + y2) / 2:.6f} {x2 - x1:.6f} {y2 - y1:.6f}")
    return lines


def _write(root: Path, group: str, name: str, rendered: Rendered) -> Counter[str]:
    image = rendered.image if rendered.image.ndim == 2 else rendered.image[..., ::-1]
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 96])[1]
    lines = yolo_labels(rendered.boxes)
    content = {
        root / "images" / group / f"{name}.jpg": encoded.tobytes(),
        root / "labels" / group / f"{name}.txt": "".join(f"{line}\n" for line in lines).encode(),
    }
    for path, data in content.items():
        with atomic_path(path) as temporary:  # not write_bytes: thousands of files need not each wait for the disk
            temporary.write_bytes(data)
    return Counter(CLASSES[int(line.split()[0])] for line in lines)


def _photos(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not found:
        raise WorldError(f"{folder} holds no background images: give a folder with {', '.join(_SUFFIXES)} files")
    return found


def _scene(seed: int, index: int, thermal_share: float, photos: list[Path], background_share: float) -> Rendered:
    """One image with its truth."""
    rng = np.random.default_rng([seed, index, 0xDA7A])
    modality = "thermal" if rng.random() < thermal_share else "day"
    look = _thermal_look(rng) if modality == "thermal" else _day_look(rng)
    background = None
    if photos and rng.random() < background_share:
        background = _background(rng, photos[int(rng.integers(len(photos)))], modality, look)
    camera, pose, view = _camera(rng, steep=background is not None)
    ground = _ground(seed, index // _SCENES_A_GROUND)
    world = World(
        0.0, 0.0, 0.0, 0, _actors(rng, view, ground.roads), ground.roads, int(rng.integers(1 << 31)), ground.bushes
    )
    renderer = Renderer(world, camera, modality, look, background=background, ground=ground)
    rendered = renderer.frame(pose, 0)
    return Rendered(_degrade(rng, rendered.image), rendered.boxes)


_GROUNDS: dict[tuple[int, int], Ground] = {}


def _ground(seed: int, block: int) -> Ground:
    """The ground of a block of images: the one kept, or a new one in its place."""
    if (seed, block) not in _GROUNDS:
        _GROUNDS.clear()
        rng = np.random.default_rng([seed, block, 0x960D])
        roads = []
        for _ in range(int(rng.integers(0, 4))):
            along = np.linspace(-500, 500, 21)
            bend = np.cumsum(rng.normal(0, 6, 21)) + rng.uniform(-60, 60)
            angle = rng.uniform(0, math.tau)
            turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
            roads.append(Road(np.stack([along, bend], axis=1) @ turn, float(rng.uniform(1.0, 7.0))))
        _GROUNDS[seed, block] = Ground(int(rng.integers(1 << 31)), tuple(roads), float(rng.uniform(0, 2.5)))
    return _GROUNDS[seed, block]


def _camera(rng: np.random.Generator, *, steep: bool) -> tuple[CameraModel, CameraPose, View]:
    """A camera above the origin of the ground, its pose and its view."""
    camera = CameraModel(_WIDTH_PX, _HEIGHT_PX, float(rng.uniform(800, 1650)))
    highest = -max(25.0, camera.vertical_fov_deg / 2 + _HORIZON_MARGIN_DEG, 50.0 if steep else 0.0)
    height = float(rng.uniform(30, 150))
    # Far oblique views shrink people to nothing: the slanter, the lower.
    pitch = float(rng.uniform(-90, highest))
    height = max(30.0, min(height, 0.11 * camera.focal_px * math.sin(math.radians(-pitch)) * 1.3))
    roll = float(rng.normal(0, 4)) if rng.random() < 0.3 else 0.0
    pose = CameraPose(0.0, 0.0, Altitude(height, Datum.AGL), float(rng.uniform(0, 360)), pitch, roll)
    return camera, pose, View(camera, np.array([0.0, 0.0, height]), pose.rotation_enu_from_camera())


def _actors(rng: np.random.Generator, view: View, roads: tuple[Road, ...]) -> tuple[Actor, ...]:
    """Actors spread over the image, people often in groups, vehicles sometimes on a road."""
    actors: list[Actor] = []
    for kind, table in _COUNTS.items():
        place = np.zeros(2)
        for number in range(_count(rng, table)):
            if number == 0 or kind != "person" or rng.random() < 0.6:
                pixel = rng.uniform(0, 1, (1, 2)) * (_WIDTH_PX, _HEIGHT_PX)
                place = view.on_ground(pixel, 1500.0)[0]
            else:
                place = place + rng.normal(0, 1.1, 2)
            angle = rng.uniform(0, math.tau)
            direction = np.array([math.cos(angle), math.sin(angle)])
            if kind == "vehicle" and roads and rng.random() < 0.5:
                place, direction = _onto(roads[int(rng.integers(len(roads)))], place)
            if rng.random() < _STILL[kind]:
                facing = math.degrees(math.atan2(*direction))
                path = stand(place, start_s=-10, end_s=10, facing_deg=facing)
            else:
                speed = 3.0 if kind == "person" and rng.random() < 0.12 else float(rng.uniform(*_SPEEDS[kind]))
                before = float(rng.uniform(5, 10))
                path = walk(
                    [place - before * speed * direction, place + 10 * speed * direction],
                    speed,
                    start_s=-before,
                    variation=0.0,
                )
            if kind == "vehicle" and any(np.hypot(*(a.path.at(0.0) - place)) < 4 for a in actors):
                continue
            actors.append(Actor(len(actors), kind, path, int(rng.integers(1 << 31))))
    return tuple(actors)


def _count(rng: np.random.Generator, table: Sequence[tuple[float, int, int]]) -> int:
    shares = [share for share, _, _ in table]
    _, low, high = table[int(rng.choice(len(table), p=shares))]
    return int(rng.integers(low, high + 1))


def _onto(road: Road, place: Floats) -> tuple[Floats, Floats]:
    """The vertex of a road nearest to a place, and the road's direction there."""
    nearest = int(np.argmin(np.hypot(*(road.points_m[:-1] - place).T)))
    step = road.points_m[nearest + 1] - road.points_m[nearest]
    return road.points_m[nearest] + 0.3 * step, step / np.hypot(*step)


def _thermal_look(rng: np.random.Generator) -> Look:
    warm_day = rng.random() < 0.25
    return Look(
        level=float(rng.normal(125, 14)),
        gain=float(rng.uniform(80, 155)),
        ground_contrast=float(rng.uniform(0.7, 2.6)),
        body_contrast=float(rng.uniform(0.3, 0.9) if warm_day else rng.uniform(0.85, 1.25)),
        shade=float(rng.uniform(0.1, 0.35)) if warm_day else 0.0,
        sun=_sun(rng),
        blur_px=float(rng.uniform(0.5, 1.2)),
        sharpen=float(rng.uniform(0.0, 1.3)),
        noise=float(rng.uniform(0.2, 2.5)),
        vignette=float(rng.uniform(0, 0.12)),
    )


def _day_look(rng: np.random.Generator) -> Look:
    return Look(
        level=float(rng.uniform(0.7, 1.2)),
        gain=float(rng.uniform(0.8, 1.25)),
        shade=float(rng.uniform(0.3, 0.65)) if rng.random() < 0.75 else 0.0,
        sun=_sun(rng),
        blur_px=float(rng.uniform(0.4, 1.0)),
        sharpen=float(rng.uniform(0.0, 1.0)),
        noise=float(rng.uniform(0.5, 5.0)),
        vignette=DAY_LOOK.vignette,
    )


def _sun(rng: np.random.Generator) -> tuple[float, float]:
    angle, reach = rng.uniform(0, math.tau), rng.uniform(0.3, 2.0)
    return float(reach * math.cos(angle)), float(reach * math.sin(angle))


def _background(rng: np.random.Generator, path: Path, modality: str, look: Look) -> Image:
    """A random window of a photograph; for thermal, greys in which vegetation is cool and the rest varies."""
    photo = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if photo is None:
        raise WorldError(f"{path} is not an image that can be read: take it out of the folder of backgrounds")
    photo = np.asarray(photo[..., ::-1])
    fit = max(_WIDTH_PX / photo.shape[1], _HEIGHT_PX / photo.shape[0])
    scale = max(fit, float(rng.uniform(0.5, 1.0)))
    size = (max(_WIDTH_PX, round(photo.shape[1] * scale)), max(_HEIGHT_PX, round(photo.shape[0] * scale)))
    photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    x, y = (int(rng.integers(0, have - want + 1)) for have, want in zip(size, (_WIDTH_PX, _HEIGHT_PX), strict=True))
    photo = photo[y : y + _HEIGHT_PX, x : x + _WIDTH_PX][:, :: int(rng.choice([-1, 1]))]
    if modality == "day":
        return np.ascontiguousarray(photo, np.uint8)
    weights = np.array([rng.uniform(0.2, 1.0), rng.uniform(-0.6, 0.3), rng.uniform(-0.2, 0.6)])
    grey = cv2.medianBlur(np.ascontiguousarray(photo, np.uint8), 5).astype(np.float32) @ weights.astype(np.float32)
    spread = float(rng.uniform(8, 28)) / look.ground_contrast
    grey = (grey - grey.mean()) / max(float(grey.std()), 1.0) * spread + look.level
    return np.asarray(np.clip(grey, 0, 255), np.uint8)


def _degrade(rng: np.random.Generator, image: Image) -> Image:
    """Motion blur now and then, and mostly the marks of a codec."""
    if rng.random() < 0.12:
        length = int(rng.integers(2, 5))
        kernel = np.zeros((5, 5), np.float32)
        angle = rng.uniform(0, math.pi)
        for step in np.linspace(-length / 2, length / 2, 9):
            kernel[round(2 + step * math.sin(angle)), round(2 + step * math.cos(angle))] = 1
        image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
    chance = rng.random()
    if chance < 0.45:
        quality = int(rng.integers(45, 96))
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.uint8)
    if chance < 0.8:
        return _through_h264(image, int(rng.integers(18, 33)))
    return image


def _through_h264(image: Image, crf: int) -> Image:
    """The image after H.264 at a constant rate factor."""
    import av  # noqa: PLC0415 - takes a while to load, and most simulations need no codec

    grey = image.ndim == 2
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=5, options=options)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="gray" if grey else "rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        decoded = next(container.decode(video=0))
        return np.asarray(decoded.to_ndarray(format="gray" if grey else "rgb24"), np.uint8)
