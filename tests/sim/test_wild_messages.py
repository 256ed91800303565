"""Whatever a peer sends, a simulated vehicle goes on: one message that ends it would end the fleet of everybody."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from sim import protocol_commands, protocol_own
from tests.asked import asked
from tests.sim.crafts import ARM, SET_MODE, every_kind
from tests.sim.lockstep_pilot import Pilot, lockstep
from tests.wild import FLOATS, fields_of, packets, whole

COMMANDS = sorted({*protocol_commands._HANDLERS, *(number for own in protocol_own.OWN.values() for number in own)})
# It would listen to those alone who sign.
LEFT_OUT = {mav.MAVLINK_MSG_ID_SETUP_SIGNING}


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


# Vehicle 1 is sent what is for others, or cut off, or longer than it knows, by whomever, out of sequence.
STATIONS = [(255, 190), (255, 1), (1, 1), (2, 1), (0, 0), (254, 190)]


@every_kind
def test_what_is_for_others_is_not_done(kind):
    numbers = sorted(set(Pilot(lockstep(**kind.config)).fleet.vehicles[0]._handlers) - LEFT_OUT)
    aimed = [number for number in numbers if "target_system" in mav.mavlink_map[number].fieldnames]
    # Cut off, a system is 0, which is all.
    others = packets(aimed, speakers=STATIONS, systems=(2, 77, 255), shortest=0)

    @settings(max_examples=asked(25), deadline=None)
    @given(st.lists(others, min_size=1, max_size=12))
    def is_not_done(said):
        pilot = Pilot(lockstep(**kind.config))
        vehicle = pilot.fleet.vehicles[0]

        def held():
            flight = vehicle.flight
            lists = [list(one.items) for one in vehicle._transfers.values()]
            return flight.mode, flight.armed, dict(vehicle.params), lists, flight.course.home.at

        before = held()
        for packet in said:
            pilot.link.write(packet.data)
            pilot.listen()
            pilot.advance(0.1)
        assert held() == before
        assert not pilot.said("COMMAND_ACK")
        assert pilot.request(0).get_type() == "HEARTBEAT"

    is_not_done()


@every_kind
def test_packets_cut_off_longer_or_out_of_sequence_end_nothing(kind):
    numbers = sorted(set(Pilot(lockstep(**kind.config)).fleet.vehicles[0]._handlers) - LEFT_OUT)

    @settings(max_examples=asked(25), deadline=None)
    @given(st.lists(packets(numbers, speakers=STATIONS), min_size=1, max_size=12))
    def goes_on(said):
        pilot = Pilot(lockstep(**kind.config))
        for packet in said:
            pilot.link.write(packet.data)
            pilot.listen()
            pilot.advance(0.3)
        pilot.advance(3.0, 0.5)
        assert pilot.request(0).get_type() == "HEARTBEAT"

    goes_on()
