"""The report of a run: one HTML file that opens without a network.

Fill a `RunReport` and hand it to `write_report`. Pictures are embedded; clips are linked by a path relative to the
report, so that the folder can be moved as a whole. Text is escaped; nothing is fetched and no script runs.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.errors import ReportError
from geo import write_text

__all__ = [
    "CrossingEntry",
    "Figure",
    "ModelCard",
    "PartnerView",
    "RunReport",
    "SortieEntry",
    "VerificationEntry",
    "write_report",
]

_TEMPLATES = Path(__file__).parent / "templates"
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the run: what it is, its value as text, its unit (may be empty), and what it was wanted to be."""

    label: str
    value: str
    unit: str = ""
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class SortieEntry:
    """One sortie. Lengths in km, duration in minutes, battery in percent left at landing, GSD in m a pixel."""

    vehicle: str
    sortie: int
    length_km: float
    duration_min: float
    battery_left_pct: float | None
    gsd_m: float | None
    state: str
    """What became of it: "completed", "returned early", ..."""


@dataclass(frozen=True, slots=True)
class VerificationEntry:
    """What a vehicle was sent and what was read back from it: mission items, fence and rally points."""

    vehicle: str
    sortie: int
    what: str
    """ "mission", "fence" or "rally"."""
    sent: int
    read_back: int
    verified: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class CrossingEntry:
    """One crossing. Files are paths; the clip must lie in or below the report's folder."""

    crossing_id: str
    time: str
    """ISO 8601."""
    kind: str
    direction: str
    status: str
    """"confirmed" or "probable"."""
    place: str
    """As a person reads it: "31.33310, -110.94120 ±3 m", or why it is not known."""
    confidence: float
    review: str
    """"pending", "confirmed" or "dismissed: why"."""
    marking: str | None
    truth: str = ""
    """How it compares with the truth of a simulation, where there is one."""
    thumbnail: Path | None = None
    clip: Path | None = None


@dataclass(frozen=True, slots=True)
class PartnerView:
    """What one reader was given: who, the rule in words, what it saw, what was withheld and why."""

    reader: str
    rule: str
    seen: int
    of: int
    fields: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """An excerpt of the detector's card: figures as (label, value), limits as sentences."""

    name: str
    sha256: str
    purpose: str
    figures: tuple[tuple[str, str], ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything that the report of a run says, in the order in which it says it.

    Parameters
    ----------
    title, subtitle
        Heading, and one sentence on what was run.
    made
        When, ISO 8601.
    figures
        The short table.
    map_picture, map_caption
        A PNG, JPEG or WebP file, and what it shows in words (also its alternative text).
    sorties, verifications, crossings, readers
        The tables.
    model
        The detector; None where none ran.
    notes
        What the reader must know: what was simulated, what was not.
    command
        How to make the same run again.
    """

    title: str
    subtitle: str
    made: str
    figures: tuple[Figure, ...]
    map_picture: Path | None = None
    map_caption: str = ""
    sorties: tuple[SortieEntry, ...] = ()
    verifications: tuple[VerificationEntry, ...] = ()
    crossings: tuple[CrossingEntry, ...] = ()
    readers: tuple[PartnerView, ...] = ()
    model: ModelCard | None = None
    notes: tuple[str, ...] = ()
    command: str = ""


def write_report(path: Path, run: RunReport) -> None:
    """Write the report of a run as one HTML file, whole or not at all.

    Parameters
    ----------
    path
        The HTML file; its folder is made when absent.
    run
        What it says.

    Raises
    ------
    ReportError
        When a picture cannot be read or is of no known kind, or a clip lies outside the report's folder.
    FileWriteError
        When the file cannot be written.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["picture"] = _data_uri
    environment.filters["beside"] = lambda clip: _relative(clip, path.parent)
    text = environment.get_template("report.html").render(run=run)
    write_text(path, text)


def _data_uri(picture: Path) -> str:
    media_type = _PICTURES.get(picture.suffix.lower())
    if media_type is None:
        raise ReportError(f"picture {picture} is of no known kind: give {', '.join(_PICTURES)}")
    try:
        content = picture.read_bytes()
    except OSError as error:
        raise ReportError(f"picture {picture} cannot be read: {error.strerror}") from error
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _relative(clip: Path, folder: Path) -> str:
    try:
        return quote(clip.resolve().relative_to(folder.resolve()).as_posix())
    except ValueError:
        raise ReportError(f"clip {clip} lies outside the report's folder {folder}: put it below") from None
