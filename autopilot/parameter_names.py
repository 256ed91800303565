"""Parameters that one version of an autopilot calls otherwise than another, and finding which name a vehicle has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["names_of", "value_of"]

# New name to old name. ArduPilot 4.7 moved the MAVLink parameters into a group of their own: MAV1_ is the first link,
# whose stream rates were those of SR0_ (ArduPilot GCS_MAVLink_Parameters.cpp). Plane named its airspeeds anew in 4.5.
_RENAMED = MappingProxyType(
    {
        "MAV_SYSID": "SYSID_THISMAV",
        "MAV_GCS_SYSID": "SYSID_MYGCS",
        "MAV_TELEM_DELAY": "TELEM_DELAY",
        "AIRSPEED_MIN": "ARSPD_FBW_MIN",
        "AIRSPEED_MAX": "ARSPD_FBW_MAX",
    }
)
_OLD = MappingProxyType({old: new for new, old in _RENAMED.items()})
_RATES = (
    "RAW_SENS",
    "EXT_STAT",
    "RC_CHAN",
    "RAW_CTRL",
    "POSITION",
    "EXTRA1",
    "EXTRA2",
    "EXTRA3",
    "PARAMS",
    "ADSB",
)
_NEW_RATE = re.compile(rf"MAV(\d+)_({'|'.join(_RATES)})")
_OLD_RATE = re.compile(rf"SR(\d+)_({'|'.join(_RATES)})")


def names_of(name: str) -> tuple[str, ...]:
    """Every name that a parameter goes by, newest first.

    Parameters
    ----------
    name
        Any of them.

    Examples
    --------
    >>> names_of("SYSID_MYGCS")
    ('MAV_GCS_SYSID', 'SYSID_MYGCS')
    >>> names_of("MAV1_POSITION")
    ('MAV1_POSITION', 'SR0_POSITION')
    >>> names_of("FENCE_TYPE")
    ('FENCE_TYPE',)
    """
    new = _OLD.get(name, name)
    if new in _RENAMED:
        return new, _RENAMED[new]
    old_rate, new_rate = _OLD_RATE.fullmatch(name), _NEW_RATE.fullmatch(name)
    if old_rate is not None:
        return f"MAV{int(old_rate[1]) + 1}_{old_rate[2]}", name
    if new_rate is not None and int(new_rate[1]) > 0:
        return name, f"SR{int(new_rate[1]) - 1}_{new_rate[2]}"
    return (name,)


def value_of(values: Mapping[str, float], name: str) -> float | None:
    """Value of a parameter in a vehicle's table, by whichever of its names is there; None where none is."""
    return next((values[one] for one in names_of(name) if one in values), None)
