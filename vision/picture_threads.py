"""OpenCV's threads while pictures are watched.

OpenCV hands each step to a thread for each processor, and those wait for the next step in a loop. Pictures of the size
that a watch works on are done before the others have begun, so on processors that a network fills that is lost: in
turns in one run over a fixed camera's 720p pictures, a twentieth of what everything but the network takes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

__all__ = ["one_thread_each"]

_LOCK = threading.Lock()
_INSIDE = [0, 1]  # how many are inside, and the number of threads before the first of them


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Have whoever calls OpenCV do the work; as it was before when the last one leaves. From any thread."""
    with _LOCK:
        if not _INSIDE[0]:
            _INSIDE[1] = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _INSIDE[0] += 1
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE[0] -= 1
            if not _INSIDE[0]:
                cv2.setNumThreads(_INSIDE[1])
