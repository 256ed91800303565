"""Peers of `vision`: programs in an environment of their own (``make vision-peers``), asked by files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.rows import BenchError
from vision import Detection, ModelRef

__all__ = ["ABSENT", "PYTHON", "Replay", "peer_says"]

PYTHON = Path(".venv-vision-peers") / "bin" / "python"
ABSENT = "absent: make vision-peers"
LIMIT_S = 300.0
"""What a peer is given."""


class Replay:
    """A detector that says again what one said, so that trackers are given the same boxes."""

    def __init__(self, model: ModelRef, boxes: Iterable[Sequence[Detection]]) -> None:
        self.model, self._boxes = model, iter(boxes)

    def detect(self, images: Sequence[Any]) -> list[list[Detection]]:
        """What was said of the next pictures."""
        return [list(next(self._boxes)) for _ in images]


def peer_says(module: str, order: dict[str, Any], folder: Path) -> Any:
    """What a peer's module makes of an order.

    Parameters
    ----------
    module
        It is run with the file of the order, and the file to write its answer to.
    order
        What it is asked, as JSON.
    folder
        Where both files may lie.

    Raises
    ------
    BenchError
        When the peer is not installed, fails, or takes longer than `LIMIT_S`.
    """
    if not PYTHON.exists():
        raise BenchError(ABSENT)
    given, told = folder / "order.json", folder / "told.json"
    given.write_text(json.dumps(order), encoding="utf-8")
    try:
        ran = subprocess.run(  # noqa: S603 - our own module in the peers' environment
            [PYTHON, "-m", module, given, told], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"took longer than {LIMIT_S:g} s") from None
    if ran.returncode:
        raise BenchError(f"does not run here ({(ran.stderr.strip().splitlines() or ['no message'])[-1][:160]})")
    return json.loads(told.read_text(encoding="utf-8"))
