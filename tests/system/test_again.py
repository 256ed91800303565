"""What CI excuses, and what it never does."""

import json
import subprocess
from pathlib import Path

import pytest

from tests import again
from tests.again import second_say

FLOWN = "tests/sim/test_fault_vehicle.py::test_a_hexa_flies_home[1 - 2]"
SEEN = "tests/console/test_fly.py::test_it_is_drawn"
LEAK = "tests/api/test_leaks.py::test_nothing_leaks"
SENT = "tests/api/test_sse.py::test_it_comes"
MANY = [FLOWN, SEEN, f"{FLOWN}b", f"{SEEN}b"]


def closing(counts, *failed, code=1, before=""):
    told = "".join(f"FAILED {each} - assert 1 == 2\n" for each in failed)
    return f"{before}{told}======= {counts} in 2123.31s (0:35:23) =======\nmake: *** [Makefile:24: test] Error {code}\n"


@pytest.mark.parametrize(
    ("counts", "failed"),
    [
        ("1 failed, 7684 passed", [FLOWN]),
        ("1 failed, 7684 passed", [SENT]),
        ("1 failed, 7683 passed, 3 warnings, 1 error", [FLOWN, SEEN]),
    ],
)
def test_few_tests_that_wait_for_what_flies_draws_or_comes_have_a_second_say(counts, failed):
    assert second_say(closing(counts, *failed), failed) == failed


@pytest.mark.parametrize(
    ("log", "failed"),
    [
        (closing("1 failed, 7684 passed", LEAK), [LEAK]),  # a rule of the service
        (closing("2 failed, 7683 passed", FLOWN, LEAK), [FLOWN, LEAK]),
        (closing("4 failed, 7681 passed", *MANY), MANY),  # too many
        (closing("1 failed, 7684 passed, 1 error", FLOWN), [FLOWN]),  # one failed that nobody recorded
        (closing("1 failed, 7684 passed", FLOWN), []),
        (closing("7684 passed"), []),  # the run failed, though no test did
        (closing("1 failed, 2 errors", FLOWN, SEEN, f"{SEEN}b"), [FLOWN, SEEN, f"{SEEN}b"]),  # nothing passed
        (closing("1 failed, 7684 passed"), ["tests/sim/test_fault_vehicle.py"]),  # a file that cannot be loaded
        (closing("1 failed, 7684 passed", LEAK), [FLOWN]),  # recorded by a run of before
        ("", [FLOWN]),
    ],
)
def test_all_else_stands(log, failed):
    assert second_say(log, failed) == []


def test_files_that_wait_for_sockets_are_there():
    assert [name for name in again.SOCKETS if not (Path(again.__file__).parent / name).is_file()] == []


@pytest.mark.parametrize(
    "line",
    [
        ">       assert summary['nearest_border_m'] >= outcome.plan.border.stand_off_m",
        "E       AssertionError: ('bravo', 'leaks', 'BRD0012x')",
        "E       assert [('inside_stand_off', 3.2, 'at most 0')] == []",
        ">       await flight.until(lambda: inside(vehicle.fence, flight.here))",
    ],
)
def test_who_was_too_near_or_saw_too_much_was_so_however_busy_the_machine_was(line):
    assert second_say(closing("1 failed, 7684 passed", FLOWN, before=f"{line}\n"), [FLOWN]) == []


def test_a_word_of_a_test_that_passed_costs_nobody_a_second_say():
    passed = "tests/system/test_fence_flight.py::test_it_stays_inside_its_fence\n[gw1] [ 68%] PASSED it\n"
    assert second_say(closing("1 failed, 7684 passed", FLOWN, before=passed), [FLOWN]) == [FLOWN]


@pytest.mark.parametrize(
    "said",
    [
        {"code": 2},  # broken off, by whoever it was: nobody knows what the rest would have said
        {"code": 3},
        {"before": f"worker 'gw1' crashed while running '{FLOWN}'\n"},
        {"before": "E   Failed: Timeout (>300.0s) from pytest-timeout.\n"},
        {"before": "E   pytest.PytestUnraisableExceptionWarning: Exception ignored in: <socket.socket fd=9>\n"},
        {"before": "E   pytest.PytestUnhandledThreadExceptionWarning: Exception in thread vedette-live\n"},
    ],
)
def test_what_is_no_pause_of_a_busy_machine_stands(said):
    assert second_say(closing("1 failed, 7684 passed", FLOWN, **said), [FLOWN]) == []


@pytest.mark.parametrize(
    ("said", "code"), [("1 passed", 0), ("1 skipped", 1), ("1 xfailed", 1), ("1 failed", 1), ("1 passed, 1 error", 1)]
)
def test_what_has_a_second_say_has_to_pass_and_not_to_be_left_out(tmp_path, monkeypatch, capsys, said, code):
    log = tmp_path / "log"
    log.write_text(closing("1 failed, 7684 passed", FLOWN))
    cache = tmp_path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    cache.parent.mkdir(parents=True)
    cache.write_text(json.dumps({FLOWN: True}))
    monkeypatch.chdir(tmp_path)

    def run(command, **how):
        bad = "failed" in said or "error" in said
        return subprocess.CompletedProcess(command, int(bad), f"===== {said} in 1.20s =====\n")

    monkeypatch.setattr(again.subprocess, "run", run)
    assert again.main(log) == code
    assert ("UNSTEADY" in capsys.readouterr().out) == (code == 0)
