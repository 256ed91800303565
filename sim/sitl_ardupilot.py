"""What ArduPilot's own simulator has to be told before its vehicles can be armed and flown.

The executable by itself has neither a frame nor a calibration, and is never armed: its scripts give it files of
parameters, which do not come with it (seen on 4.7-dev of July 2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

__all__ = ["frame_params", "own_defaults"]

# Whatever is not exactly nothing passes for a calibration (AP_InertialSensor::accel_calibrated_ok_all). Of
# accelerometers it simulates two: a third that has figures and is not there fails the check too.
_CALIBRATED = {
    **{f"INS_ACC{which}OFFS_{axis}": 0.001 for which, axis in product(("", "2"), "XYZ")},
    **{f"INS_ACC{which}SCAL_{axis}": 1.001 for which, axis in product(("", "2"), "XYZ")},
    # The field that its model of the magnetometers adds (SIM_MAG1_OFS and its fellows).
    **{
        f"COMPASS_OFS{which}_{axis}": value
        for which, (axis, value) in product(("", "2", "3"), (("X", 5.0), ("Y", 13.0), ("Z", -18.0)))
    },
}
_COPTER = {**_CALIBRATED, "FRAME_TYPE": 0.0, "BATT_MONITOR": 4.0}
_FRAMES: Mapping[str, Mapping[str, float]] = {
    "quad": {**_COPTER, "FRAME_CLASS": 1.0},
    "copter": {**_COPTER, "FRAME_CLASS": 1.0},
    "hexa": {**_COPTER, "FRAME_CLASS": 2.0},
    "octo": {**_COPTER, "FRAME_CLASS": 3.0},
    "plane": {},
    # It does not arm while Q_ASSIST_SPEED is 0.
    "vtol": {**_CALIBRATED, "BATT_MONITOR": 4.0, "Q_ENABLE": 1.0, "Q_ASSIST_SPEED": 12.0},
}
# The plane of the simulator has gains of its own, which are in the executable.
_OWN = {"plane": ("@ROMFS/models/plane.parm",)}


def frame_params(frame: str) -> dict[str, float]:
    """Parameters that a frame of `FleetConfig` needs to be armed, and to say its battery."""
    return dict(_FRAMES[frame])


def own_defaults(frame: str) -> tuple[str, ...]:
    """Files of parameters within the executable that go before those."""
    return _OWN.get(frame, ())
