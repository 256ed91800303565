"""Straight patrol flights along a border, as a flight record would hold them."""

import numpy as np

from geo import LocalFrame
from sim.camera import FlightTrack

LAT, LON, GROUND_M = 31.333, -110.94, 1180.0
EPOCH_US = 1_780_000_000_000_000
BORDER = ((LON - 0.06, LAT), (LON + 0.06, LAT))
"""Eastwards along a parallel: the north, on its left, is the own side."""


def patrol_flight(vehicle=1, sortie=1, *, start_us=EPOCH_US, length_m=2000.0, speed_mps=7.5, east_m=0.0):
    """Eastwards, 58.4 m north of the border, 90 m above ground, looking south at it 57 degrees down."""
    frame = LocalFrame(LAT, LON, GROUND_M)
    time = np.arange(0.0, length_m / speed_mps, 0.2)
    east = east_m + speed_mps * time
    lat, lon, _ = frame.to_geodetic(east, np.full(time.shape, 90 / np.tan(np.radians(57))), 90.0)
    level = np.zeros(time.shape)
    columns = [time, lat, lon, level + GROUND_M + 90, level + 90, level - 3, level, level + 90, level - 57]
    return FlightTrack(vehicle, sortie, start_us, np.stack(columns, axis=1))
