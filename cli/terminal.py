"""What a person sees while a command runs: one console, one style of progress bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    import autopilot

__all__ = ["FlightBars", "bars", "complaints", "console", "note"]

console = Console()
complaints = Console(stderr=True)


def bars() -> Progress:
    """Progress bars in the one style of all commands, on standard error."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=complaints)


def note(about: str, said: str) -> None:
    """Say on standard error what a person should know of something; its name stands before it once."""
    told = said if said.startswith(about) else f"{about}: {said}"
    complaints.print(f"note: {told}", markup=False)


class FlightBars:
    """One bar a vehicle: places of its mission reached, and the stage that it is in."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[int, TaskID] = {}
        self._total: dict[int, int] = {}

    def __call__(self, now: autopilot.FlightProgress) -> None:
        """Show where a vehicle is."""
        text = f"vehicle {now.sysid} sortie {now.sortie}/{now.sorties}: {now.stage}"
        if now.stage == "check" and now.text:
            self._progress.console.print(
                f"vehicle {now.sysid}: {now.text}", markup=False, highlight=False, soft_wrap=True
            )
        if now.sysid not in self._tasks:
            self._tasks[now.sysid] = self._progress.add_task(text, total=None)
        task = self._tasks[now.sysid]
        if now.stage == "landed":  # it counts nothing itself: the bar of the flight is full
            self._progress.update(task, description=text, completed=self._total.get(now.sysid, 1))
        else:
            self._total[now.sysid] = now.total or self._total.get(now.sysid, 1)
            self._progress.update(task, description=text, completed=now.done, total=now.total or None)
