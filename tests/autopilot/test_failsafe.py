"""What a vehicle does when it hears nobody is known before it takes off, and one that would fall is not flown."""

import struct

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import NotReadyError, Vehicle
from autopilot.failsafe import LINK_LOSS, check_link_loss
from tests.autopilot.scripted import FAST, Script, linked


async def said(script):
    async with linked(script) as (_, link), await Vehicle.connect(link, timing=FAST) as vehicle:
        return await check_link_loss(vehicle)


@pytest.mark.parametrize(
    ("kind", "parameter", "value", "words"),
    [
        (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, "FS_GCS_ENABLE", 0, "goes on with its mission"),
        (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, "FS_GCS_ENABLE", 1, "it returns"),
        (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, "FS_GCS_ENABLE", 99, "does not know"),
        (mav.MAV_AUTOPILOT_ARDUPILOTMEGA, "OTHER", 1, "is not known: it has no FS_GCS_ENABLE"),
    ],
)
async def test_it_is_told_in_words(kind, parameter, value, words):
    script = Script(autopilot=kind)
    script.params.pop("FS_GCS_ENABLE", None)
    script.params[parameter] = (float(value), mav.MAV_PARAM_TYPE_INT8)
    assert words in await said(script)


@pytest.mark.parametrize("value", sorted(LINK_LOSS["NAV_DLL_ACT"].acts))
async def test_one_that_would_end_its_flight_is_not_flown(value):
    script = Script(autopilot=mav.MAV_AUTOPILOT_PX4)
    # Integers of PX4 travel as their bytes.
    as_float = struct.unpack("<f", struct.pack("<i", value))[0]
    script.params["NAV_DLL_ACT"] = (as_float, mav.MAV_PARAM_TYPE_INT32)
    if value in {5, 6}:
        with pytest.raises(NotReadyError, match=f"NAV_DLL_ACT {value}"):
            await said(script)
    else:
        assert f"NAV_DLL_ACT {value}" in await said(script)
