"""The order in which workers take files: the longest begin first, those that wait come between those that compute."""

from pathlib import Path
from types import SimpleNamespace

from tests.conftest import LONGEST, pytest_collection_modifyitems

TESTS = Path(__file__).parents[1]


def in_order(*names):
    items = [SimpleNamespace(path=TESTS / name) for name in names]
    pytest_collection_modifyitems(items)
    return [str(item.path.relative_to(TESTS)) for item in items]


def test_each_of_the_longest_is_there_and_stands_once():
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_the_longest_come_first_and_those_that_wait_between_those_that_compute():
    last, first = LONGEST[-1], LONGEST[0]
    assert in_order("geo/test_a.py", "geo/test_b.py", "sim/test_c.py", "sim/test_d.py", last, first) == [
        first, last, "geo/test_a.py", "sim/test_c.py", "geo/test_b.py", "sim/test_d.py",
    ]  # fmt: skip
