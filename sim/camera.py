"""The camera on a simulated flight: where it truly was, and what its own instruments said."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import Altitude, CameraPose, Datum, LocalFrame, PoseSigma
from sim.errors import WorldError

__all__ = ["MEASURED", "FlightTrack", "PoseNoise", "read_record"]

Floats = NDArray[np.float64]

_COLUMNS = (
    "t_s",
    "lat_deg",
    "lon_deg",
    "amsl_m",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "gimbal_yaw_deg",
    "gimbal_pitch_deg",
)
_ANGLES = (4, 5, 6, 7, 8)
_NAME = re.compile(r"vehicle-(\d+)-sortie-(\d+)\.csv")

MEASURED = PoseSigma(horizontal_m=0.8, vertical_m=1.2, yaw_deg=0.6, pitch_deg=0.3, roll_deg=0.3)
"""Errors of a good multirotor with RTK-less GNSS and a calibrated gimbal: the default of recordings."""
_WHITE_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class FlightTrack:
    """The true trajectory of one sortie.

    Parameters
    ----------
    vehicle
        Number of the vehicle.
    sortie
        Number of its sortie.
    start_us
        Time of t_s = 0, UTC microseconds since the Unix epoch.
    samples
        Rows of t_s, lat_deg, lon_deg, amsl_m, yaw_deg, pitch_deg, roll_deg, gimbal_yaw_deg (to the body),
        gimbal_pitch_deg (to the earth), shape (n, 9), t_s increasing.

    Raises
    ------
    WorldError
        When there are fewer than two rows, a value is not finite, or the time does not increase.
    """

    vehicle: int
    sortie: int
    start_us: int
    samples: Floats
    _smooth: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        name = f"flight of vehicle {self.vehicle}, sortie {self.sortie}"
        samples = np.asarray(self.samples, dtype=float)
        if samples.ndim != 2 or samples.shape[1] != len(_COLUMNS) or len(samples) < 2:
            raise WorldError(f"{name} has samples of shape {samples.shape}: give two rows or more of {len(_COLUMNS)}")
        if not np.isfinite(samples).all() or np.any(np.diff(samples[:, 0]) <= 0):
            raise WorldError(f"{name} holds a value that is not finite or a time that does not increase")
        object.__setattr__(self, "samples", samples)
        smooth = samples.copy()
        smooth[:, _ANGLES] = np.unwrap(smooth[:, _ANGLES], axis=0, period=360.0)
        object.__setattr__(self, "_smooth", smooth)

    @property
    def name(self) -> str:
        """Name of the vehicle, as in "vehicle-1"."""
        return f"vehicle-{self.vehicle}"

    def at(self, time_s: ArrayLike) -> Floats:
        """Samples interpolated to times, seconds since the start, shape (..., 9); angles are unwrapped."""
        t = np.asarray(time_s, dtype=float)
        return np.stack([np.interp(t, self._smooth[:, 0], column) for column in self._smooth.T], axis=-1)

    def pose(self, time_us: int) -> CameraPose:
        """True pose of the camera, its roll held level by the gimbal, at a UTC time in microseconds."""
        row = self.at((time_us - self.start_us) / 1e6).tolist()
        _, lat, lon, amsl, yaw, _, _, gimbal_yaw, gimbal_pitch = row
        return CameraPose(lat, lon, Altitude(amsl, Datum.AMSL), (yaw + gimbal_yaw) % 360.0, gimbal_pitch)

    def attitude(self, time_us: int) -> tuple[float, float, float]:
        """Yaw, pitch and roll of the airframe, degrees, at a UTC time in microseconds."""
        row = self.at((time_us - self.start_us) / 1e6).tolist()
        return row[4] % 360.0, row[5], row[6]


class PoseNoise:
    """What measured poses are off by: a bias that is constant over a recording, and a tenth of it as white noise.

    Parameters
    ----------
    sigma
        One-sigma errors.
    seed
        Chooses them.
    """

    def __init__(self, sigma: PoseSigma, seed: int) -> None:
        self._sigma = sigma
        self._scale = np.array(
            [sigma.horizontal_m, sigma.horizontal_m, sigma.vertical_m, sigma.yaw_deg, sigma.pitch_deg, sigma.roll_deg]
        )
        self._seed = seed
        self.bias = self._scale * np.random.default_rng([seed, 0xB1A5]).standard_normal(6)

    def measured(self, pose: CameraPose, time_us: int) -> CameraPose:
        """The pose that the instruments report at a time when the true one is `pose`."""
        white = np.random.default_rng([self._seed, time_us & 0xFFFFFFFFFFFF, 0x0415E]).standard_normal(6)
        east, north, up, yaw, pitch, roll = (self.bias + _WHITE_SHARE * self._scale * white).tolist()
        frame = LocalFrame(pose.lat_deg, pose.lon_deg, pose.altitude.metres)
        lat, lon, height = (float(v) for v in frame.to_geodetic(east, north, up))
        return replace(
            pose,
            lat_deg=lat,
            lon_deg=lon,
            altitude=Altitude(height, pose.altitude.datum),
            yaw_deg=(pose.yaw_deg + yaw) % 360.0,
            pitch_deg=max(-90.0, min(90.0, pose.pitch_deg + pitch)),
            roll_deg=pose.roll_deg + roll,
            sigma=self._sigma,
        )


def read_record(path: Path, start_us: int) -> FlightTrack:
    """Read the record of a simulated flight, vehicle-<number>-sortie-<number>.csv.

    Parameters
    ----------
    path
        The file.
    start_us
        Time of its t_s = 0, UTC microseconds since the Unix epoch.

    Raises
    ------
    WorldError
        When the name, the header or a row is not that of a flight record.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise WorldError(f"{path} is not named vehicle-<number>-sortie-<number>.csv: give a flight record")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = set(_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise WorldError(f"{path} lacks the columns {', '.join(sorted(missing))}: give a flight record")
            rows = []
            for row in reader:
                try:
                    rows.append([float(row[name]) for name in _COLUMNS])
                except (TypeError, ValueError) as error:
                    raise WorldError(f"{path}, line {reader.line_num}: {error}") from None
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}") from error
    return FlightTrack(int(match[1]), int(match[2]), start_us, np.array(rows).reshape(-1, len(_COLUMNS)))
