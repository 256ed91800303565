"""Routes of the operator's maps: PMTiles archives in a folder, shown over the base map."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.responses import Response

from api.console.archives import Archive, ArchiveError, read_archive
from api.described import COUNT, TEXT, answered, answered_file, closed, list_of
from api.errors import NotFoundError
from api.http import Caller, Given, Route, Stored, answer, read
from api.identity.roles import Permission
from api.ranged import Ranged

__all__ = ["ROUTES"]

_MEDIA_TYPE = "application/vnd.pmtiles"
_LOG = logging.getLogger("vedette.api")
_NAME = re.compile(r"[^\W_](?:[\w. -]{0,98}\w)?")
"""A name of a map: nothing that leads out of the folder, or is hidden in it."""


def get_maps(call: Caller, store: Stored, settings: Given) -> Response:
    """The maps there are, by name. A file that is no map is left out; the log says why."""
    found = _maps(settings.console.maps)
    told = [_told(name, archive) for name, _, archive in found]
    return answer(read(store, call, "map.list", lambda _session, _now: (told, [name for name, _, _ in found])))


def get_map(name: str, call: Caller, settings: Given) -> Response:
    """A map's archive; browsers take a range of bytes at a time."""
    call.audited = True  # by the list: it holds no record, and an entry for each tile would bury those of records
    for each, path, _ in _maps(settings.console.maps):
        if each == name:
            return Ranged(path, media_type=_MEDIA_TYPE, headers={"Cache-Control": "private, no-cache"})
    raise NotFoundError("there is no map of this name: GET /maps lists them")


def _maps(folder: Path | None) -> list[tuple[str, Path, Archive]]:
    """Name, file and content of each map; what cannot be shown is left out."""
    found = []
    for path in sorted(folder.glob("*.pmtiles")) if folder is not None else ():
        try:
            stat = path.stat()
            archive = _read(path, stat.st_mtime_ns, stat.st_size)
        except (ArchiveError, OSError) as error:
            _say_once(path, str(error))
        else:
            found.append((path.stem, path, archive))
    return found


@lru_cache(256)
def _read(path: Path, _changed_ns: int, _size: int) -> Archive:
    if not _NAME.fullmatch(path.stem):
        raise ArchiveError("has a name that is none: use letters, digits, points, dashes and spaces")
    return read_archive(path)


@lru_cache(256)
def _say_once(path: Path, problem: str) -> None:
    _LOG.warning("not a map", extra={"fields": {"file": path.name, "problem": problem}})


def _told(name: str, archive: Archive) -> dict[str, Any]:
    return {
        "name": name,
        "kind": archive.kind,
        "bounds": list(archive.bounds),
        "minzoom": archive.minzoom,
        "maxzoom": archive.maxzoom,
        "attribution": archive.attribution,
        "layers": list(archive.layers),
    }


_DEGREES = {"type": "number", "minimum": -180, "maximum": 180}
_MAP = closed(
    name=TEXT,
    kind={"enum": ["raster", "vector"]},
    bounds={"type": "array", "items": _DEGREES, "minItems": 4, "maxItems": 4},
    minzoom=COUNT,
    maxzoom=COUNT,
    attribution=TEXT,
    layers=list_of(TEXT),
)
_ETAG = {"ETag": "Changes with the file."}
ROUTES: tuple[Route, ...] = (
    Route("GET", "/maps", get_maps, Permission.SELF, answers=answered(list_of(_MAP))),
    Route(
        "GET",
        "/maps/{name}",
        get_map,
        Permission.SELF,
        answers=answered_file({}, media_types=(_MEDIA_TYPE,), **_ETAG),
    ),
)
