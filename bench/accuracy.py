"""Average precision of the shipped detectors on pictures that they were not trained on.

``accuracy/hit-uav-*`` are the held-out sequences of HIT-UAV, ``accuracy/vehicles`` the held-out street of KIT AIS and
three photographs of a DJI drone; their peer is a network of the same size that others trained on COCO, on the same
pictures. ``accuracy/rendered-*`` are rendered recordings of seeds that nobody trained on. People in daylight are
rendered too, 120 m below a camera of 1080p: ``accuracy/daylight`` beside the network that was trained on COCO, and
``accuracy/sliced`` beside the same detector without slices. There is no set of real people from a height.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.rows import Row, wanted
from geo import CameraModel, LocalFrame
from sim import FlightTrack, record, stage
from vision import (
    SHIPPED_MODELS,
    Detector,
    SliceRule,
    SlicingDetector,
    known_sources,
    load_video_truth,
    open_source,
    prepare,
)
from vision.box_scores import FrameBoxes, score_boxes
from vision.evaluation import evaluate_model

__all__ = ["rows"]

_PX = 640
_LAT, _LON, _GROUND_M, _EPOCH_US = 31.333, -110.94, 1180.0, 1_780_000_000_000_000
_BORDER = ((_LON - 0.06, _LAT), (_LON + 0.06, _LAT))
_PITCH_DEG, _SEED, _WINDOWS = -50.0, 77, 4
_SLICE_PX = 8.0
_LEAST = 0.01
# Goal, and what is in the archive that nobody trained on, by row.
_PHOTOGRAPHED = {
    "hit-uav-person": ("hit-uav", "thermal", "person", 0.75, "coco-yolo11n"),
    "hit-uav-vehicle": ("hit-uav", "thermal", "vehicle", 0.85, "coco-yolo11n"),
    "vehicles": ("aerial-vehicles", "daylight", "vehicle", 0.80, "coco-yolo11n"),
}
_RENDERED = "person", "vehicle"
_HELD_OUT = {"hit-uav": ("/val/", "data.yaml"), "aerial-vehicles": ("MunichStreet02-", "DJI_", "classes.txt")}


def rows(data: Path | None, only: str | None) -> Iterator[Row]:
    """Measure.

    Parameters
    ----------
    data
        Folder with ``datasets`` and ``weights``; without it rendered pictures alone are measured.
    only
        As in `bench.vision.rows`.
    """
    asked = [name for name in _PHOTOGRAPHED if wanted(f"accuracy/{name}", only)]
    with tempfile.TemporaryDirectory() as folder:
        if data is not None:
            for archive in dict.fromkeys(_PHOTOGRAPHED[name][0] for name in asked):
                here = [name for name in asked if _PHOTOGRAPHED[name][0] == archive]
                yield from _photographed(data, Path(folder) / archive, archive, here)
        yield from _rendered(data, Path(folder), only)


def _photographed(data: Path, folder: Path, archive: str, names: Sequence[str]) -> Iterator[Row]:
    with tarfile.open(data / "datasets" / f"{archive}.tar") as tar:
        held = [
            one for one in tar.getmembers() if one.isfile() and any(part in one.name for part in _HELD_OUT[archive])
        ]
        tar.extractall(folder, members=held, filter="data")
    (folder / archive / "images" / "train").mkdir(parents=True, exist_ok=True)
    ready = prepare(known_sources(folder), folder / "ready")
    measured: dict[Path, dict[str, tuple[float, int]]] = {}

    def scores(model: Path) -> dict[str, tuple[float, int]]:
        if model not in measured:
            whole = (s for s in evaluate_model(model, ready, image_size=_PX) if (s.tag, s.size) == ("all", "all"))
            measured[model] = {one.kind: (one.ap50, one.objects) for one in whole}
        return measured[model]

    for name in names:
        _, sensor, kind, goal, peer = _PHOTOGRAPHED[name]
        ours, objects = scores(SHIPPED_MODELS[sensor])[kind]
        theirs, _ = scores(data / "weights" / f"{peer}.onnx").get(kind, (0.0, 0))
        said = f"{peer} on the same {objects} objects"
        yield Row(f"accuracy/{name}", ours, "AP50", said, theirs, ours / theirs, f">= {goal}", ours >= goal)


def _rendered(data: Path | None, folder: Path, only: str | None) -> Iterator[Row]:
    if any(wanted(f"accuracy/rendered-{kind}", only) for kind in _RENDERED):
        videos = _recorded(folder / "thermal", "thermal", CameraModel(640, 512, 1125.0), 90.0)
        thermal = Detector(SHIPPED_MODELS["thermal"], confidence=_LEAST, several=True)
        for kind in _RENDERED:
            ap50, objects = _ap50(videos, thermal, kind)
            if objects:
                said = f"{objects} objects at least 3 px and a quarter visible"
                yield Row(f"accuracy/rendered-{kind}", ap50, "AP50", said, goal=">= 0.95", met=ap50 >= 0.95)
    daylight = [name for name in ("daylight", "sliced") if wanted(f"accuracy/{name}", only)]
    if not daylight:
        return
    videos = _recorded(folder / "day", "day", CameraModel(1920, 1080, 3130.0), 120.0)
    day = Detector(SHIPPED_MODELS["daylight"], confidence=_LEAST, several=True)
    plain, objects = _ap50(videos, day, "person")
    if "daylight" in daylight and data is not None:
        coco = Detector(data / "weights" / "coco-yolo11n.onnx", confidence=_LEAST, several=True)
        peer, _ = _ap50(videos, coco, "person")
        said = f"coco-yolo11n on the same {objects} rendered people, {_PX} px"
        yield Row("accuracy/daylight", plain, "AP50", said, peer, plain / peer if peer else None, "> 1", plain > peer)
    if "sliced" in daylight:
        sliced, _ = _ap50(videos, SlicingDetector(day, SliceRule(_SLICE_PX)), "person")
        ratio = sliced / plain if plain else None
        said = f"without slices; {objects} rendered people"
        yield Row("accuracy/sliced", sliced, "AP50", said, plain, ratio, ">= 1.1", ratio is not None and ratio >= 1.1)


def _ap50(videos: Sequence[Path], detector: Detector | SlicingDetector, kind: str) -> tuple[float, int]:
    """Average precision over all pictures, and how many objects there are."""
    frames = []
    for video in videos:
        truth = load_video_truth(video.with_suffix(".truth.json")).boxes
        with open_source(video) as source:
            for frame in source:
                if isinstance(detector, Detector):
                    (found,) = detector.detect([frame.image])
                else:
                    (found,) = detector.detect_frames([frame])
                true = [box for box in truth.frames.get(frame.index, ()) if box.judged]
                frames.append(FrameBoxes(true, found))
    figures = score_boxes(frames, kind, 0.25)
    return (figures.ap50 if figures.objects else 0.0), figures.objects


def _recorded(folder: Path, modality: str, camera: CameraModel, height_m: float) -> list[Path]:
    """Recordings of a flight eastwards along a border, a picture a second."""
    time_s = np.arange(0.0, 400.0, 0.2)
    level, away_m = np.zeros(time_s.shape), height_m / np.tan(np.radians(-_PITCH_DEG))
    local = LocalFrame(_LAT, _LON, _GROUND_M)
    lat, lon, _ = local.to_geodetic(7.5 * (time_s - 200.0), np.full(time_s.shape, away_m), height_m)
    flown = [
        time_s,
        lat,
        lon,
        level + _GROUND_M + height_m,
        level + 90,
        level - 3,
        level,
        level + 90,
        level + _PITCH_DEG,
    ]
    scenario = stage(
        _BORDER,
        "left",
        [FlightTrack(1, 1, _EPOCH_US, np.stack(flown, axis=1))],
        camera,
        _SEED,
        crossings=_WINDOWS,
        windows=_WINDOWS,
        patrol_pitch_deg=_PITCH_DEG,
        ground_amsl_m=_GROUND_M,
    )
    return [one.video for one in record(scenario, folder, fps=1, modality=modality)]
