"""Validation takes from the planner what a plan is made of, and nothing that plans."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import missions

MODULES = sorted(Path(missions.__file__).parent.glob("validation*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_function_of_the_planner_is_taken(path):
    taken = []
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Import) or not any(a.name.startswith("missions") for a in node.names)
        if isinstance(node, ast.ImportFrom) and not node.module.startswith("missions.validation_"):
            if node.module.split(".")[0] != "missions":
                continue
            values = vars(importlib.import_module(node.module))
            taken += [alias.name for alias in node.names if inspect.isroutine(values[alias.name])]
    assert taken == []
