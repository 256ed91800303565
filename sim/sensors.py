"""Ground sensors: which there are, how likely each is to notice what moves near it, and where it says that was.

Four models, three kinds of cue::

    pir      motion    heat that moves through its sector
    seismic  motion    steps and wheels in the ground around it
    beam     infrared  whoever passes between two posts
    acoustic acoustic  a microphone array: hears, and measures the bearing

A target passes a sensor when it moves within its reach. For each pass one quality is drawn from the standard logistic
distribution; the sensor notices the target while *excess + quality > 0*, where the excess is a function of the distance
and kind of the target. The pass is therefore noticed with probability *1 / (1 + exp(-excess))* at its best moment, and
whoever is lucky is noticed farther out. The excess is

- pir and seismic: *(mean reach - distance) / (spread x mean reach)*: logistic in the distance, one half at mean reach;
- beam: the log-odds that such a target breaks the beam long enough, wherever it passes;
- acoustic: *(level - noise - threshold) / spread*, the level *source - 20 log10(distance / 1 m) - 0.005 dB/m x
  distance*: spherical spreading, and the air's absorption near 1 kHz.

The ground is flat, nothing stands in the way, and weather is not modelled. The figures are assumptions of the order
that makers of unattended sensors state, not measurements; a person's voice has 60 dB at 1 m (ISO 9921, normal effort),
a car 70 dB at 7.5 m (as ISO 362 measures it).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import check_coordinates
from sim.errors import ConfigError

__all__ = [
    "SENSOR_MODELS",
    "GroundSensor",
    "SensorModel",
    "detection_probability",
    "excess",
    "ground_sensor",
    "place",
]

Floats = NDArray[np.float64]

# Names of topics are made of them: no separator, no wildcard.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ABSORPTION_DB_PER_M = 0.005


@dataclass(frozen=True, slots=True)
class SensorModel:
    """What sensors of one make have in common.

    Parameters
    ----------
    kind
        Kind of the cue: "motion", "infrared" or "acoustic".
    law
        "reach", "beam" or "level", as the module says.
    targets
        By kind of target: mean reach in metres, probability to break the beam, or level at 1 m in dB.
    spread
        Width of the law: a share of the mean reach, or dB; a beam has none.
    noise_db
        Level of the surroundings by day and by night.
    threshold_db
        Level above the surroundings that is noticed in one of two passes.
    bearing_sigma_deg
        One-sigma error of the bearing that it measures; None where it measures none.
    """

    kind: str
    law: str
    targets: Mapping[str, float]
    spread: float = 1.0
    noise_db: tuple[float, float] = (0.0, 0.0)
    threshold_db: float = 0.0
    bearing_sigma_deg: float | None = None


SENSOR_MODELS: Mapping[str, SensorModel] = MappingProxyType(
    {
        "pir": SensorModel(
            "motion", "reach", {"person": 35.0, "vehicle": 80.0, "bicycle": 35.0, "animal": 22.0}, spread=0.12
        ),
        "seismic": SensorModel(
            "motion", "reach", {"person": 30.0, "vehicle": 180.0, "bicycle": 12.0, "animal": 20.0}, spread=0.18
        ),
        "beam": SensorModel("infrared", "beam", {"person": 0.98, "vehicle": 0.999, "bicycle": 0.97, "animal": 0.75}),
        "acoustic": SensorModel(
            "acoustic",
            "level",
            {"person": 60.0, "vehicle": 87.5, "bicycle": 52.0, "animal": 50.0},
            spread=2.0,
            noise_db=(45.0, 35.0),
            threshold_db=3.0,
            bearing_sigma_deg=6.0,
        ),
    }
)
"""Every model of sensor that may stand in the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundSensor:
    """One sensor in its place. `ground_sensor` makes one with the usual figures of its model.

    Parameters
    ----------
    id
        Its name, unique among its like: letters, digits, dots, dashes and underscores.
    model
        A key of `SENSOR_MODELS`.
    lat_deg, lon_deg
        Where it stands, degrees WGS 84; of a beam, its first post.
    heading_deg
        Middle of its sector, or from the first post of a beam to the second, degrees clockwise from north.
    range_m
        Nothing farther away is noticed; the length of a beam.
    field_deg
        Opening of its sector, 360 all around; no matter for a beam.
    latency_s, jitter_s
        From the event to the report: what it always takes, and the mean of an exponential part on top.
    hold_off_s
        How long it is deaf after an event; what is still there then makes the next.
    false_day_per_h, false_night_per_h
        Mean number of false alarms an hour while the sun is up, and while it is not (Poisson).
    heartbeat_s
        Time between heartbeats; 0 for none.
    battery_h, battery_pct
        Hours that a full battery lasts, and its charge at the start, percent; an empty sensor is silent.

    Raises
    ------
    ConfigError
        When a name or a figure cannot be simulated.
    CoordinateError
        When the place is not on the globe.
    """

    id: str
    model: str
    lat_deg: float
    lon_deg: float
    heading_deg: float
    range_m: float
    field_deg: float
    latency_s: float
    jitter_s: float
    hold_off_s: float
    false_day_per_h: float
    false_night_per_h: float
    heartbeat_s: float
    battery_h: float
    battery_pct: float

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ConfigError(f"sensor id {self.id!r}: give 1 to 64 letters, digits, dots, dashes or underscores")
        if self.model not in SENSOR_MODELS:
            raise ConfigError(f"sensor {self.id}: model {self.model!r} is unknown: give {', '.join(SENSOR_MODELS)}")
        check_coordinates(self.lat_deg, self.lon_deg, f"sensor {self.id}")
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigError(f"sensor {self.id}: {name} is {value}: give a figure between {low:g} and {high:g}")

    @property
    def kind(self) -> str:
        """Kind of its cues."""
        return SENSOR_MODELS[self.model].kind


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "heading_deg": (-360.0, 360.0),
    "range_m": (1.0, 5000.0),
    "field_deg": (1.0, 360.0),
    "latency_s": (0.0, 3600.0),
    "jitter_s": (0.0, 3600.0),
    "hold_off_s": (0.1, 86_400.0),
    "false_day_per_h": (0.0, 3600.0),
    "false_night_per_h": (0.0, 3600.0),
    "heartbeat_s": (0.0, 604_800.0),
    "battery_h": (0.01, 1e6),
    "battery_pct": (0.0, 100.0),
}

