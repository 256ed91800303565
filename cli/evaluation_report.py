"""The report of an evaluation: one HTML file that opens without a network, all numbers in tables beside the charts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

import vision
from cli.evaluation_charts import crossing_chart, curve_chart, error_chart, share_chart
from cli.pages import pages
from geo import write_text

__all__ = ["band_name", "write_evaluation_report"]


def _figure(form: str) -> Callable[[float | None], str]:
    return lambda value: "-" if value is None else format(value, form)


_FIGURES = {name: _figure(form) for name, form in (("share", ".3f"), ("metres", ".2f"), ("percent", ".1%"))}


def write_evaluation_report(path: Path, evaluation: vision.Evaluation) -> None:
    """Write the report. Raises FileWriteError."""
    places = evaluation.places
    rows = [] if isinstance(places, vision.Unmeasured) else _place_rows(places)
    told = evaluation.to_json()
    text = (
        pages(_FIGURES)
        .get_template("evaluation.html")
        .render(
            told=told,
            place_rows=rows,
            # Made by us, every text in them escaped.
            charts={name: Markup(chart) for name, chart in _charts(evaluation, rows).items()},  # noqa: S704
        )
    )
    write_text(path, text)


def band_name(band: vision.Band, unit: str) -> str:
    """Words for a band of heights or angles."""
    return f"from {band.low:g} {unit}" if band.high >= 1e4 else f"{band.low:g} to {band.high:g} {unit}"


def _place_rows(places: vision.Places) -> list[tuple[str, vision.PlaceScore]]:
    """All, then by height and by angle."""
    single, smoothed = vision.score_places(places.single), vision.score_places(places.smoothed)
    rows = [] if single is None else [("each frame", single)]
    rows += [] if smoothed is None else [("smoothed", smoothed)]
    rows += [(f"{band_name(band, 'm')} up", band.score) for band in places.by_height()]
    rows += [(f"{band_name(band, '°')} down", band.score) for band in places.by_look()]
    return rows


def _charts(evaluation: vision.Evaluation, rows: list[tuple[str, vision.PlaceScore]]) -> dict[str, str]:
    charts = {}
    alarms: dict[str, list[tuple[float, float | None]]] = {}
    for one in evaluation.boxes:
        if one.objects:
            told = one.to_json()["by_alarm"]
            alarms[f"{one.kind}, precision"] = [(level, precision) for level, precision, _ in told]
            alarms[f"{one.kind}, recall"] = [(level, recall) for level, _, recall in told]
    charts["boxes"] = curve_chart("Precision and recall by alarm level", alarms, "alarm level", "share")
    if not isinstance(evaluation.tracks, vision.Unmeasured):
        told = (evaluation.tracks.get("all") or next(iter(evaluation.tracks.values()))).to_json()
        names = {"hota": "HOTA", "det_a": "DetA", "ass_a": "AssA", "loc_a": "LocA"}
        curves = {
            words: list(zip(told["alphas"], told["by_alpha"][name], strict=True)) for name, words in names.items()
        }
        charts["tracks"] = curve_chart("HOTA and its parts by overlap", curves, "least overlap", "share")
    if not isinstance(evaluation.crossings, vision.Unmeasured):
        charts["crossings"] = crossing_chart(evaluation.crossed)
    if not isinstance(evaluation.places, vision.Unmeasured):
        charts["errors"] = error_chart(evaluation.places)
        charts["inside"] = share_chart(rows)
    return charts
