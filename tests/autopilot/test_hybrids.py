"""Vehicles that would end with a hybrid or a list that nobody proved: repaired, cleared, or not flown, with one error.

In virtual time, against a vehicle that stores item by item as ArduPilot does; the oracle is what it holds at the end.
"""

import asyncio

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from autopilot import ARDUCOPTER, AutopilotError, MissionKind, VehicleState, Verified, upload_verified
from bench.link_virtual import VirtualLoop
from tests.autopilot.model_vehicle import STATION, ModelVehicle, lists, place_of

OLD, WANTED = lists(7, 500), lists(12, 800)
ANSWER_S = 0.05
ENDS_S = 120.0


class Whole(ModelVehicle):
    """Answers all that it hears, and does its `deed` once, or each time where it is `stubborn`."""

    stubborn = False

    def __init__(self):
        super().__init__(OLD)
        self.done = 0

    def once(self):
        self.done += 1
        return self.stubborn or self.done == 1


class BootsHalfWay(Whole):
    """It is dark for three seconds, and keeps what it had stored by then."""

    dark_until_s = 0.0

    def _on_mission_item_int(self, m):
        if m.seq == 5 and self.once():
            self.dark_until_s = self._loop.time() + 3.0
            self.reboot()
            return []
        return super()._on_mission_item_int(m)

    def _answers(self, m):
        return [] if self._loop.time() < self.dark_until_s else super()._answers(m)


class AcceptsHalfWay(Whole):
    """MISSION_ACK of acceptance after some of the items, and no request any more."""

    def _on_mission_item_int(self, m):
        answers = super()._on_mission_item_int(m)
        if m.seq == 5 and self.once():
            self.upload = None
            return [self.ack(0)]
        return answers


class AcceptsAnother(Whole):
    """The last word names another list."""

    def _on_mission_item_int(self, m):
        answers = super()._on_mission_item_int(m)
        if self.upload is None and m.seq == len(WANTED) - 1 and self.once():
            return [self.ack(0, int(MissionKind.FENCE))]
        return answers


class StoresNothing(Whole):
    """Takes all and keeps what it had: what it hands out is stale, once or for ever."""

    def _on_mission_item_int(self, m):
        answers = super()._on_mission_item_int(m)
        if self.upload is None and self.once():
            self.store = list(self.untouched)
        return answers


class HandsOutTheOld(Whole):
    """Holds the new one, and reads the old one out of its cache."""

    def _on_mission_request_list(self, m):
        self.fresh = not self.once()
        answers = super()._on_mission_request_list(m)
        return answers if self.fresh else [mav.MAVLink_mission_count_message(*STATION, len(self.untouched), 0)]

    def _on_mission_request_int(self, m):
        if self.fresh or m.seq >= len(self.untouched):
            return super()._on_mission_request_int(m)
        return [self.item(m.seq, self.untouched[m.seq])]


class LosesItemsAsItIsRead(Whole):
    """Between two items of the reading somebody else takes the last ones away."""

    def _on_mission_request_int(self, m):
        if m.seq == 6 and self.once():
            del self.store[4:]
        return super()._on_mission_request_int(m)


class GrowsAsItIsRead(Whole):
    """Another station adds to it half-way, and what that is told of the count reaches us too."""

    def _on_mission_request_int(self, m):
        answers = super()._on_mission_request_int(m)
        if m.seq == 6 and self.once():
            self.store += self.untouched[1:4]
            return [mav.MAVLink_mission_count_message(*STATION, len(self.store), 0), *answers]
        return answers


class OffersFewer(Whole):
    """Counts one item fewer than it was given when it is asked."""

    def _on_mission_request_list(self, m):
        if self.once():
            del self.store[-1:]
        return super()._on_mission_request_list(m)


def ended(kind, *, stubborn):
    """What became of an upload, the vehicle, and the virtual seconds that it took."""

    async def run():
        vehicle = kind()
        vehicle.stubborn = stubborn
        begun_s = asyncio.get_running_loop().time()

        async def lives():
            while True:
                await asyncio.sleep(ANSWER_S)
                if vehicle.pending:
                    vehicle.take()

        life = asyncio.create_task(lives())
        try:
            return await asyncio.wait_for(
                upload_verified(vehicle.link, 1, WANTED, dialect=ARDUCOPTER, by_file=False, held=OLD), ENDS_S
            )
        except AutopilotError as error:
            return error
        finally:
            life.cancel()
            outcome.extend((vehicle, asyncio.get_running_loop().time() - begun_s))
            await vehicle.link.close()

    outcome = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        told = runner.run(run())
    return told, *outcome


KINDS = [
    BootsHalfWay,
    AcceptsHalfWay,
    AcceptsAnother,
    StoresNothing,
    HandsOutTheOld,
    LosesItemsAsItIsRead,
    GrowsAsItIsRead,
    OffersFewer,
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_once_is_mended_by_itself(kind):
    told, vehicle, seconds = ended(kind, stubborn=False)
    assert vehicle.done, "it never came to that"
    assert isinstance(told, Verified), told
    assert vehicle.store == [place_of(item) for item in WANTED]
    assert seconds < ENDS_S


@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_each_time_ends_in_one_error_and_no_list_that_is_not_proved(kind):
    told, vehicle, seconds = ended(kind, stubborn=True)
    assert seconds < ENDS_S
    holds_it = vehicle.store == [place_of(item) for item in WANTED]
    if isinstance(told, Verified):
        assert holds_it
        return
    assert str(told).startswith("virtual: vehicle 1 mission: ")
    assert "\n" not in str(told)
    # What is said of the vehicle is so: cleared, as it was, or not known and not to be flown.
    assert told.state in VehicleState
    if told.state is VehicleState.CLEARED:
        assert vehicle.store[1:] == []
    elif told.state is VehicleState.KEPT:
        # Of one that always reads out the old list nobody can know that it holds another.
        assert kind is HandsOutTheOld or vehicle.store == vehicle.untouched
    else:
        assert "do not fly" in str(told)
