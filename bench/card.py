"""How busy a graphics card and its decoder are while something runs, as nvidia-smi tells it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

__all__ = ["CardUse"]

_QUERY = "utilization.gpu,utilization.decoder,memory.used"
_EVERY_MS = 250


@dataclass(slots=True)
class CardUse:
    """Looks at the first card inside ``with``; tells nothing where there is none.

    Parameters
    ----------
    gpu, decoder
        Share of the time in which they worked, percent, one figure each look.
    memory_mb
        Memory of the card in use, MiB.
    """

    gpu: list[float] = field(default_factory=list)
    decoder: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    _program: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        program = shutil.which("nvidia-smi")
        if program is not None:
            self._program = subprocess.Popen(  # noqa: S603 - the driver's own program
                [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits", "-i", "0", "-lms", str(_EVERY_MS)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._program is None:
            return
        self._program.terminate()
        told, _ = self._program.communicate()
        for line in told.splitlines():
            try:
                gpu, decoder, memory = (float(part) for part in line.split(","))
            except ValueError:  # cut off, or "[N/A]"
                continue
            self.gpu.append(gpu)
            self.decoder.append(decoder)
            self.memory_mb.append(memory)

    def __str__(self) -> str:
        if not self.gpu:
            return "no card"
        gpu, decoder = np.mean(self.gpu), np.mean(self.decoder)
        return f"card {gpu:.0f} % and its decoder {decoder:.0f} % busy, {max(self.memory_mb):.0f} MiB"
