"""Labelled images of several data sets in, one data set of tiles to train on out.

People seen from a patrol height are 6 to 30 px high and a frame holds few of them. Training on whole frames spends
nearly all of its time on empty ground, so `prepare` cuts *tiles* at native resolution around the objects, and some of
bare ground: several times as many objects a second, at the size in pixels at which the drone will see them. Images
held out stay whole.
"""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from vision.errors import VisionError

__all__ = [
    "CLASSES",
    "SYNONYMS",
    "Source",
    "class_id",
    "known_sources",
    "label_text",
    "prepare",
    "read_labels",
    "reviewed_source",
    "write_yaml",
]

CLASSES: tuple[str, ...] = ("person", "vehicle", "bicycle", "animal")
SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "people": "person", "pedestrian": "person", "human": "person",
        "car": "vehicle", "truck": "vehicle", "bus": "vehicle", "minibus": "vehicle",
        "van": "vehicle", "pickup": "vehicle", "othervehicle": "vehicle", "motor vehicle": "vehicle",
        "bike": "bicycle", "cyclist": "bicycle",
        "dog": "animal", "cow": "animal", "sheep": "animal", "horse": "animal", "goat": "animal", "deer": "animal",
    },
)  # fmt: skip
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
_VISIBLE = 0.4  # a box cut by the edge of a tile keeps its label while this share of its area is inside
_BARE = 0.15  # chance that an image also gives one tile placed blindly: ground without objects
_TRIES = 12  # placements tried for each tile


@dataclass(frozen=True)
class Source:
    """One labelled data set and how it is used.

    Attributes
    ----------
    name : str
        Short name, used in file names, in `Stage.mix` and in reports.
    path : Path
        A ``data.yaml``, a folder that holds one, or a flat folder of images, label files and ``classes.txt``.
    held_out : tuple of str
        Patterns (`fnmatch`) of image names that are for evaluation only. Hold out whole sequences or places:
        neighbouring frames of one flight in both halves make the figures worthless.
    tags : Mapping of str to str
        Tag to pattern of image names, e.g. ``{"night": "1_*"}``; evaluation reports each tag by itself.
    zooms : tuple of float
        Scales at which tiles are cut; 1 is native resolution.
    turned : bool
        Write every tile once more, turned by a quarter: from above there is no right way up, and the streets of one
        survey all run one way.
    all_bare : bool
        Every image without objects gives a tile, not one in seven: they were chosen because they deceive. An image
        with objects gives none of bare ground.
    """

    name: str
    path: Path
    held_out: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    zooms: tuple[float, ...] = (1.0,)
    turned: bool = False
    all_bare: bool = False


def known_sources(root: Path) -> tuple[Source, ...]:
    """The sources of the shipped model, as far as their folders are under `root`.

    Parameters
    ----------
    root : Path
        Folder that holds ``hit-uav``, ``aerial-vehicles``, ``rendered-thermal`` and ``rendered-daylight`` (both
        written by ``vedette render``), or some of them.

    Returns
    -------
    tuple of Source

    Raises
    ------
    VisionError
        None of the folders is there.
    """
    rules = (
        # Names begin with 0 by day and 1 by night. The split in data.yaml keeps sequences apart.
        Source("hit-uav", root / "hit-uav", tags={"thermal": "*", "day": "0_*", "night": "1_*"}),
        # One of three streets is held out. So are the three DJI photographs, share-alike, which are never trained on.
        Source(
            "aerial-vehicles",
            root / "aerial-vehicles",
            held_out=("MunichStreet02-*", "DJI_*"),
            tags={"rgb": "*", "kit-ais": "Munich*", "dji": "DJI_*"},
            zooms=(1.0, 0.6, 0.35),
            turned=True,
        ),
        Source("rendered-thermal", root / "rendered-thermal", tags={"rendered-thermal": "*"}),
        Source("rendered-daylight", root / "rendered-daylight", tags={"rendered-daylight": "*"}),
    )
    found = tuple(rule for rule in rules if rule.path.is_dir())
    if not found:
        wanted = ", ".join(rule.name for rule in rules)
        raise VisionError(f"{root}: none of the folders {wanted} is here; give the folder that holds the training data")
    return found


def reviewed_source(path: Path) -> Source:
    """The source that `vision.write_dataset` wrote: judged crossings and false alarms."""
    return Source("reviewed", path, tags={"reviewed": "*"}, all_bare=True)


