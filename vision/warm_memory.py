"""Memory of large arrays that is used again once nobody refers to it.

Fresh memory of a picture's size comes page by page from the system and is cleared before: of 720p that takes the
processor longer than the conversion of its colours, for every picture again.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["WarmMemory"]

_IDLE = 8


class WarmMemory:
    """Lends arrays, and takes their memory back by itself when the last view of one is gone. Thread-safe.

    Nothing is ever taken from who still has it: whoever keeps all arrays has fresh ones. Of what came back so much is
    kept as eight arrays take; it goes with the last of the arrays and this.
    """

    def __init__(self) -> None:
        self._idle: deque[NDArray[Any]] = deque(maxlen=_IDLE)

    def array(self, shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> NDArray[Any]:
        """An array of a shape and type; what is in it is anything."""
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = np.empty(shape, dtype)
        if memory.shape != shape or memory.dtype != dtype:  # those of another size go one by one
            memory = np.empty(shape, dtype)
        return np.asarray(_Loan(memory, self._idle))


class _Loan:
    """What a lent array, and each view of it, refers to: as long as there is one the memory is in use."""

    __slots__ = ("__array_interface__", "_idle", "_memory")

    def __init__(self, memory: NDArray[Any], idle: deque[NDArray[Any]]) -> None:
        self._memory, self._idle = memory, idle
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        self._idle.append(self._memory)
