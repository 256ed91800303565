"""Network files: the lines of any border file, each with a property that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from missions.border import BorderSegment, Side
from missions.border_files import border_properties, read_borders, read_lines, segments_of, write_lines
from missions.errors import BorderError, FormatError
from missions.line_feature import LineFeature, Part, kind_of, number_of, text_of, whole_of
from missions.network import BorderNetwork, Branch, LineKind
from missions.network_build import TOLERANCE_M, build_network

__all__ = ["holds_network", "read_network", "read_patrolled", "write_network"]

_FIELDS = ("name", "kind", "band_left_m", "band_right_m", "priority", "authority", "note")


def holds_network(path: Path, *, layer: str | None = None) -> bool:
    """Whether a file has a line that is a branch, so that `read_network` reads more of it than `read_borders`.

    Raises
    ------
    FormatError
        When the file is none of these or is broken.
    """
    kinds = {kind for kind in LineKind if kind is not LineKind.BORDER}
    return any(kind_of(feature) in kinds for feature in read_lines(Path(path), layer))


def read_network(
    path: Path,
    *,
    own_side: Side | str | None = None,
    layer: str | None = None,
    tolerance_m: float = TOLERANCE_M,
) -> BorderNetwork:
    """Read borders and branches of a file and make a network of them.

    Parameters
    ----------
    path
        GeoJSON, KML, KMZ, GeoPackage or Shapefile. The property ``kind`` of each line says 'border', 'fence', 'road' or
        'river'; without it a line that has an own side is a border. The other properties are the fields of
        `BorderSegment` and `Branch`; points are passed over.
    own_side
        The own side of the borders, as for `read_borders`.
    layer
        Which layer of a GeoPackage, where several have lines.
    tolerance_m
        As for `build_network`.

    Raises
    ------
    FormatError
        When the file is none of these or is broken.
    BorderError
        When a line does not say what it is, a figure is impossible, or the lines make no network.
    """
    path = Path(path)
    borders: list[BorderSegment] = []
    branches: list[Branch] = []
    for feature in read_lines(path, layer):
        kind = kind_of(feature) or ("border" if feature.get("own_side") else "")
        if kind == LineKind.BORDER:
            borders += segments_of(feature, path.stem, own_side)
        elif kind in set(LineKind):
            branches += _branches(feature, LineKind(kind), path.stem)
        else:
            said = f"is {kind!r}" if kind else "is missing"
            raise BorderError(f"{feature.where}: kind {said}: say {', '.join(LineKind)}")
    if not borders and not branches:
        raise FormatError(f"{path}: has 0 lines: a network has at least one LineString or Polygon")
    return _built(path, borders, branches, tolerance_m)


def read_patrolled(
    path: Path, own_side: Side | str | None = None, *, layer: str | None = None
) -> BorderSegment | BorderNetwork:
    """What a file asks to be patrolled: its border, or the network of several borders and what branches off them.

    Parameters and errors are those of `read_borders` and `read_network`.
    """
    path = Path(path)
    if holds_network(path, layer=layer):
        return read_network(path, own_side=own_side, layer=layer)
    borders = read_borders(path, own_side, layer=layer)
    return borders[0] if len(borders) == 1 else _built(path, borders)


def _built(
    path: Path, borders: Sequence[BorderSegment], branches: Sequence[Branch] = (), tolerance_m: float = TOLERANCE_M
) -> BorderNetwork:
    """The network of the lines of a file, which stands in the message where they make none."""
    try:
        return build_network(path.stem, borders, branches, tolerance_m)
    except BorderError as error:
        raise BorderError(f"{path}: {error}") from None


def write_network(network: BorderNetwork, path: Path) -> None:
    """Write the edges of a network with all their fields, in the format of the suffix; `read_network` joins them.

    Raises
    ------
    FormatError, FileWriteError
        As `write_borders` does.
    """
    features = []
    for edge in network.edges:
        if edge.border is not None:
            properties = {"kind": "border", **border_properties(edge.border)}
        else:
            assert edge.branch is not None
            properties = {name: getattr(edge.branch, name) for name in _FIELDS} | {"kind": str(edge.kind)}
        features.append(LineFeature(f"edge {edge.name!r}", (Part(edge.coordinates),), properties))
    write_lines(features, path)


def _branches(feature: LineFeature, kind: LineKind, stem: str) -> list[Branch]:
    values: dict[str, Any] = {name: text_of(feature, name) for name in ("authority", "note")}
    numbers: dict[str, float | None] = {name: number_of(feature, name) for name in ("band_left_m", "band_right_m")}
    numbers["priority"] = whole_of(feature, "priority")
    values |= {name: number for name, number in numbers.items() if number is not None}
    name = text_of(feature, "name") or stem
    count = len(feature.parts)
    try:
        return [
            Branch(
                name if count == 1 else f"{name} {number} of {count}",
                kind,
                tuple((point[0], point[1]) for point in part.points),
                **values,
            )
            for number, part in enumerate(feature.parts, 1)
        ]
    except BorderError as error:
        raise BorderError(f"{feature.where}: {error}") from None
