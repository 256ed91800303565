"""The journal: what it says comes back, a torn end is no error, anything else that is spoilt is."""

import errno
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autopilot import Duty, FlightError, State
from autopilot.journal import Flown, Journal
from geo import FlatTerrain
from missions import PlanOptions, base_beside, cut, default_fleet, land_border, plan, replan
from tests.asked import few


@cache
def made():
    segment = cut(land_border("ITA", "CHE"), 2500)
    return plan(segment, default_fleet(base_beside(segment), 2), FlatTerrain(900.0), PlanOptions(shift_s=3600.0))


def begun(path):
    journal = Journal.begin(path, 1_000_000, "ardupilot")
    journal.plan(made(), 0.0)
    return journal


def read(path):
    journal, past = Journal.go_on(path, made())
    journal.close()
    return past


STATES = st.tuples(
    st.sampled_from([1, 2]),
    st.sampled_from(list(State)),
    st.booleans(),
    st.one_of(st.none(), st.builds(Flown, st.just(0), st.integers(0, 5), st.one_of(st.none(), st.floats(0, 1e4)))),
    st.sets(st.integers(0, 50)),
)


@settings(max_examples=few(60), deadline=None)
@given(st.lists(STATES, max_size=12), st.data())
def test_what_was_written_comes_back_however_the_end_is_torn(tmp_path_factory, entries, data):
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    journal = begun(path)
    duties, flights, reached, flown = {}, {}, {}, []
    for sysid, state, silent, flight, items in entries:
        duty = Duty(sysid, state, "s" if state is State.ON_TASK else None, silent)
        journal.state(1.0, duty, "why", flight)
        duties[sysid] = duty
        if flight is not None:
            if flights.get(sysid) != flight:
                reached[sysid] = set()
            flights[sysid] = flight
            if duty.aloft and flight not in flown:
                flown.append(flight)
        journal.reached(sysid, items)
        reached.setdefault(sysid, set()).update(items)
    journal.close()
    whole = path.read_bytes()
    line = json.dumps({"kind": "state", "sysid": 1, "state": "fault", "silent": False, "sortie": None}) + "\n"
    torn = line.encode()[: data.draw(st.integers(0, len(line) - 1))]
    path.write_bytes(whole + torn)
    past = read(path)
    assert past.duties == duties
    assert past.flights == flights
    assert {k: v for k, v in past.reached.items() if v} == {k: v for k, v in reached.items() if v}
    assert past.flown == flown
    assert past.origin_us == 1_000_000
    assert past.plans == [(made(), 0.0)]
    # The torn end is gone: what is written next is a line of its own.
    assert path.read_bytes() == whole


def test_plans_that_took_over_lie_beside_it(tmp_path):
    path = tmp_path / "j.jsonl"
    journal = begun(path)
    alone = replan(made(), [2], 600.0)
    journal.plan(alone, 610.5)
    journal.close()
    assert read(path).plans == [(made(), 0.0), (alone, 610.5)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["j-plan-1.json", "j-plan-2.json", "j.jsonl"]
    # And the next one has a number of its own.
    journal, _ = Journal.go_on(path, made())
    journal.plan(alone, 700.0)
    journal.close()
    assert (tmp_path / "j-plan-3.json").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace('"kind": "state"', '"kind": "sta', 1), "line 3: cannot be read"),
        (lambda text: text.replace("waiting", "wading"), "line 3: cannot be read, 'wading'"),
        (lambda text: text.replace("vedette-patrol-journal", "diary"), "line 1: cannot be read, it is no journal"),
        (lambda text: text.split("\n", 1)[0] + "\n", "is no journal of a patrol"),
        (lambda _: "", "is no journal of a patrol"),
    ],
)
def test_one_that_is_spoilt_is_refused(tmp_path, spoil, words):
    path = tmp_path / "j.jsonl"
    journal = begun(path)
    journal.state(1.0, Duty(1), "why", None)
    journal.state(2.0, Duty(2), "why", None)
    journal.close()
    path.write_text(spoil(path.read_text()))
    with pytest.raises(FlightError, match=words):
        Journal.go_on(path, made())


def test_one_of_another_plan_or_with_a_plan_that_was_touched_is_refused(tmp_path):
    path = tmp_path / "j.jsonl"
    begun(path).close()
    with pytest.raises(FlightError, match="is the journal of another plan"):
        Journal.go_on(path, replan(made(), [1]))
    kept = tmp_path / "j-plan-1.json"
    text = kept.read_text()
    kept.write_text(text + " ")
    with pytest.raises(FlightError, match="its SHA-256 differs"):
        Journal.go_on(path, made())
    kept.unlink()
    with pytest.raises(FlightError, match="plan of the journal cannot be read"):
        Journal.go_on(path, made())


def test_a_disk_that_fills_up_costs_no_flight_and_is_told(tmp_path, monkeypatch):
    journal = begun(tmp_path / "j.jsonl")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("autopilot.journal.os.fsync", full)
    journal.state(1.0, Duty(1), "why", None)
    journal.reached(1, {1})
    assert "the journal failed, a restart would not go on from here: No space left" in journal.failure
    monkeypatch.undo()
    journal.close()
    with pytest.raises(FlightError, match="cannot be written"):
        Journal.begin(tmp_path / "j.jsonl" / "below" / "j.jsonl", 0, "px4")
