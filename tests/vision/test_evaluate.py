"""The score of crossings against truth."""

import json

import pytest

from geo import geodesic_destination
from vision.errors import VisionError
from vision.evaluate import Gates, TrueCrossing, load_truth, score
from vision.records import Crossing, Direction, Method, Status

T0 = 1_790_000_000_000_000
LAT, LON = 31.333, -110.94


def found(seconds, metres=0.0, direction=Direction.INBOUND, status=Status.CONFIRMED, kind="person"):
    lat, lon = geodesic_destination(LAT, LON, 90.0, metres)
    return Crossing(
        "v", f"{seconds}/{metres}", T0 + round(seconds * 1e6), T0 + round(seconds * 1e6), kind, direction, status,
        Method.GROUND, "b", 0.9, lat, lon,
    )  # fmt: skip


def true(seconds, metres=0.0, direction=Direction.INBOUND, in_view=True, kind="person"):
    lat, lon = geodesic_destination(LAT, LON, 90.0, metres)
    return TrueCrossing(T0 + round(seconds * 1e6), direction, kind, lat, lon, in_view)


def test_a_perfect_watch():
    result = score({"a": [found(1.5, 2.0), found(8, 30)]}, {"a": [true(1), true(8, 30)]})
    assert (result.truth, result.found, result.missed, result.false) == (2, 2, 0, 0)
    assert (result.recall, result.precision) == (1.0, 1.0)
    assert result.time_error_s == pytest.approx(0.25)
    assert result.place_error_m == pytest.approx(1.0, abs=1e-6)


def test_missed_false_and_wrong_way():
    result = score(
        {"a": [found(1, direction=Direction.OUTBOUND), found(30, status=Status.PROBABLE)]},
        {"a": [true(1), true(50)]},
    )
    assert (result.found, result.missed, result.false) == (0, 2, 2)
    assert (result.confirmed, result.confirmed_false) == (1, 1)
    assert result.precision == 0.0


def test_two_at_once_take_two_and_a_double_report_is_false():
    assert score({"a": [found(1), found(1.2, 1)]}, {"a": [true(1), true(1.1, 1)]}).found == 2
    doubled = score({"a": [found(1), found(1.5)]}, {"a": [true(1)]})
    assert (doubled.found, doubled.false) == (1, 1)


def test_the_assignment_finds_all_that_nearest_first_would_miss():
    # Nearest first pairs found(2) with true(3) and leaves true(0) alone with found(5): 5 s apart.
    result = score({"a": [found(2), found(5)]}, {"a": [true(0), true(3)]})
    assert result.found == 2


def test_out_of_view_is_neither_missed_nor_false():
    result = score({"a": [found(1)]}, {"a": [true(1, in_view=False), true(90, in_view=False)]})
    assert (result.truth, result.found, result.missed, result.false) == (0, 0, 0, 0)
    # What is in view has the first claim.
    shared = score({"a": [found(1)]}, {"a": [true(1, in_view=False), true(3)]})
    assert (shared.found, shared.missed) == (1, 0)


def test_a_wrong_kind_is_found_and_said():
    result = score({"a": [found(1, kind="bicycle")]}, {"a": [true(1)]})
    assert (result.found, result.kinds_right) == (1, 0)


def test_gates_and_recordings_keep_apart():
    assert score({"a": [found(1, 12)]}, {"a": [true(1)]}).found == 0
    assert score({"a": [found(1, 12)]}, {"a": [true(1)]}, Gates(metres=15)).found == 1
    assert score({"a": [found(5.1)]}, {"a": [true(1)]}).found == 0
    apart = score({"a": [found(1)]}, {"b": [true(1)]})
    assert (apart.found, apart.false, apart.missed) == (0, 1, 1)


def test_nothing_to_see_is_no_failure():
    empty = score({"a": []}, {"a": []})
    assert (empty.recall, empty.precision, empty.time_error_s, empty.place_error_m) == (1.0, 1.0, None, None)
    assert empty.to_json()["truth"] == 0


def test_truth_is_read_as_the_contract_has_it(tmp_path):
    path = tmp_path / "w.truth.json"
    crossing = {
        "id": 3, "kind": "person", "time_us": T0, "lat": LAT, "lon": LON, "direction": "inbound", "in_view": True
    }  # fmt: skip
    path.write_text(json.dumps({"video": "w.ts", "frames": [], "crossings": [crossing]}))
    assert load_truth(path) == (TrueCrossing(T0, Direction.INBOUND, "person", LAT, LON),)


@pytest.mark.parametrize("text", ["{", "{}", '{"crossings": [{"time_us": 1}]}', '{"crossings": 3}'])
def test_a_broken_truth_file_is_named(tmp_path, text):
    path = tmp_path / "w.truth.json"
    path.write_text(text)
    with pytest.raises(VisionError, match=r"w\.truth\.json"):
        load_truth(path)
    with pytest.raises(VisionError, match="cannot be read"):
        load_truth(tmp_path / "absent.json")
