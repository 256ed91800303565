"""`vedette exercise`: exercises that are listed, shown, played, replayed and scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cli.terminal import console
from geo import VedetteError

if TYPE_CHECKING:
    import sim

__all__ = ["commands"]

commands = typer.Typer(
    help="Train with scenarios: play, record, replay, score, with an after-action report.",
    epilog="Example: [bold]vedette exercise play routine-relief[/bold]",
    no_args_is_help=True,
)
_Name = Annotated[str, typer.Argument(metavar="NAME|FILE", help="An exercise that ships, or a file in YAML or JSON.")]
_Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.", exists=True, file_okay=False)]


class ExerciseInputError(VedetteError):
    """An argument that does not fit, or a score that is no longer the same."""


@commands.command("list", epilog="Example: [bold]vedette exercise list[/bold]")
def list_exercises() -> None:
    """Say which exercises there are."""
    import sim  # noqa: PLC0415 - OpenCV takes a while to load

    for name in sim.exercise_names():
        one = sim.load_exercise(sim.find_exercise(name))
        say(
            f"{one.name}: {one.title} ({', '.join(one.trains)}); {one.duration_s / 60:.0f} min, "
            f"{one.fleet.vehicles} vehicles, {len(one.objectives)} objectives"
        )


@commands.command(epilog="Example: [bold]vedette exercise show joint-handover[/bold]")
def show(name: _Name) -> None:
    """Brief an exercise: its task, its rules, what is to be reached, and what exercise control has in store."""
    import sim  # noqa: PLC0415

    one = sim.load_exercise(sim.find_exercise(name))
    say(f"{one.title} ({one.name}), for {', '.join(one.trains)}: {one.duration_s / 60:.0f} min, "
        f"{one.fleet.vehicles} vehicles")  # fmt: skip
    say(one.briefing.strip())
    for rule in one.rules:
        say(f"rule: {rule}")
    for each in one.objectives:
        bound = f"at least {each.at_least:g}" if each.at_least is not None else f"at most {each.at_most:g}"
        unit = sim.TERMS[each.measure].unit
        must = ", must" if each.must else ""
        say(f"objective {each.id}: {each.words} ({each.measure} {bound} {unit}, weight {each.weight:g}{must})")
    for inject in one.injects:
        say(f"in store at {inject.at_s:.0f} s: {inject.kind.replace('_', ' ')}")


@commands.command(epilog="Example: [bold]vedette exercise play routine-relief --out runs/exercise --speedup 60[/bold]")
def play(
    name: _Name,
    out: Annotated[Path, typer.Option(help="Folder of the record; new.")] = Path("runs/exercise"),
    speedup: Annotated[
        float | None, typer.Option(help="Simulated seconds a second; that of the exercise, by hand 1.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of gusts, faults and sensors.", min=0)] = 1,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Fly with ground stations of your own, without the automatic crew.")
    ] = False,
    port: Annotated[int, typer.Option(help="UDP port of the first vehicle, the next 10 apart; 0 takes free ones.")] = 0,
) -> None:
    """Play an exercise to its end, score it, and write the after-action report."""
    import sim  # noqa: PLC0415
    from cli.exercise_play import PlaySettings, play_exercise  # noqa: PLC0415 - loads everything

    path = sim.find_exercise(name)
    pace = speedup if speedup is not None else 1.0 if by_hand else sim.load_exercise(path).speedup
    settings = PlaySettings(out, pace, seed=seed, by_hand=by_hand, port=port)
    tell_score(play_exercise(path, settings, say), out)


@commands.command(
    epilog="Example: [bold]vedette exercise replay runs/exercise --to udp:127.0.0.1:14550 --speedup 20[/bold] "
    "(after the example of [bold]vedette exercise play[/bold])"
)
def replay(
    folder: _Folder,
    to: Annotated[str, typer.Option(help="udp:HOST:PORT of a map client or ground station.")] = "udp:127.0.0.1:14550",
    speedup: Annotated[float, typer.Option(help="Seconds of the run a second.")] = 10.0,
) -> None:
    """Tell a run again as MAVLink telemetry, and see that its record still gives the same score."""
    import sim  # noqa: PLC0415
    from cli.exercise_play import score_folder  # noqa: PLC0415

    scheme, _, rest = to.partition(":")
    host, _, port = rest.rpartition(":")
    if scheme != "udp" or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ExerciseInputError(f"--to {to!r}: give udp:HOST:PORT")
    record = sim.load_record(folder)
    sent = sim.replay(record, (host, int(port)), speedup)
    say(f"{sent} packets of {len(record.truth)} vehicles, {record.end_s / 60:.1f} min of the exercise -> {to}")
    before = (folder / "score.json").read_text(encoding="utf-8") if (folder / "score.json").exists() else None
    score = score_folder(folder)
    if before is not None and before != (folder / "score.json").read_text(encoding="utf-8"):
        raise ExerciseInputError(f"{folder}: the record gives another score than when it was played: score.json is new")
    tell_score(score, folder)


@commands.command(
    epilog="Example: [bold]vedette exercise score runs/exercise[/bold] "
    "(after the example of [bold]vedette exercise play[/bold])"
)
def score(folder: _Folder) -> None:
    """Score the record of a run again, and write its report anew."""
    from cli.exercise_play import score_folder  # noqa: PLC0415

    tell_score(score_folder(folder), folder)


def tell_score(score: sim.ExerciseScore, folder: Path) -> None:
    """Print the verdict on each objective and on the whole."""
    table = Table(show_edge=False)
    for heading in ("objective", "measured", "wanted", "verdict"):
        table.add_column(heading)
    for one in score.objectives:
        value = "-" if one.value is None else f"{one.value:g} {one.unit}".strip()
        table.add_row(one.words, value, one.bound, "[green]met[/]" if one.met else "[red]not met[/]")
    console.print(table)
    verdict = "passed" if score.passed else "not passed"
    say(f"{score.exercise}: {verdict}, {score.share:.0%} of the weight, {score.pass_mark:.0%} needed")
    say(f"open {folder}/report.html")


def say(words: str) -> None:
    """A line for people, as it is."""
    console.print(words, markup=False, highlight=False, soft_wrap=True)
