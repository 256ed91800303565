"""A package's public face that loads no more of the package than is asked of it.

Whoever delivers a crossing needs the client, and none of the service beside it: a face that imports all of its package
makes every command wait for what it does not use.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["lazily"]


def lazily(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package: a name is listed from the first, and imported when it is asked for.

    Where each name comes from is read from the imports that stand under ``if TYPE_CHECKING:`` in the package's own
    ``__init__.py``, so that people, type checkers and this function have one list.

    Parameters
    ----------
    package
        Name of the package. None of these names may be the name of one of its modules: that module would stand in the
        name's place as soon as somebody imports it.
    """
    origins: dict[str, str] = {}

    def load(name: str) -> Any:
        if not origins and not name.startswith("__"):
            origins.update(_origins(package))
        if name not in origins:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(importlib.import_module(origins[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        face = sys.modules[package]
        return [*{**vars(face), **dict.fromkeys(face.__all__)}]

    return load, names


def _origins(package: str) -> dict[str, str]:
    """Modules of the names that a face imports."""
    origins: dict[str, str] = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[package]))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{package}."):
            origins |= {alias.name: node.module for alias in node.names}
    return origins
