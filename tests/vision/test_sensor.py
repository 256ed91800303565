"""Which shipped detector serves a video, and that each finds real things of its kind."""

import tarfile

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision import SENSORS, SHIPPED_MODELS, Detector, ModelError, choose_model, open_source, read_model_file, sensor_of

GREY = {"videos/1_60_30_0_00000-00149.mp4", "videos/1_60_70_0_00540-00639.mp4"}
COLOUR = {"videos/vtest.avi", "videos/intel_car-detection.mp4"}


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(80, 200), st.integers(80, 200)),
    st.sampled_from([0, 1, 2]),
    st.integers(-15, 15),
)
def test_a_tint_and_a_symbol_are_no_colour_and_a_field_is(seed, size, channel, tint):
    rng = np.random.default_rng(seed)
    grey = np.repeat(rng.integers(40, 200, (*size, 1)), 3, axis=2)
    grey += rng.integers(0, 2, grey.shape)  # what a codec leaves
    grey[..., channel] += tint
    assert sensor_of(grey.astype(np.uint8)) == "thermal"
    grey[: size[0] // 5, : size[1] // 6, channel] += 30  # a thirtieth of the picture
    assert sensor_of(grey.astype(np.uint8)) == "thermal"
    grey[: size[0] // 2, :, channel] += 8
    assert sensor_of(grey.astype(np.uint8)) == "daylight"


@pytest.mark.parametrize("name", sorted(GREY | COLOUR))
def test_real_recordings_are_told_apart(shared_data, name):
    with open_source(shared_data(name)) as source:
        choice = choose_model(source.first_image)
    assert choice.sensor == ("thermal" if name in GREY else "daylight")
    assert choice.path == SHIPPED_MODELS[choice.sensor]
    assert ("no colour" in choice.why) == (name in GREY)


def test_who_knows_better_is_believed():
    grey = np.full((40, 40, 3), 90, np.uint8)
    assert choose_model(grey).sensor == "thermal"
    assert choose_model(grey, "daylight").path == SHIPPED_MODELS["daylight"]
    assert choose_model(grey, "daylight").why == "as asked for"
    assert set(SENSORS) == {"auto", *SHIPPED_MODELS}
    with pytest.raises(ModelError, match="'infrared' has no detector: give one of auto, thermal, daylight"):
        choose_model(grey, "infrared")


@pytest.mark.parametrize("sensor", SHIPPED_MODELS)
def test_each_shipped_model_knows_our_kinds(sensor):
    file = read_model_file(SHIPPED_MODELS[sensor])
    assert list(file.names.values()) == ["person", "vehicle", "bicycle", "animal"]
    assert file.path.stat().st_size < 11e6


def found_share(model, images, kind):
    """Share of the labelled objects of class `kind` of a tar member's text under a detection's box."""
    detector = Detector(model, backend="onnxruntime", confidence=0.25, image_size=1280)
    hit = wanted = 0
    for image, labels in images:
        height, width = image.shape[:2]
        (found,) = detector.detect([image])
        for _, x, y, _, _ in labels:
            wanted += 1
            hit += any(d.kind == kind and d.x1 <= x * width <= d.x2 and d.y1 <= y * height <= d.y2 for d in found)
    return hit / wanted


def test_daylight_is_for_the_daylight_model(shared_data):
    """Cars of a street that neither model was trained on."""
    images = []
    with tarfile.open(shared_data("datasets/aerial-vehicles.tar")) as tar:
        for number in (75, 90):
            name = f"aerial-vehicles/MunichStreet02-MOS{number}"
            data = np.frombuffer(tar.extractfile(f"{name}.webp").read(), np.uint8)
            lines = tar.extractfile(f"{name}.txt").read().decode().splitlines()
            labels = [row for row in (list(map(float, line.split())) for line in lines) if row[0] <= 2]
            images.append((cv2.imdecode(data, cv2.IMREAD_COLOR), labels))
    assert choose_model(images[0][0]).sensor == "daylight"
    day, thermal = (found_share(SHIPPED_MODELS[sensor], images, "vehicle") for sensor in ("daylight", "thermal"))
    assert day > 0.8
    assert day > thermal + 0.2
