"""Whatever a peer sends, a simulated vehicle goes on: one message that ends it would end the fleet of everybody."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from sim import protocol_commands, protocol_own
from tests.asked import asked
from tests.sim.crafts import ARM, SET_MODE, every_kind
from tests.sim.lockstep_pilot import Pilot, lockstep

WHOLE = {f"{sign}int{bits}_t": (sign, bits) for sign in ("", "u") for bits in (8, 16, 32, 64)}
FLOATS = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, -1.0, 3.4e38, 1e-40]) | st.floats(width=32)
COMMANDS = sorted({*protocol_commands._HANDLERS, *(number for own in protocol_own.OWN.values() for number in own)})
# It would listen to those alone who sign.
LEFT_OUT = {mav.MAVLINK_MSG_ID_SETUP_SIGNING}


def whole(sign, bits):
    low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return st.sampled_from([low, high, 0, 1, 2]) | st.integers(low, high)


def fields_of(kind):
    """A strategy for the fields of a message, in the order of its making; it is for vehicle 1 or for everybody."""
    drawn = []
    for name, of, length in zip(kind.fieldnames, kind.fieldtypes, lengths(kind), strict=True):
        if of == "char":
            drawn.append(st.binary(max_size=max(length, 1)))
        elif name.startswith("target_system"):
            drawn.append(st.sampled_from([0, 1]))
        else:
            one = FLOATS if of in {"float", "double"} else whole(*WHOLE[of.replace("_mavlink_version", "")])
            drawn.append(st.lists(one, min_size=length, max_size=length) if length else one)
    return st.tuples(*drawn)


def lengths(kind):
    """Of the arrays among the fields, in the order of `fieldnames`."""
    by_name = dict(zip(kind.ordered_fieldnames, kind.array_lengths, strict=True))
    return [by_name[name] for name in kind.fieldnames]


def commands():
    """Commands that are simulated, with any parameters."""
    place = st.tuples(whole("", 32), whole("", 32), FLOATS)
    four = st.tuples(FLOATS, FLOATS, FLOATS, FLOATS)
    return st.builds(
        lambda command, p, xyz: mav.MAVLink_command_long_message(1, 1, command, 0, *p, *xyz),
        st.sampled_from(COMMANDS),
        four,
        st.tuples(FLOATS, FLOATS, FLOATS),
    ) | st.builds(
        lambda command, frame, p, xyz: mav.MAVLink_command_int_message(1, 1, frame, command, 0, 0, *p, *xyz),
        st.sampled_from(COMMANDS),
        whole("u", 8),
        four,
        place,
    )


def messages(numbers):
    kinds = [mav.mavlink_map[number] for number in numbers]
    return st.one_of(commands(), *(fields_of(kind).map(lambda fields, kind=kind: kind(*fields)) for kind in kinds))


@every_kind
def test_it_goes_on(kind):
    numbers = sorted(set(Pilot(lockstep(**kind.config)).fleet.vehicles[0]._handlers) - LEFT_OUT)

    @settings(max_examples=asked(40), deadline=None)
    @given(st.lists(messages(numbers), min_size=1, max_size=12), st.booleans())
    def goes_on(said, aloft):
        pilot = Pilot(lockstep(**kind.config))
        if aloft:
            pilot.command(SET_MODE, 1, *kind.command_mode(kind.ready))
            pilot.command(ARM, 1)
            pilot.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, math.nan, math.nan, math.nan, 30.0)
            pilot.advance(10.0)
        for message in said:
            pilot.send(message)
            pilot.advance(0.3)
        pilot.advance(3.0, 0.5)
        assert pilot.request(0).get_type() == "HEARTBEAT"

    goes_on()