def prepare(sources: Iterable[Source], out: Path, *, tile_px: int = 640, seed: int = 7) -> Path:
    """Build one YOLO data set out of several.

    Class names are mapped to `CLASSES` by name and `SYNONYMS`. Training images are cut into tiles; images held out
    are copied whole. An image without a label file is taken to show nothing, as YOLO does.

    Parameters
    ----------
    sources : iterable of Source
    out : Path
        New or empty folder. It gets ``images/``, ``labels/``, one ``train-<source>.txt`` a source, ``val.txt``,
        ``data.yaml`` and ``val.csv`` (image, source, tags) for `vision.evaluation`.
    tile_px : int
        Side of a tile, px.
    seed : int
        Places the tiles; the same seed and sources give the same data set.

    Returns
    -------
    Path
        ``out/data.yaml``.

    Raises
    ------
    VisionError
        A label that is malformed, a class name that is not known, an image that cannot be read, or `out` is not
        empty; the message names the file and, in a label file, the line.
    """
    if out.exists() and any(out.iterdir()):
        raise VisionError(f"{out} is not empty: name a new folder for the prepared data")
    out.mkdir(parents=True, exist_ok=True)
    val: list[tuple[str, str, str]] = []
    train_lists: list[str] = []
    for source in sources:
        tiles: list[str] = []
        rng = random.Random(f"{seed} {source.name}")  # noqa: S311 - by source, so that one more changes no other
        for image, class_of, for_val in _images(source):
            boxes = read_labels(image, class_of)
            if for_val:
                name = _place(out, "val", source.name, image.name, boxes)
                shutil.copyfile(image, out / name)
                tags = " ".join(tag for tag, pattern in source.tags.items() if fnmatch(image.name, pattern))
                val.append((name, source.name, tags))
                continue
            pixels = cv2.imread(str(image), cv2.IMREAD_COLOR)
            if pixels is None:
                raise VisionError(f"{image}: not a readable image; mend or remove it")
            cut = list(_tiles(pixels, boxes, tile_px, source, rng))
            if source.turned:
                cut += [_turned(tile, inside) for tile, inside in cut]
            for number, (tile, inside) in enumerate(cut):
                name = _place(out, "train", source.name, f"{image.stem}_{number}.jpg", inside)
                cv2.imwrite(str(out / name), tile, [cv2.IMWRITE_JPEG_QUALITY, 95])
                tiles.append(name)
        if tiles:
            _write_list(out / f"train-{source.name}.txt", tiles)
            train_lists.append(f"train-{source.name}.txt")
    _write_list(out / "val.txt", [name for name, _, _ in val])
    with (out / "val.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("image", "source", "tags"), *val])
    return write_yaml(out / "data.yaml", out, train_lists)


def _images(source: Source) -> Iterator[tuple[Path, Mapping[int, int], bool]]:
    """Every image of a source, sorted, with its class map and whether it is for evaluation."""
    config = source.path / "data.yaml" if source.path.is_dir() else source.path
    splits: list[tuple[Path, bool]]
    if config.is_file():
        told = yaml.safe_load(config.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or "names" not in told or "train" not in told:
            raise VisionError(f"{config}: needs the keys names and train")
        names = dict(told["names"] if isinstance(told["names"], dict) else enumerate(told["names"]))
        root = config.parent / str(told.get("path") or ".")
        splits = [
            (root / str(folder), split != "train")
            for split in ("train", "val", "test")
            for folder in ([told[split]] if isinstance(told.get(split), str) else told.get(split) or [])
        ]
    else:
        config = source.path / "classes.txt"
        if not config.is_file():
            raise VisionError(
                f"{source.path}: neither data.yaml nor classes.txt is here; one of them must name the classes"
            )
        names = dict(enumerate(config.read_text(encoding="utf-8").split("\n")))
        names = {number: name for number, name in names.items() if name.strip()}
        splits = [(source.path, False)]
    class_of = {int(number): _known(str(name), config) for number, name in names.items()}
    for folder, for_val in splits:
        if not folder.is_dir():
            raise VisionError(f"{config}: the folder {folder} that it names does not exist")
        for image in sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES):
            yield image, class_of, for_val or any(fnmatch(image.name, pattern) for pattern in source.held_out)


def class_id(name: str) -> int | None:
    """Number in `CLASSES` of what a data set or a model calls `name`; None for what we do not look for."""
    plain = name.strip().lower().replace("_", " ")
    plain = SYNONYMS.get(plain, plain)
    return CLASSES.index(plain) if plain in CLASSES else None


def _known(name: str, config: Path) -> int:
    number = class_id(name)
    if number is None:
        known = ", ".join(sorted({*CLASSES, *SYNONYMS}))
        raise VisionError(f"{config}: class {name.strip()!r} is none that we know ({known}); rename it or leave it out")
    return number


def read_labels(image: Path, class_of: Mapping[int, int]) -> npt.NDArray[np.float64]:
    """Labels of an image, from the text file that goes with it; none where there is no such file.

    Parameters
    ----------
    image : Path
        Its labels are in the folder called ``labels`` beside the folder called ``images``, or beside the image
        itself.
    class_of : Mapping of int to int
        Number of each class in the file to its number in `CLASSES`.

    Returns
    -------
    ndarray, shape (n, 5)
        Class, then centre x, centre y, width and height in shares of the image.

    Raises
    ------
    VisionError
        A line is malformed; the message names the file and the line.
    """
    parts = list(image.parts)
    if "images" in parts:  # YOLO's rule: the last folder called images has a twin called labels
        parts[len(parts) - 1 - parts[::-1].index("images")] = "labels"
    path = Path(*parts).with_suffix(".txt")
    rows: list[tuple[float, ...]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            given, *box = (float(word) for word in line.split())
        except ValueError:
            raise VisionError(
                f"{where}: {line!r} is not five numbers (class, centre x, centre y, width, height)"
            ) from None
        if len(box) != 4 or not np.isfinite([given, *box]).all() or not given.is_integer():
            raise VisionError(f"{where}: {line!r} is not five numbers (class, centre x, centre y, width, height)")
        if int(given) not in class_of:
            raise VisionError(f"{where}: class {int(given)} has no name in this data set")
        x, y, w, h = box
        if not (0 <= x <= 1 and 0 <= y <= 1 and 0 < w <= 1.001 and 0 < h <= 1.001):
            raise VisionError(
                f"{where}: the box is outside the image; the numbers must be shares of its width and height"
            )
        rows.append((float(class_of[int(given)]), x, y, w, h))
    return np.array(rows, np.float64).reshape(-1, 5)


def _tiles(
    image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float64], side: int, source: Source, rng: random.Random
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]]:
    """Tiles that between them show every object whole, and some bare ground; with labels in shares of the tile."""
    for zoom in source.zooms:
        scaled = image if zoom == 1 else cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        height, width = scaled.shape[:2]
        size = np.array([width, height, width, height])
        corners = np.c_[boxes[:, 1:3] - boxes[:, 3:5] / 2, boxes[:, 1:3] + boxes[:, 3:5] / 2].clip(0, 1) * size
        waiting = list(range(len(corners)))
        rng.shuffle(waiting)
        starts: list[tuple[int, int]] = []
        while waiting:
            x0, y0, x1, y1 = corners[waiting[0]]
            best: tuple[int, int] = (0, 0)
            left_over = waiting
            for _ in range(_TRIES):  # the tile that shows most of what no tile shows yet
                left, top = _start(x0, x1, side, width, rng), _start(y0, y1, side, height, rng)
                whole = (corners >= (left, top, left, top)) & (
                    corners <= (left + side, top + side, left + side, top + side)
                )
                rest = [one for one in waiting[1:] if not whole[one].all()]
                if len(rest) < len(left_over):
                    best, left_over = (left, top), rest
            starts.append(best)
            waiting = left_over
        if not len(boxes) if source.all_bare else rng.random() < _BARE:
            starts.append(
                (_start(0, 0, side, width, rng, anywhere=True), _start(0, 0, side, height, rng, anywhere=True))
            )
        for left, top in starts:
            tile = scaled[top : top + side, left : left + side]
            shown = np.array([tile.shape[1], tile.shape[0]] * 2)
            cut = (corners - (left, top, left, top)).clip(0, shown)
            area, full = np.prod(cut[:, 2:] - cut[:, :2], axis=1), np.prod(corners[:, 2:] - corners[:, :2], axis=1)
            kept = area > _VISIBLE * full
            centre_size = np.c_[(cut[:, :2] + cut[:, 2:]) / 2, cut[:, 2:] - cut[:, :2]] / shown
            yield tile, np.c_[boxes[:, :1], centre_size][kept]


