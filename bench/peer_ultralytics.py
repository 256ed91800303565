"""``ultralytics track`` as a peer of the whole watch: one video through, with how long it took, both JSON.

``.venv-vision-peers/bin/python -m bench.peer_ultralytics ORDER TOLD`` (``make vision-peers``).

Its predictor imports torchvision, of which it takes non-maximum suppression alone. A CPU build of torch may come
without: then a module of that name hands over the suppression that ultralytics itself brings for such machines.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import types
from pathlib import Path
from typing import Any


def stand_in() -> bool:
    """Put a module named torchvision where there is none; whether that was so."""
    if importlib.util.find_spec("torchvision") is not None:
        return False
    known = importlib.metadata.version

    def version(distribution_name: str) -> str:
        return "0.0" if distribution_name == "torchvision" else known(distribution_name)

    importlib.metadata.version = version
    module = types.ModuleType("torchvision")
    module.__spec__ = importlib.machinery.ModuleSpec("torchvision", None)
    sys.modules["torchvision"] = module
    from ultralytics.utils.nms import TorchNMS  # noqa: PLC0415 - it reads the version above as it is imported

    module.ops = types.SimpleNamespace(nms=TorchNMS.nms)  # type: ignore[attr-defined]
    return True


def tracked(order: dict[str, Any]) -> dict[str, Any]:
    """Frames, seconds from the opening of the video on, processor seconds, and what was found."""
    stood_in = stand_in()
    from ultralytics import YOLO  # noqa: PLC0415 - what stands in has to be there before

    model = YOLO(order["model"], task="detect")
    how = {
        "imgsz": order["image_size"],
        "conf": order["confidence"],
        "iou": order["iou"],
        "classes": order["classes"],
        "device": "cpu",
        "verbose": False,
        "stream": True,
        **({"tracker": order["tracker"]} if order["tracker"] else {}),
    }
    # Once through a part of it: the session is opened and warmed up by then.
    for _, _ in zip(model.track(order["video"], **how), range(3), strict=False):
        pass
    frames, boxes, names = 0, 0, set()
    start, cpu = time.perf_counter(), time.process_time()
    for result in model.track(order["video"], **how):
        frames += 1
        boxes += len(result.boxes)
        names |= set([] if result.boxes.id is None else result.boxes.id.int().tolist())
    spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "frames": frames,
        "seconds": spent,
        "cpu_s": cpu,
        "boxes": boxes,
        "tracks": len(names),
        "stood_in": stood_in,
    }


if __name__ == "__main__":
    given, written = map(Path, sys.argv[1:])
    # It would install what it misses over the network.
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_OFFLINE", "true")
    written.write_text(json.dumps(tracked(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
