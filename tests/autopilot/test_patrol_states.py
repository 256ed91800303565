"""The states of a patrol against a history kept by hand: what was said of each vehicle, and what may follow from it."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from autopilot import Duty, FlightError, State
from autopilot.patrol_states import ALOFT, TRANSITIONS, Happening, after
from tests.asked import asked

GROUND = {State.WAITING, State.CHECKING, State.READY, State.SWAPPING, State.FAULT, State.DONE}


def reached_from(state, without=()):
    """States to which any happenings, but some, lead."""
    found, left = set(), [state]
    while left:
        for happening, to in TRANSITIONS[left.pop()].items():
            if happening not in without and to not in found:
                found.add(to)
                left.append(to)
    return found


def test_every_state_is_in_the_air_or_on_the_ground_and_in_the_table():
    assert GROUND | ALOFT == set(State) == set(TRANSITIONS)
    assert not GROUND & ALOFT


def test_from_a_fault_nothing_leads_on_but_a_persons_word():
    assert reached_from(State.FAULT, without={Happening.CLEARED}) == set()
    assert State.OUTBOUND in reached_from(State.FAULT)


@pytest.mark.parametrize("state", list(State))
def test_who_waits_comes_into_every_state_and_from_every_state_back(state):
    assert state in reached_from(State.WAITING)
    if state is not State.DONE:
        assert State.WAITING in reached_from(state)


@pytest.mark.parametrize("state", sorted(GROUND - {State.READY}))
def test_only_one_that_is_ready_takes_off(state):
    with pytest.raises(FlightError, match=rf"vehicle 7: it is in the air cannot be while it is {state}"):
        after(Duty(7, state), Happening.LAUNCHED)


@pytest.mark.parametrize("state", sorted(set(State) - {State.FAULT}))
def test_a_fault_may_come_at_any_time(state):
    assert after(Duty(1, state, "s"), Happening.FAILED).state is State.FAULT


class Shifts(RuleBasedStateMachine):
    """Anything may be said of any of three vehicles; only the history since the last flight was given counts."""

    @initialize()
    def begin(self):
        self.duties = {sysid: Duty(sysid) for sysid in (1, 2, 3)}
        self.said = {sysid: [] for sysid in self.duties}

    @rule(sysid=st.sampled_from([1, 2, 3]), happening=st.sampled_from(list(Happening)), likely=st.booleans())
    def say(self, sysid, happening, likely):
        duty = self.duties[sysid]
        if likely and TRANSITIONS[duty.state]:
            # Most of what may be said cannot be: go on by what can, too.
            choices = sorted(TRANSITIONS[duty.state])
            happening = choices[list(Happening).index(happening) % len(choices)]
        try:
            self.duties[sysid] = after(duty, happening, f"sortie-{len(self.said[sysid])}")
        except FlightError:
            return
        said = self.said[sysid]
        since = said[len(said) - said[::-1].index(Happening.DUE) - 1 :] if Happening.DUE in said else []
        if happening is Happening.LAUNCHED:
            assert since == [Happening.DUE, Happening.CHECKED]
        if Happening.FAILED in said:
            later = said[len(said) - said[::-1].index(Happening.FAILED) :]
            assert later or happening is Happening.CLEARED
            assert not later or later[0] is Happening.CLEARED
        if duty.aloft and not self.duties[sysid].aloft:
            assert happening in {Happening.LANDED, Happening.FAILED}
        if duty.state is State.SWAPPING and happening is Happening.DUE:
            pytest.fail("it takes off again without a fresh battery")
        said.append(happening)

    @invariant()
    def named(self):
        """A vehicle has a sortie exactly from when it is given one until that is over."""
        for duty in self.duties.values():
            if duty.state in {State.WAITING, State.SWAPPING, State.DONE}:
                assert duty.sortie is None
            elif duty.state is not State.FAULT:
                assert duty.sortie is not None


Shifts.TestCase.settings = settings(max_examples=asked(150), stateful_step_count=40, deadline=None)
TestShifts = Shifts.TestCase