def _turned(
    tile: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """A tile and its labels, turned by a quarter, clockwise."""
    kind, x, y, width, height = boxes.T
    return np.ascontiguousarray(np.rot90(tile, -1)), np.c_[kind, 1 - y, x, height, width]


def _start(low: float, high: float, side: int, length: int, rng: random.Random, *, anywhere: bool = False) -> int:
    """First pixel of a tile on one axis: at random, so that the object from `low` to `high` is inside where it fits."""
    last = max(0, length - side)
    if anywhere:
        return rng.randint(0, last)
    first, final = max(0, int(np.ceil(high)) - side), min(last, int(low))
    return rng.randint(first, final) if first <= final else min(last, max(0, int((low + high - side) / 2)))


def _place(out: Path, split: str, source: str, name: str, boxes: npt.NDArray[np.float64]) -> str:
    """Write the labels of an image; return where the image goes, relative to `out`."""
    label = out / "labels" / split / source / Path(name).with_suffix(".txt")
    image = Path("images") / split / source / name
    label.parent.mkdir(parents=True, exist_ok=True)
    (out / image).parent.mkdir(parents=True, exist_ok=True)
    if label.exists():
        raise VisionError(f"{source}: two images would both become {image}; give them different names")
    label.write_text(label_text(boxes), encoding="utf-8")
    return image.as_posix()


def label_text(boxes: npt.NDArray[np.float64]) -> str:
    """A label file: a line for each row of class, centre x, centre y, width, height in shares, shape (n, 5)."""
    return "".join(f"{int(c)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in boxes)


def _write_list(path: Path, names: Iterable[str]) -> None:
    path.write_text("".join(f"./{name}\n" for name in names), encoding="utf-8")


def write_yaml(path: Path, root: Path, train: Sequence[str], val: str = "val.txt") -> Path:
    """Write the ``data.yaml`` of a data set in `root` whose training images are in the lists `train`; return `path`."""
    told = {"path": str(root.resolve()), "train": list(train), "val": val, "names": dict(enumerate(CLASSES))}
    path.write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    return path
