"""ByteTrack and BoT-SORT of `trackers` as peers of tracks: a video and its boxes in, boxes with ids out, both JSON.

``.venv-vision-peers/bin/python -m bench.peer_tracks ORDER TOLD`` (``make vision-peers``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker

TRACKERS = {"bytetrack": ByteTrackTracker, "botsort": BoTSORTTracker}


def tracked(order: dict[str, Any]) -> list[list[list[float]]]:
    """For each picture: id and corners of each box that has one."""
    tracker = TRACKERS[order["tracker"]](frame_rate=order["rate"], **order["settings"])
    video = cv2.VideoCapture(order["video"])
    told = []
    for boxes in order["boxes"]:
        read, picture = video.read()
        if not read:
            raise SystemExit("the video has fewer pictures than there are boxes")
        table = np.array(boxes, dtype=np.float32).reshape(-1, 5)
        found = sv.Detections(table[:, :4], confidence=table[:, 4], class_id=np.zeros(len(table), int))
        found = tracker.update(found, frame=picture)
        ids = [] if found.tracker_id is None else found.tracker_id.tolist()
        told.append([[i, *box] for i, box in zip(ids, found.xyxy.tolist(), strict=True) if i >= 0])
    return told


if __name__ == "__main__":
    given, written = map(Path, sys.argv[1:])
    written.write_text(json.dumps(tracked(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
