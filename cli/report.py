"""The HTML report of a demonstration: its figures, pictures and clips in the order of the loop."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

import api
import vision
from cli.outcome import Outcome
from geo import geodesic_distance_m

__all__ = ["figures", "outcome_table", "write_run_report"]

_NOTES = (
    (
        "The border is a stretch of a real land border (Natural Earth 1:10m, public domain; a generalised line, not a "
        "legal statement). Everything else is simulated: vehicles, ground, people, cameras."
    ),
    (
        "The cameras are rendered only in the windows in which the scenario plays something, or shows that nothing "
        "happens; the rest of the patrol is flown and not filmed. No truth reaches the detector, the tracker or the "
        "crossing test: they see the video and its metadata, with errors of position and attitude added."
    ),
    (
        "Found and missed count the crossings that were in view: in the picture at the passage and for two seconds "
        "before and after."
    ),
)


def figures(outcome: Outcome) -> tuple[api.Figure, ...]:
    """The short table, in the order in which it is printed."""
    made, score, watched = outcome.plan, outcome.watched.score, outcome.watched
    summary = outcome.summary()
    rate = watched.fps / watched.bare_fps
    return (
        api.Figure("border", f"{made.border.length_m() / 1000:.1f}", "km"),
        api.Figure("band seen at the wanted GSD", f"{made.coverage.share:.1%}"),
        api.Figure("revisit interval", f"{made.revisit_s / 60:.1f}", "min"),
        api.Figure("its lower bound", f"{made.revisit_bound_s / 60:.1f}", "min", f"ratio {1 + made.gap:.2f}"),
        api.Figure("sorties flown", f"{len(summary['missions'])}", "", "verified, landed", met=_verified(outcome)),
        api.Figure("flown distance", f"{outcome.flown_m / 1000:.1f}", "km"),
        api.Figure(
            "nearest approach to the border",
            f"{summary['nearest_border_m']:.1f}",
            "m",
            f"at least {made.border.stand_off_m:.0f}",
            met=summary["nearest_border_m"] >= made.border.stand_off_m,
        ),
        api.Figure("video watched", f"{summary['video_s']:.0f}", "s"),
        api.Figure("frames a second, everything", f"{watched.fps:.1f}"),
        api.Figure(
            "frames a second, the model alone",
            f"{watched.bare_fps:.1f}",
            "",
            f"ratio {rate:.2f}",
        ),
        api.Figure("crossings in view", f"{score.truth}"),
        api.Figure("crossings found", f"{score.found}", "", "at least 9 of 10", met=score.found >= 0.9 * score.truth),
        api.Figure("crossings missed", f"{score.missed}"),
        api.Figure("false crossings", f"{score.false}", "", "none", met=score.false == 0),
        api.Figure("released crossing visible to", ", ".join(summary["partner"]["visible_to"]) or "nobody"),
        api.Figure("and hidden from", ", ".join(summary["partner"]["hidden_from"]) or "nobody"),
    )


def outcome_table(outcome: Outcome) -> Table:
    """The short table for the terminal."""
    table = Table(title=f"Vedette: {outcome.plan.border.name}", show_header=False)
    for figure in figures(outcome):
        mark = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}[figure.met]
        table.add_row(figure.label, f"{figure.value} {figure.unit}".strip(), figure.goal, mark)
    return table


def write_run_report(outcome: Outcome, folder: Path) -> None:
    """Write ``report.html`` into the folder of the run's pictures and clips. Raises as `api.write_report` does."""
    made, settings = outcome.plan, outcome.settings
    api.write_report(
        folder / "report.html",
        api.RunReport(
            title="Vedette: first flight",
            subtitle=f"{made.border.name}: one patrol of {len(made.fleet.vehicles)} drones, from plan to release",
            made=vision.iso_time(outcome.flight.ended_us),
            figures=figures(outcome),
            map_picture=folder / "map.png",
            map_caption=f"Map of the patrol along {made.border.name}: border, watched band, sorties and base.",
            sorties=_sorties(outcome),
            verifications=_verifications(outcome),
            crossings=_crossings(outcome, folder),
            readers=_readers(outcome),
            model=_model(outcome),
            notes=_NOTES,
            command=f"vedette demo --seed {settings.seed}",
        ),
    )


def _verified(outcome: Outcome) -> bool:
    return all(mission["verified"] and mission["flown"] for mission in outcome.summary()["missions"])


