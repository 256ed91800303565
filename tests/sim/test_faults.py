"""Faults as data: what a scenario may say, what is refused and how, and the way to another process."""

import json
import math
from dataclasses import fields

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.fault_file import KINDS, faults_from, faults_values

SCENARIO = """
faults:
  - kind: packet_loss
    probability: 0.2
    direction: up
  - {kind: delay, delay_s: 0.5, jitter_s: 0.1, from_s: 10, to_s: 20}
  - {kind: link_cut, vehicles: [2, 3], event: item 4, from_s: 5, to_s: 35}
  - {kind: motor_failure, vehicles: 1, event: take-off, from_s: 30}
"""
MEANT = (
    sim.PacketLoss(probability=0.2, direction="up"),
    sim.Delay(delay_s=0.5, jitter_s=0.1, from_s=10.0, to_s=20.0),
    sim.LinkCut(vehicles=(2, 3), event="item 4", from_s=5.0, to_s=35.0),
    sim.MotorFailure(vehicles=(1,), event="take-off", from_s=30.0),
)


def written(folder, text):
    path = folder / "faults.yaml"
    path.write_text(text)
    return path


def test_a_scenario_is_read_from_yaml_and_from_json(tmp_path):
    assert sim.load_faults(written(tmp_path, SCENARIO)).all == MEANT
    assert sim.load_faults(written(tmp_path, json.dumps(yaml.safe_load(SCENARIO)))).all == MEANT


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        pytest.param("{kind: packet_lost}", "kind is 'packet_lost': give one of packet_loss, delay", id="kind"),
        pytest.param("{probability: 1}", "kind is None", id="no kind"),
        pytest.param("{kind: [reboot]}", "kind is", id="kind is a list"),
        pytest.param("reboot", "give keys and values", id="no keys"),
        pytest.param("{kind: delay, delay: 2}", "delay has no key 'delay': it has .*delay_s", id="key"),
        pytest.param("{kind: reboot, to_s: 9}", "reboot has no key 'to_s'", id="an instant has no end"),
        pytest.param("{kind: delay, delay_s: soon}", "delay_s is 'soon': give a finite number", id="text"),
        pytest.param("{kind: delay, delay_s: true}", "delay_s is True", id="truth value"),
        pytest.param("{kind: delay, delay_s: .inf}", "delay_s is inf", id="infinity"),
        pytest.param("{kind: delay, delay_s: -1}", "delay_s is -1.0: give a figure between 0 and 60", id="range"),
        pytest.param("{kind: packet_loss, probability: 1}", "probability is 1.0", id="nothing would pass"),
        pytest.param("{kind: packet_loss, direction: out}", "give one of both, up, down", id="word"),
        pytest.param("{kind: packet_loss, direction: 3}", "direction is 3: give a word", id="no word"),
        pytest.param("{kind: reordering, by: 1.5}", "by is 1.5: give a whole number", id="whole"),
        pytest.param("{kind: reboot, vehicles: []}", "vehicles is .*: give system ids", id="nobody"),
        pytest.param("{kind: reboot, vehicles: [0]}", "vehicles is", id="vehicle 0"),
        pytest.param("{kind: reboot, event: item -1}", "event is 'item -1'", id="item"),
        pytest.param("{kind: reboot, event: landing}", "give power-on, arming, take-off or item N", id="event"),
        pytest.param("{kind: gps_loss, from_s: 5, to_s: 5}", "give an end after the begin", id="empty span"),
        pytest.param("{kind: battery_failure}", "nothing fails", id="battery that is well"),
        pytest.param("{kind: battery_failure, cells_lost: 12}", "leave at least one", id="no cells"),
    ],
)
def test_what_cannot_be_simulated_names_file_fault_and_key(tmp_path, entry, told):
    path = written(tmp_path, f"faults:\n  - kind: reboot\n  - {entry}\n")
    with pytest.raises(sim.ConfigError, match=told) as error:
        sim.load_faults(path)
    assert f"{path}, fault 2" in str(error.value)


@pytest.mark.parametrize("text", ["", "faults: reboot", "[]", "faults: []\nmore: 1", "faults:\n - {", "\x00", "- " * 9])
def test_what_is_no_scenario_names_the_file(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(sim.ConfigError) as error:
        sim.load_faults(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_absent_or_huge(tmp_path):
    with pytest.raises(sim.ConfigError, match="cannot be read"):
        sim.load_faults(tmp_path / "absent.yaml")
    with pytest.raises(sim.ConfigError, match="over"):
        sim.load_faults(written(tmp_path, "#" * 1_000_001))


def test_a_fault_of_a_vehicle_that_is_not_there():
    faults = sim.Faults(listed=(sim.Reboot(vehicles=(3,)),))
    with pytest.raises(sim.ConfigError, match="vehicle 3 is not in the fleet: it has 1 to 2"):
        sim.FleetConfig(home=(31.0, -110.0, 0.0), vehicles=2, faults=faults)


def test_shorthands_are_faults_like_others():
    assert sim.Faults(loss=0.2, reject_mission=4).all == (
        sim.PacketLoss(probability=0.2),
        sim.MissionRejected(result=4),
    )
    for bad in ({"loss": 1.0}, {"loss": math.nan}, {"reject_mission": 0}):
        with pytest.raises(sim.ConfigError, match="give"):
            sim.Faults(**bad)


def any_fault(kind):
    """Faults of a kind whose figures lie anywhere between their limits."""

    def values(each):
        about = each.metadata
        if "words" in about:
            return st.sampled_from(about["words"])
        if "low" in about and isinstance(each.default, int):
            return st.integers(about["low"], about["high"])
        return st.floats(about["low"], about["high"])

    free = {each.name: values(each) for each in fields(kind) if each.metadata}
    return st.fixed_dictionaries({}, optional=free).map(lambda given: (kind, given))


@given(st.lists(st.sampled_from(sorted(KINDS)).flatmap(lambda name: any_fault(KINDS[name]))))
def test_faults_go_to_another_process_and_come_back(drawn):
    made = []
    for kind, values in drawn:
        try:
            made.append(kind(**values))
        except sim.ConfigError:
            continue
    faults = sim.Faults(loss=0.25, listed=tuple(made))
    assert faults_from(json.loads(json.dumps(faults_values(faults)))).all == faults.all
