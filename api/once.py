"""Values that are built once for a process and are the very same for every thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar, TypeVarTuple

__all__ = ["once"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


def once(build: Callable[[*_Ts], _T]) -> Callable[[*_Ts], _T]:
    """Keep what `build` returns for given arguments, which are hashable and given by position.

    `functools.cache` builds anew in each thread that comes before the first is done. Of parts of statements that would
    be several which are alike and not the same: a statement over two of them is their product.
    """
    kept, lock = cache(build), threading.RLock()  # one build may ask for another of its kind

    @wraps(build)
    def get(*args: *_Ts) -> _T:
        with lock:
            return kept(*args)

    return get
