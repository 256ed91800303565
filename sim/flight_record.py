"""The flight record: what truly happened in a sortie, one CSV file each."""

from __future__ import annotations

from math import degrees
from pathlib import Path
from typing import TYPE_CHECKING

from geo import write_text

if TYPE_CHECKING:
    from sim.flight import Flight

__all__ = ["COLUMNS", "FlightRecord", "state_of"]

COLUMNS = (
    "t_s", "lat_deg", "lon_deg", "amsl_m", "yaw_deg", "pitch_deg", "roll_deg", "gimbal_yaw_deg", "gimbal_pitch_deg",
    "item", "mode", "battery_pct",
)  # fmt: skip
_FORMATS = ("{:.3f}", "{:.9f}", "{:.9f}", "{:.4f}", *("{:.4f}",) * 5, "{:d}", "{:s}", "{:.4f}")
_ROW = ",".join(_FORMATS).format


class FlightRecord:
    """Rows of one sortie, kept in memory and written whole when it ends: a reader never sees half a file.

    Parameters
    ----------
    folder
        Where the records go; made when it is absent.
    sysid, sortie
        Name the file ``vehicle-<sysid>-sortie-<n>.csv``.
    """

    def __init__(self, folder: Path, sysid: int, sortie: int) -> None:
        self.path = folder / f"vehicle-{sysid}-sortie-{sortie}.csv"
        self._rows = [",".join(COLUMNS)]

    def add(self, *values: object) -> None:
        """One row in the order of `COLUMNS`."""
        self._rows.append(_ROW(*values))

    def write(self) -> Path:
        """Write the file in one piece; its path. Raises FileWriteError when it cannot be written."""
        write_text(self.path, "\n".join(self._rows) + "\n")
        return self.path


def state_of(flight: Flight) -> tuple[object, ...]:
    """A row of a flight as it truly is now, in the order of `COLUMNS`; items are numbered as on the wire."""
    body, gimbal, wind = flight.body, flight.gimbal, flight.wind
    lat, lon = flight.estimate.true_place(body, flight.setup.frame)
    roll, pitch = (0.0, 0.0) if flight.landed else body.roll_pitch(wind.mean_e_mps, wind.mean_n_mps)
    return (
        flight.sortie_s,
        lat,
        lon,
        flight.setup.home_amsl_m + body.u,
        flight.true_yaw_deg(lat, lon),
        degrees(pitch),
        degrees(roll),
        gimbal.yaw_deg,
        gimbal.pitch_deg,
        max(0, flight.run.index - flight.dialect.first),
        flight.dialect.spec(flight.mode).name,
        flight.battery.remaining_pct,
    )