def _sorties(outcome: Outcome) -> tuple[api.SortieEntry, ...]:
    reports = {(v.sysid, s.number): s for v in outcome.flight.vehicles for s in v.sorties}
    entries = []
    for sortie in outcome.plan.sorties:
        report = reports[sortie.vehicle.sysid, sortie.turn]
        entries.append(
            api.SortieEntry(
                sortie.vehicle.name,
                sortie.turn,
                sortie.distance_m / 1000,
                sortie.duration_s / 60,
                report.battery_percent,
                outcome.plan.observation.gsd_far_m,
                "completed" if report.completed else str(report.failure),
            )
        )
    return tuple(entries)


def _verifications(outcome: Outcome) -> tuple[api.VerificationEntry, ...]:
    return tuple(
        api.VerificationEntry(
            f"vehicle-{vehicle.sysid}",
            sortie.number,
            upload.kind.name.lower(),
            upload.items,
            upload.items,
            verified=True,  # a list that does not read back right is no `Verified`
            note=f"{upload.upload_s * 1000:.0f} ms up, {upload.readback_s * 1000:.0f} ms back",
        )
        for vehicle in outcome.flight.vehicles
        for sortie in vehicle.sorties
        for upload in sortie.uploads
    )


def _crossings(outcome: Outcome, folder: Path) -> tuple[api.CrossingEntry, ...]:
    truth = {
        name: vision.load_truth(recording.truth)
        for recording in outcome.watched.recordings
        for name in [recording.video.stem]
    }
    entries = []
    for name, result in outcome.watched.results.items():
        for crossing in result.crossings:
            evidence = folder / "evidence" / crossing.source_id
            clip = crossing.evidence.clip if crossing.evidence else None
            chosen = crossing.source_id == outcome.shared.reviewed
            entries.append(
                api.CrossingEntry(
                    crossing.source_id,
                    vision.iso_time(crossing.time_us),
                    crossing.kind,
                    crossing.direction.value,
                    crossing.status.value,
                    _place(crossing),
                    crossing.confidence,
                    "confirmed" if chosen else "pending",
                    crossing.custody.marking,
                    _nearest_truth(crossing, truth[name]),
                    folder / "pictures" / f"{crossing.source_id}.jpg",
                    evidence / clip if clip else None,
                )
            )
    return tuple(sorted(entries, key=lambda entry: entry.time))


def _place(crossing: vision.Crossing) -> str:
    if crossing.lat_deg is None or crossing.lon_deg is None:
        return "not known: a line in the picture"
    within = f" ±{crossing.ellipse.semi_major_m:.1f} m" if crossing.ellipse else ""
    return f"{crossing.lat_deg:.6f}, {crossing.lon_deg:.6f}{within}"


def _nearest_truth(crossing: vision.Crossing, truth: tuple[vision.TrueCrossing, ...]) -> str:
    """In words, how far the nearest true crossing in the same direction is."""
    same = [t for t in truth if t.direction is crossing.direction]
    if not same or crossing.lat_deg is None:
        return "no true crossing in this recording"
    best = min(same, key=lambda t: abs(t.time_us - crossing.time_us))
    metres = float(geodesic_distance_m(crossing.lat_deg, crossing.lon_deg, best.lat_deg, best.lon_deg))  # type: ignore[arg-type]
    return f"{(crossing.time_us - best.time_us) / 1e6:+.1f} s, {metres:.1f} m"


def _readers(outcome: Outcome) -> tuple[api.PartnerView, ...]:
    everything = len(outcome.shared.stored)
    entries = []
    for name, seen in outcome.shared.seen.items():
        own = name == "analyst"
        fields = sorted({key for feature in seen for key, value in feature["properties"].items() if value is not None})
        entries.append(
            api.PartnerView(
                name,
                "own organisation" if own else "what was released under its agreement",
                len(seen),
                everything,
                tuple(fields),
                "" if seen else "nothing was released to it",
            )
        )
    return tuple(entries)


def _model(outcome: Outcome) -> api.ModelCard:
    model = outcome.watched.model
    return api.ModelCard(
        model.name,
        model.sha256,
        "Persons, vehicles and bicycles seen from a drone; its card with data, licence and accuracy on held-out real "
        "images is vision/models/MODEL_CARD.md.",
        limits=(
            "It proposes, a person decides: nothing leaves the organisation before review.",
            (
                f"Its pictures in this run are rendered at {outcome.plan.observation.gsd_far_m:.3f} m "
                "a pixel or better; accuracy on real pictures is lower and is in the card."
            ),
        ),
    )
