"""What a PMTiles archive says of itself (version 3): what it holds, of where, and whether a browser can read it."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Archive", "ArchiveError", "read_archive"]

_HEADER = struct.Struct("<7sB11Q6B4iB2i")
_UNSAID, _PLAIN, _GZIP = 0, 1, 2
_UNDONE = frozenset({_UNSAID, _PLAIN, _GZIP})
_COMPRESSIONS = {3: "Brotli", 4: "Zstandard"}
_KINDS = {1: "vector", 2: "raster", 3: "raster", 4: "raster", 5: "raster"}
_DEEPEST = 24
_MAX_METADATA_BYTES = 4 << 20
_MAX_ATTRIBUTION = 500
_MAX_LAYERS = 200


class ArchiveError(Exception):
    """A file is no archive that the console can show: says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive holds.

    Parameters
    ----------
    kind
        "vector" or "raster".
    bounds
        West, south, east, north; degrees, WGS 84.
    minzoom, maxzoom
        Zooms of a Web Mercator map.
    attribution
        Whom to name, as text; empty where the archive names nobody.
    layers
        Names of a vector map's layers, as its metadata lists them.
    """

    kind: str
    bounds: tuple[float, float, float, float]
    minzoom: int
    maxzoom: int
    attribution: str
    layers: tuple[str, ...]


def read_archive(path: Path) -> Archive:
    """Read the header and the metadata; tiles are left alone.

    Raises
    ------
    ArchiveError
        When the file cannot be read, is cut off, is no PMTiles archive of version 3, or is packed in a way that
        browsers do not know.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            size = path.stat().st_size
            fields = _header(header, size)
            file.seek(fields.metadata[0])
            packed = file.read(fields.metadata[1])
    except OSError as error:
        raise ArchiveError(f"cannot be read: {error.strerror}") from error
    metadata = _metadata(packed, fields.internal)
    listed = metadata.get("vector_layers")
    layers = listed if fields.kind == "vector" and isinstance(listed, list) else []
    named = [_text(each.get("id")) for each in layers if isinstance(each, dict)]
    return Archive(
        fields.kind,
        fields.bounds,
        fields.minzoom,
        fields.maxzoom,
        _text(metadata.get("attribution"))[:_MAX_ATTRIBUTION],
        tuple(dict.fromkeys(filter(None, named)))[:_MAX_LAYERS],
    )


@dataclass(frozen=True, slots=True)
class _Fields:
    metadata: tuple[int, int]
    internal: int
    kind: str
    minzoom: int
    maxzoom: int
    bounds: tuple[float, float, float, float]


def _header(header: bytes, size: int) -> _Fields:
    if header[:7] != b"PMTiles" or len(header) < _HEADER.size:
        raise ArchiveError("is no PMTiles archive: convert it with `pmtiles convert`")
    _, version, *numbers = _HEADER.unpack(header)
    if version != 3:
        raise ArchiveError(f"is a PMTiles archive of version {version}: bring it to version 3 with `pmtiles convert`")
    sections = [(numbers[i], numbers[i + 1]) for i in range(0, 8, 2)]
    if any(offset + length > size for offset, length in sections):
        raise ArchiveError("is cut off: copy it again")
    internal, packed, tile_type, minzoom, maxzoom = numbers[12:17]
    for compression in (internal, packed):
        if compression not in _UNDONE:
            name = _COMPRESSIONS.get(compression, f"compression {compression}")
            raise ArchiveError(f"is packed with {name}, which browsers cannot undo: make it with gzip")
    kind = _KINDS.get(tile_type)
    if kind is None:
        raise ArchiveError(f"has tiles of type {tile_type}: give vector tiles (MVT) or pictures")
    west, south, east, north = (value / 1e7 for value in numbers[17:21])
    within = -180 <= west < east <= 180 and -90 <= south < north <= 90
    if not (within and minzoom <= maxzoom <= _DEEPEST):
        raise ArchiveError("has bounds or zooms that cannot be: make it anew")
    if sections[1][1] > _MAX_METADATA_BYTES:
        raise ArchiveError("has metadata of more than 4 MiB: make it anew")
    return _Fields(sections[1], internal, kind, minzoom, maxzoom, (west, south, east, north))


def _text(value: object) -> str:
    """A text of the metadata; empty where it is none."""
    text = value if isinstance(value, str) else ""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # half a character, which JSON can say
        raise ArchiveError("has metadata that are no text: make it anew") from error
    return text


def _metadata(packed: bytes, compression: int) -> dict[str, Any]:
    try:
        if compression == _GZIP and packed:
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            packed = unpacker.decompress(packed, _MAX_METADATA_BYTES)
            if unpacker.unconsumed_tail:
                raise ArchiveError("has metadata of more than 4 MiB: make it anew")
        metadata = json.loads(packed or b"{}")
    except (zlib.error, ValueError, RecursionError) as error:
        raise ArchiveError("has metadata that cannot be read: make it anew") from error
    return metadata if isinstance(metadata, dict) else {}
