"""supervision's `LineZone` behind ByteTrack as a peer of crossings: boxes in, counted passages out, both JSON.

``.venv-vision-peers/bin/python -m bench.peer_linezone ORDER TOLD`` (``make vision-peers``).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from trackers import ByteTrackTracker


def counted(order: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """For each line: the frame, the way and the foot of every passage."""
    zones = {
        name: sv.LineZone(sv.Point(*ends[0]), sv.Point(*ends[-1]), triggering_anchors=[sv.Position.BOTTOM_CENTER])
        for name, ends in order["lines"].items()
    }
    tracker = ByteTrackTracker(frame_rate=order["rate"])
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in zones}
    for number, boxes in enumerate(order["boxes"]):
        table = np.array(boxes, dtype=np.float32).reshape(-1, 5)
        found = sv.Detections(table[:, :4], confidence=table[:, 4], class_id=np.zeros(len(table), int))
        tracked = tracker.update(found)
        if tracked.tracker_id is None:
            continue
        tracked = tracked[tracked.tracker_id >= 0]
        feet = tracked.get_anchors_coordinates(sv.Position.BOTTOM_CENTER)
        for name, zone in zones.items():
            for out, crossed in enumerate(zone.trigger(tracked)):
                told[name] += [{"frame": number, "out": out, "foot": feet[k].tolist()} for k in np.flatnonzero(crossed)]
    return told


if __name__ == "__main__":
    given, written = map(Path, sys.argv[1:])
    written.write_text(json.dumps(counted(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
