"""What CI excuses, and what it never does."""

import pytest

from tests.again import second_say

FLOWN = "tests/sim/test_fault_vehicle.py::test_a_hexa_flies_home[1 - 2]"
SEEN = "tests/console/test_fly.py::test_it_is_drawn"
LEAK = "tests/api/test_leaks.py::test_nothing_leaks"


def closing(counts):
    return f"FAILED {FLOWN}\n======= {counts} in 2123.31s (0:35:23) =======\nmake: *** [test] Error 1\n"


@pytest.mark.parametrize(
    ("counts", "failed"),
    [("1 failed, 7684 passed", [FLOWN]), ("1 failed, 7683 passed, 3 warnings, 1 error", [FLOWN, SEEN])],
)
def test_few_tests_that_wait_for_what_flies_or_draws_have_a_second_say(counts, failed):
    assert second_say(closing(counts), failed) == failed


@pytest.mark.parametrize(
    ("log", "failed"),
    [
        (closing("1 failed, 7684 passed"), [LEAK]),  # a rule of the service
        (closing("2 failed, 7683 passed"), [FLOWN, LEAK]),
        (closing("4 failed, 7681 passed"), [FLOWN, SEEN, f"{FLOWN}b", f"{SEEN}b"]),  # too many
        (closing("1 failed, 7684 passed, 1 error"), [FLOWN]),  # one failed that nobody recorded
        (closing("1 failed, 7684 passed"), []),
        (closing("7684 passed"), []),  # the run failed, though no test did
        (closing("1 failed, 2 errors"), [FLOWN, SEEN, f"{SEEN}b"]),  # nothing passed
        (closing("1 failed, 7684 passed"), ["tests/sim/test_fault_vehicle.py"]),  # a file that cannot be loaded
        ("", [FLOWN]),
    ],
)
def test_all_else_stands(log, failed):
    assert second_say(log, failed) == []
