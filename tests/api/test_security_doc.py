"""The checklist of docs/security.md: every line is there, and the test that a line names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
STATES = {"met", "partly", "not met", "does not apply", "document"}
# Numbers of the lines of levels 1 and 2 in OWASP ASVS 5.0.0, by section.
LINES = {
    "1.1": "1 2",
    "1.2": "1 2 3 4 5 6 7 8 9",
    "1.3": "1 2 3 4 5 6 7 8 9 10 11",
    "1.4": "1 2 3",
    "1.5": "1 2",
    "2.1": "1 2 3",
    "2.2": "1 2 3",
    "2.3": "1 2 3 4",
    "2.4": "1",
    "3.2": "1 2",
    "3.3": "1 2 3 4",
    "3.4": "1 2 3 4 5 6",
    "3.5": "1 2 3 4 5",
    "3.7": "1 2",
    "4.1": "1 2 3",
    "4.2": "1",
    "4.3": "1 2",
    "4.4": "1 2 3 4",
    "5.1": "1",
    "5.2": "1 2 3",
    "5.3": "1 2",
    "5.4": "1 2 3",
    "6.1": "1 2 3",
    "6.2": "1 2 3 4 5 6 7 8 9 10 11 12",
    "6.3": "1 2 3 4",
    "6.4": "1 2 3 4",
    "6.5": "1 2 3 4 5",
    "6.6": "1 2 3",
    "6.8": "1 2 3 4",
    "7.1": "1 2 3",
    "7.2": "1 2 3 4",
    "7.3": "1 2",
    "7.4": "1 2 3 4 5",
    "7.5": "1 2",
    "7.6": "1 2",
    "8.1": "1 2",
    "8.2": "1 2 3",
    "8.3": "1",
    "8.4": "1",
    "9.1": "1 2 3",
    "9.2": "1 2 3 4",
    "10.1": "1 2",
    "10.2": "1 2",
    "10.3": "1 2 3 4",
    "10.4": "1 2 3 4 5 6 7 8 9 10 11",
    "10.5": "1 2 3 4 5",
    "10.6": "1 2",
    "10.7": "1 2 3",
    "11.1": "1 2",
    "11.2": "1 2 3",
    "11.3": "1 2 3",
    "11.4": "1 2 3 4",
    "11.5": "1",
    "11.6": "1",
    "12.1": "1 2 3",
    "12.2": "1 2",
    "12.3": "1 2 3 4",
    "13.1": "1",
    "13.2": "1 2 3 4 5",
    "13.3": "1 2",
    "13.4": "1 2 3 4 5",
    "14.1": "1 2",
    "14.2": "1 2 3 4",
    "14.3": "1 2 3",
    "15.1": "1 2 3",
    "15.2": "1 2 3",
    "15.3": "1 2 3 4 5 6 7",
    "16.1": "1",
    "16.2": "1 2 3 4 5",
    "16.3": "1 2 3 4",
    "16.4": "1 2 3",
    "16.5": "1 2 3",
    "17.1": "1",
    "17.2": "1 2 3 4",
    "17.3": "1 2",
}


def rows() -> list[tuple[str, ...]]:
    found = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in PAGE.splitlines() if line[:1] == "|"
    ]
    return [row for row in found if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]


@cache
def names_in(file: str) -> set[str]:
    path = HERE.parent / file if "/" in file else HERE / file
    assert path.is_file(), f"docs/security.md names {file}, which is neither in tests/api nor in tests"
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
    return names


def problem_of(row: tuple[str, ...]) -> str | None:
    """What is wrong with a row, or None."""
    if len(row) != 5:
        return f"{row[0]} has {len(row)} cells and not 5"
    number, asks, state, how, tests = row
    named = re.findall(r"`((?:console/)?test_\w+\.py)::(\w+(?:::\w+)?)`", tests)
    if state not in STATES or not asks or not how:
        return f"{number} does not say what it asks, whether it is met, and how or why"
    if state == "met" and not named:
        return f"{number} is met and names no test"
    if state in {"not met", "does not apply"} and named:
        return f"{number} is {state} and names a test"
    if tests != "-" and re.sub(r"`[\w.:/]+`|[, ]", "", tests):
        return f"{number} names tests in another form than `file::test`"
    return next((f"{number} names {file}::{test}" for file, test in named if test not in names_in(file)), None)


def test_every_line_of_levels_1_and_2_is_there_once_and_in_order():
    wanted = [f"{section}.{number}" for section, numbers in LINES.items() for number in numbers.split()]
    assert [row[0] for row in rows()] == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_line_is_met_by_a_test_that_exists_or_says_why_not(row):
    assert problem_of(row) is None


@pytest.mark.parametrize(
    "row",
    [
        ("1.1.1", "a", "met", "b", "-"),
        ("1.1.1", "a", "met", "b", "`test_security_doc.py::test_that_is_not`"),
        ("1.1.1", "a", "perhaps", "b", "-"),
        ("1.1.1", "a", "not met", "", "-"),
        ("1.1.1", "a", "not met", "b", "`test_abuse.py::test_of_many_headers_each_counts`"),
        ("1.1.1", "a", "partly", "b", "somewhere"),
        ("1.1.1", "a", "met", "b"),
    ],
)
def test_a_line_that_says_too_little_is_found(row):
    assert problem_of(row) is not None
