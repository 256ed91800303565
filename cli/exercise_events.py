"""What happens in an exercise, written down as it happens: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from cli.exercise_timeline import clock

__all__ = ["EventLog"]


class EventLog:
    """Writes ``events.jsonl``.

    Parameters
    ----------
    path
        The file.
    tell
        Called with each event as a person reads it.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._tell = tell

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, t_s: float, by: Literal["control", "crew"], kind: str, words: str, **more: Any) -> None:
        """Write an event: when, seconds of the exercise; who says so; what, for machines and for people."""
        event = {"t_s": round(t_s, 3), "by": by, "kind": kind, "words": words, **more}
        self._file.write(json.dumps(event, allow_nan=False) + "\n")
        self._file.flush()
        self._tell(f"{clock(t_s):>6}  {by}: {words}")
