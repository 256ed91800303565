"""How high autopilots fly the legs of wings, from what their sources say of heights, in calm air along the very line.

ArduPlane 4.7 (`ArduPlane/altitude.cpp`, `libraries/AP_TECS/AP_TECS.cpp`): between waypoints that differ by
ALT_SLOPE_MIN or more the height asked for is in proportion to the way, else it is that of the next; it is limited to
TECS_CLMB_MAX and TECS_SINK_MAX and passes a low-pass filter of TECS_HDEM_TCONST, which is what is flown.

PX4 1.16 (`FixedWingModeManager.cpp`, `src/lib/tecs/TECS.cpp`): the height asked for is that of the next waypoint at the
switch distance before it; the rate of climb is FW_T_HRATE_FF of its rate and the error over FW_T_ALT_TC.
"""

import numpy as np

STEP_S = 0.1
ALT_SLOPE_MIN_M, TECS_HDEM_TCONST_S = 15.0, 3.0
FW_T_ALT_TC_S, FW_T_HRATE_FF = 5.0, 0.3
SWITCH_S = 0.32 * 10.0 * 0.7
"""NPFG_SW_DST_MLT of NPFG_PERIOD times NPFG_DAMPING."""


class Line:
    """The ends of legs, metres along them, their heights, AMSL, and when they are passed, seconds."""

    def __init__(self, legs):
        legs = [leg for leg in legs if leg.distance_m > 0]
        self.along_m = np.concatenate([[0.0], np.cumsum([leg.distance_m for leg in legs])])
        self.height_m = np.array([legs[0].start.amsl_m, *(leg.end.amsl_m for leg in legs)])
        self.time_s = np.concatenate([[0.0], np.cumsum([leg.duration_s for leg in legs])])
        self.lat_deg = np.array([legs[0].start.lat_deg, *(leg.end.lat_deg for leg in legs)])
        self.lon_deg = np.array([legs[0].start.lon_deg, *(leg.end.lon_deg for leg in legs)])

    def at(self, moment_s, values):
        return np.interp(moment_s, self.time_s, values)


def asked_by_ardupilot(line, along_m):
    leg = np.clip(np.searchsorted(line.along_m, along_m, side="right") - 1, 0, len(line.along_m) - 2)
    sloped = np.abs(np.diff(line.height_m))[leg] >= ALT_SLOPE_MIN_M
    return np.where(sloped, np.interp(along_m, line.along_m, line.height_m), line.height_m[leg + 1])


def asked_by_px4(line, along_m, speed_m_s):
    switch_m = SWITCH_S * speed_m_s
    leg = np.clip(np.searchsorted(line.along_m, along_m + switch_m, side="right") - 1, 0, len(line.along_m) - 2)
    low, high = line.height_m[leg], line.height_m[leg + 1]
    length, left = np.diff(line.along_m)[leg], line.along_m[leg + 1] - along_m
    share = np.clip((length - np.minimum(left, length)) / np.maximum(length - switch_m, 1e-9), 0.0, 1.0)
    return np.where(length > switch_m, low + share * (high - low), high)


def flown(legs, craft, autopilot):
    """Latitude, longitude and height AMSL along legs, `STEP_S` apart."""
    line = Line(legs)
    moments = np.arange(0.0, line.time_s[-1], STEP_S)
    along = line.at(moments, line.along_m)
    if autopilot == "ardupilot":
        asked = asked_by_ardupilot(line, along)
    else:
        asked = asked_by_px4(line, along, np.gradient(along, moments))
    up, down = craft.climb_m_s * STEP_S, craft.descent_m_s * STEP_S
    wanted = height = line.height_m[0]
    heights = np.empty_like(asked)
    for k, ask in enumerate(asked):
        step = min(max(ask - wanted, -down), up)
        wanted += step
        if autopilot == "ardupilot":
            height += (wanted - height) * STEP_S / (STEP_S + TECS_HDEM_TCONST_S)
        else:
            height += min(max((wanted - height) * STEP_S / FW_T_ALT_TC_S + FW_T_HRATE_FF * step, -down), up)
        heights[k] = height
    return line.at(moments, line.lat_deg), line.at(moments, line.lon_deg), heights
