"""Models by name: those that ship, and those of the user, with what tables say of them."""

import json
import re

import pytest

from tests.vision.tiny_models import ANSWER, tiny_model
from vision import SHIPPED_MODELS, ModelError, default_model_dir, file_sha256, find_model, list_models, read_model_table

CARD = next(iter(SHIPPED_MODELS.values())).with_name("MODEL_CARD.md")


def test_the_shipped_table_fits_the_files_and_the_card(tmp_path):
    """Hashes are those of the files, and every figure stands in the model card, in a row with its number of objects."""
    listed = list_models(tmp_path)
    assert [one.path for one in listed] == list(SHIPPED_MODELS.values())
    rows = [line for line in CARD.read_text().splitlines() if line.startswith("|")]
    for sensor, one in zip(SHIPPED_MODELS, listed, strict=True):
        assert one.problem is None
        assert one.shipped
        assert one.entry.sha256 == file_sha256(one.path)
        assert one.entry.sensor == sensor
        assert len(one.entry.figures) > 1
        for figure in one.entry.figures:
            told = [
                row for row in rows if f"{figure['ap50']:.3f}" in row and re.search(rf"\b{figure['objects']}\b", row)
            ]
            assert told, figure
            assert any(figure["class"] in row or "people" in row for row in told)
        assert one.file.about["licence"] == "AGPL-3.0-or-later"


def write_table(folder, **entries):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models.json").write_text(json.dumps(entries))


def test_own_models_are_listed_with_what_their_table_says(tmp_path):
    path = tiny_model(tmp_path / "desert.onnx", ANSWER, extra={"licence": "own", "sensor": "thermal"})
    figure = {"images": "our range", "class": "person", "objects": 40, "px": 640, "ap50": 0.9}
    write_table(tmp_path, desert={"sha256": file_sha256(path), "figures": [figure]})
    (tmp_path / ".desert.tmp.onnx").write_bytes(b"left by a crash")
    own = list_models(tmp_path)[len(SHIPPED_MODELS) :]
    assert [(one.path, one.shipped, one.problem) for one in own] == [(path, False, None)]
    assert own[0].entry.figures == (figure,)
    assert own[0].file.about == {"licence": "own", "sensor": "thermal"}
    assert find_model("desert", tmp_path) == path


def test_a_model_that_is_not_what_the_table_says_is_not_used(tmp_path):
    path = tiny_model(tmp_path / "desert.onnx", ANSWER)
    write_table(tmp_path, desert={"sha256": "0" * 64})
    assert "do not use it" in list_models(tmp_path)[-1].problem
    with pytest.raises(ModelError, match=rf"its hash is {file_sha256(path)}, not 0000.*do not use it"):
        find_model("desert", tmp_path)


def test_a_broken_file_among_them_hides_no_other(tmp_path):
    (tmp_path / "broken.onnx").write_text("no model")
    tiny_model(tmp_path / "sound.onnx", ANSWER)
    own = list_models(tmp_path)[len(SHIPPED_MODELS) :]
    assert [(one.path.stem, one.file is None) for one in own] == [("broken", True), ("sound", False)]
    with pytest.raises(ModelError, match=r"broken\.onnx: is not an ONNX model"):
        find_model("broken", tmp_path)


def test_a_name_or_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain").write_text("a file without a suffix")
    assert find_model("plain") == find_model("plain", tmp_path)
    assert str(find_model("away/model")) == "away/model"  # whoever opens it says that it is not there
    assert str(find_model("away.onnx")) == "away.onnx"
    assert find_model("vedette-thermal-yolo11n", tmp_path) == SHIPPED_MODELS["thermal"]
    with pytest.raises(ModelError, match="nobody: there is no such file, and no model of that name"):
        find_model("nobody", tmp_path)


def test_where_they_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("VEDETTE_MODELS", str(tmp_path / "a"))
    assert default_model_dir() == tmp_path / "a"
    monkeypatch.delenv("VEDETTE_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_model_dir() == tmp_path / "vedette" / "models"


GOOD = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no table of models"),
        ("[]", "is no table of models"),
        (json.dumps({"a": {}}), "KeyError: 'sha256'"),
        (json.dumps({"a": {"sha256": "xyz"}}), "sha256 is 64 digits"),
        (json.dumps({"a": GOOD | {"url": 3}}), "all else text"),
        (json.dumps({"a": GOOD | {"hash": ""}}), r"members that are unknown \['hash'\]"),
        (json.dumps({"../a": GOOD}), "name '../a'"),
        (json.dumps({"a": GOOD | {"figures": [{"ap50": 1}]}}), "figures have images"),
        (json.dumps({"vedette-thermal-yolo11n": GOOD}), "is the name of a shipped model"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    (tmp_path / "models.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_model_table(tmp_path)
