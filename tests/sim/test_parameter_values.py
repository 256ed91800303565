"""How values of parameters travel and are kept, as ArduCopter 4.7-dev (July 2025) answered."""

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.dialect_ardupilot import ARDUCOPTER
from sim.protocol_params import from_wire
from tests.sim.lockstep_pilot import Pilot, lockstep

INT8, INT16, INT32 = 2, 4, 6
UNNUMBERED = 65535


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        (INT8, 300.0, 127.0),
        (INT8, -300.0, -128.0),
        (INT8, 0.4, 0.0),
        (INT8, 0.6, 0.0),
        (INT8, -0.6, 0.0),
        (INT8, 0.995, 1.0),
        (INT8, 99.0, 99.0),
        (INT16, 1.4, 1.0),
        (INT16, 40000.0, 32767.0),
        (INT32, 70000.0, 70000.0),
        (INT32, float("nan"), None),
    ],
)
def test_an_integer_of_ardupilot_is_cut_and_held_in_its_range(kind, sent, kept):
    assert from_wire(sent, kind, ARDUCOPTER) == kept


@pytest.mark.parametrize(("autopilot", "name"), [("ardupilot", b"RTL_ALT_M"), ("px4", b"RTL_RETURN_ALT")])
def test_ardupilot_tells_a_parameter_by_its_name_without_a_number(autopilot, name):
    pilot = Pilot(lockstep(autopilot=autopilot))

    def told(message):
        pilot.heard.clear()
        pilot.send(message)
        pilot.advance(1.0)
        (value,) = pilot.said("PARAM_VALUE")
        return value.param_index, value.param_count

    first, count = told(mav.MAVLink_param_request_read_message(1, 1, b"", 0))
    assert first == 0
    by_name, _ = told(mav.MAVLink_param_request_read_message(1, 1, name, -1))
    by_setting, _ = told(mav.MAVLink_param_set_message(1, 1, name, 40.0, mav.MAV_PARAM_TYPE_REAL32))
    if autopilot == "ardupilot":
        assert (by_name, by_setting) == (UNNUMBERED, UNNUMBERED)
    else:
        assert by_name == by_setting < count
