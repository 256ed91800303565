"""Which of the shipped detectors serves a video: by the sensor that took it.

One small network does not see heat and daylight equally well. A thermal camera that shows white for hot or for cold
gives pictures without colour; so does a daylight camera at dusk or one set to grey, and a thermal camera with false
colours does not. Whoever knows better says so; what was chosen, and why, is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError

__all__ = ["SENSORS", "SHIPPED_MODELS", "ModelChoice", "choose_model", "sensor_of"]

_FOLDER = Path(__file__).parent / "models"

SHIPPED_MODELS: Mapping[str, Path] = MappingProxyType(
    {sensor: _FOLDER / f"vedette-{sensor}-yolo11n.onnx" for sensor in ("thermal", "daylight")}
)
"""The detector for each sensor; `MODEL_CARD.md` beside them tells what they find, and how well."""

SENSORS = ("auto", *SHIPPED_MODELS)
"""What may be asked for."""

_STEP = 4  # every fourth pixel each way is enough to tell
_COLOURED_SHARE = 0.05  # a symbol or a line of text in colour does not make a picture one in colour
_GREY_LEVELS = 2.5  # what a codec leaves of a grey picture is 1 at most, of the dullest colour one measured 4


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The shipped detector that was chosen.

    Parameters
    ----------
    sensor
        A key of `SHIPPED_MODELS`.
    path
        The model file.
    why
        In words, for people.
    """

    sensor: str
    path: Path
    why: str


def sensor_of(image: NDArray[np.uint8]) -> str:
    """Sensor of a picture, shape (height, width, 3), uint8: "thermal" where it has no colour, else "daylight".

    One tint all over, as of green phosphor or of a decoder's rounding, is no colour.
    """
    few = image[::_STEP, ::_STEP].astype(np.int16)
    hue = few[..., [0, 2]] - few[..., [1]]
    apart = np.abs(hue - np.median(hue, axis=(0, 1))).max(axis=2)
    return "thermal" if float(np.quantile(apart, 1 - _COLOURED_SHARE)) < _GREY_LEVELS else "daylight"


def choose_model(image: NDArray[np.uint8], sensor: str = "auto") -> ModelChoice:
    """The shipped detector for a video.

    Parameters
    ----------
    image
        Its first picture, shape (height, width, 3), uint8.
    sensor
        "thermal" or "daylight" where it is known; "auto" looks at the picture.

    Raises
    ------
    ModelError
        When the sensor is none of these.
    """
    if sensor not in SENSORS:
        raise ModelError(f"sensor {sensor!r} has no detector: give one of {', '.join(SENSORS)}")
    if sensor != "auto":
        return ModelChoice(sensor, SHIPPED_MODELS[sensor], "as asked for")
    found = sensor_of(image)
    why = "its pictures have no colour" if found == "thermal" else "its pictures have colour"
    return ModelChoice(found, SHIPPED_MODELS[found], why)
