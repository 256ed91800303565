"""The kinds of work that a worker takes, and how an order becomes a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.errors import UnprocessableError

__all__ = ["KINDS", "Kind", "arguments_of"]

_OPTIONS = frozenset(
    {
        "border", "line", "own-side", "pose", "hfov", "start", "calibration", "clock-offset", "model", "sensor",
        "engine", "precision", "decode", "slice", "fps", "ground", "owner", "marking", "reconnect", "keep-live",
        "picture-of",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work.

    Parameters
    ----------
    name
        As it stands with the job.
    once
        Whether a place that was worked through is never taken again.
    tries
        How often it is begun before it is given up; None: without end.
    options
        What may be said of it, each as `--option value` of its command.
    """

    name: str
    once: bool
    tries: int | None
    options: frozenset[str]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("watch.archive", once=True, tries=10, options=_OPTIONS),
        # A stream is there until somebody stops it: a camera that is away is looked for again.
        Kind("watch.stream", once=False, tries=None, options=_OPTIONS),
    )
}


def arguments_of(kind: Kind, place: str, options: Mapping[str, str], *, out: Path, url: str) -> Sequence[str]:
    """What follows `vedette watch` for one job; its key is in the environment, where no list of processes shows it.

    Raises
    ------
    UnprocessableError
        When an option is none of that kind, or a place or value would be read as an option.
    """
    unknown = sorted(set(options) - kind.options)
    if unknown:
        raise UnprocessableError(
            f"{kind.name} has no option {unknown[0]}: give one of {', '.join(sorted(kind.options))}"
        )
    if place.startswith("-"):
        raise UnprocessableError(f"{place} would be read as an option: give a path or an address")
    given = [f"--{name}={value}" for name, value in sorted(options.items())]
    return [*given, f"--out={out}", f"--url={url}", "--", place]
