"""Which worker takes which file, and when: the longest first, what flies and what computes apart."""

import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from xdist.remote import Producer

from tests.conftest import LONGEST, pytest_collection_modifyitems
from tests.turns import FOOTAGE, SOCKETS, Turns, computes, give_way, waits

TESTS = Path(__file__).parents[1]
FLY = [f"{room}/test_{room}_{k}.py" for k in range(4) for room in ("system", "sim", "autopilot")]
COMPUTE = [f"{room}/test_{room}_{k}.py" for k in range(2) for room in ("api", "geo", "missions")]


def in_order(*names):
    items = [SimpleNamespace(path=TESTS / name) for name in names]
    pytest_collection_modifyitems(items)
    return [str(item.path.relative_to(TESTS)) for item in items]


def test_each_file_that_is_named_is_there_and_the_longest_stand_once():
    assert [name for name in [*LONGEST, *SOCKETS, *FOOTAGE] if not (TESTS / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("sim/test_wings.py", True),
        ("system/test_patrol.py", True),
        ("system/test_evaluate.py", False),
        ("missions/test_explain.py", False),
        ("api/test_ogc.py", False),
        ("api/test_sse.py", True),
    ],
)
def test_a_file_waits_by_its_room_or_for_sockets_and_not_where_it_only_reads(file, told):
    assert waits(f"tests/{file}") is told


def test_the_longest_come_first():
    last, first = LONGEST[-1], LONGEST[0]
    assert in_order("sim/test_b.py", "geo/test_a.py", last, first) == [first, last, "sim/test_b.py", "geo/test_a.py"]


class Worker:
    """Holds what it was given, until it has run it."""

    def __init__(self, number):
        self.gateway, self.shutting_down, self.given = SimpleNamespace(id=f"gw{number}"), False, []

    def send_runtest_some(self, indices):
        self.given += indices

    def shutdown(self):
        self.shutting_down = True


def shared_out(workers, files):
    """Files in the order in which each worker was given them, where all are equally fast."""
    tests = [f"tests/{file}::test_{k}" for file in files for k in range(3)]
    option = SimpleNamespace(loadscopereorder=False)
    config = SimpleNamespace(getvalue={"tx": [f"{workers}*popen"]}.get, option=option)
    turns = Turns(config, Producer("none", enabled=False))
    nodes = [Worker(k) for k in range(workers)]
    for node in nodes:
        turns.add_node(node)
        turns.add_node_collection(node, tests)
    turns.schedule()
    for step in range(len(tests)):
        for node in nodes:
            if step < len(node.given):
                turns.mark_test_complete(node, node.given[step])
    ran = Counter(index for node in nodes for index in node.given)
    assert ran == Counter(range(len(tests)))
    assert all(node.shutting_down for node in nodes)
    assert turns.tests_finished
    return [list(dict.fromkeys(tests[k].split("::")[0].removeprefix("tests/") for k in node.given)) for node in nodes]


def test_four_of_six_workers_take_what_flies_and_two_what_computes_each_in_its_order():
    took = shared_out(6, [*COMPUTE, *FLY])
    rounds = [[files[k] for files in took] for k in range(3)]
    assert [file for each in rounds for file in each[:4]] == FLY
    assert [file for each in rounds for file in each[4:]] == COMPUTE


@pytest.mark.parametrize("kind", ["geo", "sim"])
def test_whoever_has_no_more_of_its_own_helps_the_others(kind):
    files = [f"{kind}/test_{k}.py" for k in range(12)]
    took = shared_out(6, files)
    assert [each[0] for each in took] == files[:6]
    assert all(len(each) == 2 for each in took)


def test_one_worker_takes_all():
    (took,) = shared_out(1, [*COMPUTE, *FLY])
    assert took == [*FLY, *COMPUTE]


@pytest.mark.parametrize(("worker", "polite"), [("gw0", False), ("gw3", False), ("gw4", True), ("gw5", True)])
def test_whoever_computes_lets_flights_go_first(monkeypatch, worker, polite):
    given = []
    monkeypatch.setattr(os, "nice", given.append)
    give_way(SimpleNamespace(workerinput={"workerid": worker, "workercount": 6}))
    give_way(SimpleNamespace())  # where tests run in one process
    assert bool(given) is polite is computes(worker, 6)
    assert all(more > 0 for more in given)
