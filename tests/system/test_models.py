"""``vedette models``: what is there, whether it can be used, and others."""

import hashlib
import json

import pytest

import vision
from tests.vision.tiny_models import ANSWER, tiny_model


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder for models of one's own."""
    monkeypatch.setenv("VEDETTE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_list(run, own):
    ran = run("models", "list", "--json")
    assert ran.code == 0
    shipped = json.loads(ran.out)
    assert [one["sensor"] for one in shipped] == list(vision.SHIPPED_MODELS)
    for one, path in zip(shipped, vision.SHIPPED_MODELS.values(), strict=True):
        assert one["sha256"] == vision.file_sha256(path)
        assert one["classes"] == ["person", "vehicle", "bicycle", "animal"]
        assert one["licence"] == "AGPL-3.0-or-later"
        assert "HIT-UAV" in one["trained on"]
        assert one["figures"]
    ran = run("models", "list")
    told = ran.out.replace("\n", "")
    assert ran.code == 0
    for name in (*(path.stem for path in vision.SHIPPED_MODELS.values()), "AP50 0.867", "1004 objects"):
        assert name in told
    assert all(one["sha256"] in ran.out for one in shipped)  # whole, so that it can be copied, at 80 columns too


def test_fetch_check_and_watch_by_name(run, own, tmp_path, shared_data):
    given = shared_data("weights/coco-yolo11n.onnx")
    digest = hashlib.sha256(given.read_bytes()).hexdigest()
    ran = run("models", "fetch", given.as_uri(), "--sha256", "0" * 64)
    assert ran.code == 1
    assert "not what was asked for" in " ".join(ran.err.split())
    assert not own.exists() or list(own.iterdir()) == []
    ran = run("models", "fetch", given.as_uri(), "--sha256", digest, "--name", "street")
    assert ran.code == 0, ran.err
    ran = run("models", "check", "street")
    assert ran.code == 0, ran.err
    told = " ".join(ran.out.split())
    assert f"sha256 {digest}" in told
    assert "80 classes, reported: person as person" in told
    assert "onnxruntime: [1, 3, 640, 640] -> [1, 84, 8400]" in told
    assert "can be used" in told
    assert "street" in run("models", "list").out
    video = shared_data("videos/intel_one-by-one-person-detection.mp4")
    ran = run("watch", video, "--model", "street", "--line", "384,432,384,0", "--fps", "0.2", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "detector street (as given)" in ran.out


def test_what_cannot_be_used_ends_with_an_error(run, own, tmp_path):
    logits = ANSWER.copy()
    logits[0, 4, 0] = 7.5
    path = tiny_model(tmp_path / "logits.onnx", logits)
    ran = run("models", "check", path)
    assert ran.code == 1
    assert "not from 0 to 1: export it with its last layer" in " ".join(ran.err.split())
    for command in (("models", "check", "nobody"), ("watch", "video.mp4", "--model", "nobody", "--line", "0,0,1,1")):
        ran = run(*command)
        assert ran.code == 1
    assert "no model of that name" in " ".join(run("models", "check", "nobody").err.split())
    ran = run("models", "fetch", "https://models.example.org/m.onnx")
    assert ran.code == 1
    assert "give the SHA-256 of the file" in " ".join(ran.err.split())
