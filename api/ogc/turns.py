"""How many filters are answered at a time: one may take seconds, and each holds a thread that others wait for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import RateLimitedError

__all__ = ["Turns"]

_AGAIN_S = 1.0


class Turns:
    """Filters that are being answered, of everybody and of each. One a process.

    Parameters
    ----------
    of_one, of_all
        Most at a time; those of all are half of the threads that requests have.
    processes
        How many serve the store. They do not count together: each lets through its share, and one at least.
    """

    def __init__(self, of_one: int = 4, of_all: int = 20, *, processes: int = 1) -> None:
        self._of_one, self._of_all = max(1, of_one // processes), max(1, of_all // processes)
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        """A turn of `who` for as long as the block runs.

        Raises
        ------
        RateLimitedError
            When as many filters of theirs, or of all, are being answered as may be.
        """
        with self._lock:
            mine = self._running[who] >= self._of_one
            if mine or self._running.total() >= self._of_all:
                whose = "yours" if mine else "all"
                raise RateLimitedError(
                    f"as many filters of {whose} are being answered as may be: ask one after another", _AGAIN_S
                )
            self._running[who] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[who] -= 1
                if not self._running[who]:
                    del self._running[who]
