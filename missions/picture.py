"""A picture of a plan: overview, close-up of the geometry, and timetable."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from missions.fence import Fences, plan_fences
from missions.options import Objective
from missions.patrol import PatrolPlan
from missions.picture_closeup import draw_closeup
from missions.picture_overview import draw_overview, overview_extent
from missions.picture_sheet import INK, sheet_of
from missions.picture_timetable import draw_timetable

__all__ = ["PAPER", "figure_of"]

PAPER = "#ffffff"
_WIDE_IN, _PANELS_IN = 13.0, 4.6
_USED = 0.93
"""Share of its room that the overview fills at least, beside the legends."""


def figure_of(plan: PatrolPlan, fences: Fences | None = None) -> Figure:
    """The picture of a plan: its panels are the overview, the close-up and the timetable, in this order."""
    sheet = sheet_of(plan, plan_fences(plan) if fences is None else fences)
    width, height = np.ptp(overview_extent(sheet), axis=0)
    # The overview keeps its proportions: its height on the sheet follows from the ground.
    tall = float(np.clip(11.6 * height / width * 1.15, 2.0, 7.5))
    figure = Figure(figsize=(_WIDE_IN, tall + _PANELS_IN + 1.8), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=[tall + 0.5, _PANELS_IN], width_ratios=[1.15, 1.0])
    points_per_m = 72 * _USED * min(_WIDE_IN / float(width), tall / float(height))
    draw_overview(figure.add_subplot(grid[0, :]), sheet, points_per_m)
    draw_closeup(figure.add_subplot(grid[1, 0]), sheet)
    draw_timetable(figure.add_subplot(grid[1, 1]), sheet)
    what = "all of it once" if plan.options.objective is Objective.ONCE else "every point again"
    figure.suptitle(
        f"{plan.name}    {len(plan.fleet.vehicles)} aircraft, {len(plan.sorties)} sorties, "
        f"coverage {plan.coverage.share:.1%}, {what} within {plan.revisit_s / 60:.0f} min",
        fontsize=13,
        color=INK,
        x=0.012,
        ha="left",
        weight="bold",
    )
    return figure
