"""supervision, trackers and ONNX Runtime as a peer of the whole watch, in a loop as their guides write it.

``.venv-vision-peers/bin/python -m bench.peer_supervision ORDER TOLD`` (``make vision-peers``).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker


def tracked(order: dict[str, Any]) -> dict[str, Any]:
    """Frames, seconds from the opening of the video on, processor seconds, and what was found."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = order["threads"]
    session = onnxruntime.InferenceSession(order["model"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    height, width = order["image_size"]
    session.run(None, {name: np.zeros((1, 3, height, width), np.float32)})
    start, cpu = time.perf_counter(), time.process_time()
    info = sv.VideoInfo.from_video_path(order["video"])
    tracker = ByteTrackTracker(frame_rate=info.fps)
    zone = sv.LineZone(sv.Point(info.width / 2, info.height), sv.Point(info.width / 2, 0))
    frames, boxes, names = 0, 0, set()
    for frame in sv.get_video_frames_generator(order["video"]):
        found = _detections(session, name, frame, order)
        found = tracker.update(found)
        zone.trigger(found)
        frames += 1
        boxes += len(found)
        names |= set([] if found.tracker_id is None else found.tracker_id[found.tracker_id >= 0].tolist())
    spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {
        "frames": frames,
        "seconds": spent,
        "cpu_s": cpu,
        "boxes": boxes,
        "tracks": len(names),
        "counted": zone.in_count + zone.out_count,
    }


def _detections(session: Any, name: str, frame: NDArray[np.uint8], order: dict[str, Any]) -> Any:
    """Letterbox, network, suppression."""
    height, width = order["image_size"]
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(frame, inner)
    blob = cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True)
    table = session.run(None, {name: blob})[0][0].T
    scores = table[:, 4:][:, order["classes"]]
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(scores)), best]
    keep = score > order["confidence"]
    middle, size = table[keep, :2], table[keep, 2:4]
    corners = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    corners = (corners - [left, top] * 2) / scale
    found = sv.Detections(xyxy=corners.astype(np.float32), confidence=score[keep], class_id=best[keep])
    return found.with_nms(threshold=order["iou"])


if __name__ == "__main__":
    given, written = map(Path, sys.argv[1:])
    written.write_text(json.dumps(tracked(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
