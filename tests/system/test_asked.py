"""CI asks a test of hypothesis fewer questions: seen by how many it is asked."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asked import IN_FULL, MOST

TESTS = Path(__file__).parents[1]
COUNTED = """
from hypothesis import given, settings, strategies
from tests.asked import asked, few

questions = []

@settings(max_examples={told}, database=None)
@given(strategies.integers())
def one(number):
    questions.append(number)

one()
print(len(questions))
"""


@pytest.mark.parametrize(
    ("told", "in_ci", "at_a_desk"),
    [
        (f"few({3 * MOST})", MOST, 3 * MOST),
        (f"few({MOST // 2})", MOST // 2, MOST // 2),
        ("asked(60)", 20, 60),
        ("asked(10)", 4, 10),
    ],
)
def test_a_test_is_asked_less_in_ci_than_at_a_desk(told, in_ci, at_a_desk):
    counts = []
    for place in ("1", "0"):
        command = [sys.executable, "-c", COUNTED.format(told=told)]
        environment = os.environ | {"VEDETTE_REQUIRE_ALL": place}
        ran = subprocess.run(command, env=environment, cwd=TESTS.parent, capture_output=True, text=True, check=True)
        counts.append(int(ran.stdout))
    assert counts == [in_ci, at_a_desk]


def test_no_test_is_asked_more_in_ci_but_those_that_are_asked_in_full():
    files = list(TESTS.rglob("test_*.py"))  # rooms have files of one name
    assert {path.name for path in files} >= IN_FULL
    asked_more = [
        f"{path.relative_to(TESTS)}:{node.value.lineno}"
        for path in files
        if path.name not in IN_FULL
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.keyword) and node.arg == "max_examples"
        if isinstance(node.value, ast.Constant) and node.value.value > MOST
    ]
    assert asked_more == []
