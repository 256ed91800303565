"""Marked pictures: drawn beside the evidence, never into it."""

import json

import cv2
import numpy as np
import pytest

from vision import EvidenceError, write_marked_picture


@pytest.fixture
def evidence(tmp_path):
    folder = tmp_path / "evidence"
    folder.mkdir()
    cv2.imwrite(str(folder / "crossing.png"), np.full((512, 640, 3), 90, np.uint8))
    boxes = [
        {
            "time": f"2026-06-21T04:00:0{second}.000000Z",
            "x1": 100.0 * second,
            "y1": 300.0,
            "x2": 100.0 * second + 9,
            "y2": 318.0,
        }
        for second in range(1, 5)
    ]
    (folder / "overlay.json").write_text(json.dumps({"tracks": [{"boxes": boxes}]}))
    (folder / "record.json").write_text(json.dumps({"time": "2026-06-21T04:00:01.800000Z"}))
    return folder


def test_the_object_of_the_moment_is_marked(evidence, tmp_path):
    before = (evidence / "crossing.png").read_bytes()
    write_marked_picture(evidence, tmp_path / "out" / "a.jpg")
    drawn = np.abs(cv2.imread(str(tmp_path / "out" / "a.jpg")).astype(int) - 90).max(axis=2) > 40
    rows, columns = np.nonzero(drawn[250:400, 150:260])
    # The box of second 2 with 4 pixels around it: x 196 to 213, y 296 to 322.
    assert (columns.min() + 150, columns.max() + 150) == pytest.approx((196, 213), abs=2)
    assert (rows.min() + 250, rows.max() + 250) == pytest.approx((296, 322), abs=2)
    assert not drawn[250:400, 80:150].any()  # second 1 is not marked
    assert (evidence / "crossing.png").read_bytes() == before


@pytest.mark.parametrize("missing", ["crossing.png", "overlay.json", "record.json"])
def test_incomplete_evidence_is_named(evidence, tmp_path, missing):
    (evidence / missing).unlink()
    with pytest.raises(EvidenceError, match=missing.replace(".", r"\.")):
        write_marked_picture(evidence, tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg").exists()


def test_boxes_that_are_none_are_refused(evidence, tmp_path):
    (evidence / "overlay.json").write_text(json.dumps({"tracks": []}))
    with pytest.raises(EvidenceError, match="do not fit"):
        write_marked_picture(evidence, tmp_path / "a.jpg")