_USUAL: Mapping[str, float] = {
    "heading_deg": 0.0,
    "range_m": 100.0,
    "field_deg": 360.0,
    "latency_s": 1.0,
    "jitter_s": 0.5,
    "hold_off_s": 10.0,
    "false_day_per_h": 0.1,
    "false_night_per_h": 0.1,
    "heartbeat_s": 600.0,
    "battery_h": 2000.0,
    "battery_pct": 100.0,
}
# Sun and warm wind trouble a PIR; cattle, wind and rain the ground; birds and fog a beam; a noisy day the microphones.
_OF_MODEL: Mapping[str, Mapping[str, float]] = {
    "pir": {"field_deg": 90.0, "false_day_per_h": 0.4, "false_night_per_h": 0.1},
    "seismic": {"range_m": 200.0, "false_day_per_h": 0.3, "false_night_per_h": 0.15},
    "beam": {"range_m": 60.0, "latency_s": 0.3, "jitter_s": 0.2, "hold_off_s": 2.0, "false_day_per_h": 0.05},
    "acoustic": {"range_m": 500.0, "latency_s": 2.0, "false_day_per_h": 0.6, "false_night_per_h": 0.2},
}


def ground_sensor(id: str, model: str, lat_deg: float, lon_deg: float, **figures: float) -> GroundSensor:  # noqa: A002 - as the field
    """A sensor with the usual figures of its model, but for those that are given.

    Parameters
    ----------
    id, model, lat_deg, lon_deg
        As in `GroundSensor`.
    figures
        Any other of its fields.

    Raises
    ------
    ConfigError, CoordinateError
        As `GroundSensor` does, and for a figure that sensors do not have.
    """
    unknown = sorted(set(figures) - set(_USUAL))
    if unknown:
        raise ConfigError(f"sensor {id}: {unknown[0]} is no figure of a sensor: it has {', '.join(_USUAL)}")
    own = _OF_MODEL.get(model, {})
    return GroundSensor(id=id, model=model, lat_deg=lat_deg, lon_deg=lon_deg, **{**_USUAL, **own, **figures})


def excess(model: str, target: str, distance_m: ArrayLike, *, day: ArrayLike = False) -> Floats:
    """Log-odds that a sensor notices a target at its best moment.

    Parameters
    ----------
    model
        A key of `SENSOR_MODELS`.
    target
        A key of `sim.world.KINDS`.
    distance_m
        Distances, metres, shape (...).
    day
        Whether the sun is up, shape (...).
    """
    make, distance = SENSOR_MODELS[model], np.asarray(distance_m, dtype=float)
    figure = make.targets[target]
    if make.law == "beam":
        return np.full(distance.shape, math.log(figure / (1 - figure)))
    if make.law == "reach":
        return np.asarray((figure - distance) / (make.spread * figure))
    level = figure - 20 * np.log10(np.maximum(distance, 1.0)) - _ABSORPTION_DB_PER_M * distance
    noise = np.where(day, *make.noise_db)
    return np.asarray((level - noise - make.threshold_db) / make.spread)


def detection_probability(model: str, target: str, distance_m: ArrayLike, *, day: ArrayLike = False) -> Floats:
    """Probability that a pass is noticed whose best moment is at a distance; parameters as in `excess`."""
    odds = excess(model, target, distance_m, day=day)
    return np.asarray(0.5 * (1 + np.tanh(odds / 2)))


def place(sensor: GroundSensor, bearing_deg: float | None = None) -> tuple[float, float, float]:
    """Where a sensor says that an event was, and how sure it is.

    It does not know how far away the target is, and takes every distance within its range and every bearing within its
    field to be as likely, but for a bearing that it measures; along a beam every point is.

    Returns
    -------
    tuple
        Distance in metres and bearing in degrees from the sensor, and the uncertainty in metres: one standard deviation
        of a coordinate, the root of half the mean squared distance between the place and the target.
    """
    reach, sigma = sensor.range_m, SENSOR_MODELS[sensor.model].bearing_sigma_deg
    if SENSOR_MODELS[sensor.model].law == "beam":
        return reach / 2, sensor.heading_deg % 360.0, reach / math.sqrt(24)
    if bearing_deg is not None and sigma is not None:
        blur = math.exp(-(math.radians(sigma) ** 2) / 2)
        return reach / 2, bearing_deg % 360.0, reach * math.sqrt((7 / 12 - blur / 2) / 2)
    half = math.radians(sensor.field_deg) / 2
    away = reach / 2 * math.sin(half) / half
    return away, sensor.heading_deg % 360.0, math.sqrt((reach**2 / 3 - away**2) / 2)
