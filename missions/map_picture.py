"""The file that a plan's picture goes into."""

from __future__ import annotations

from pathlib import Path

from geo import atomic_path
from missions.errors import FormatError
from missions.fence import Fences
from missions.patrol import PatrolPlan

__all__ = ["draw_map"]


def draw_map(plan: PatrolPlan, path: Path, fences: Fences | None = None) -> None:
    """Draw a plan into a picture; the ending of the path (png, svg, pdf) says which kind.

    Parameters
    ----------
    plan
        What to draw.
    path
        File to write.
    fences
        The `sortie_fence` of each sortie, where they are known already.

    Raises
    ------
    FormatError
        When the ending names no kind of picture.
    MissionError
        Where no lawful fence exists.
    FileWriteError
        When the file cannot be written.
    """
    # Loaded where something is drawn: it takes longer than all else that a command needs to start.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    from missions.picture import PAPER, figure_of  # noqa: PLC0415

    target = Path(path)
    kind = target.suffix.lstrip(".").lower()
    if kind not in FigureCanvasAgg(Figure()).get_supported_filetypes():
        raise FormatError(f"{path}: no kind of picture ends in {target.suffix!r}: use .png, .svg or .pdf")
    figure = figure_of(plan, fences)
    with atomic_path(target) as temporary:
        figure.savefig(temporary, format=kind, dpi=150, facecolor=PAPER)
