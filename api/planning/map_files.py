"""Map files of other programs, read for somebody who draws a border: each in a process of its own, a few at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from api.errors import UnprocessableError
from api.threads import in_thread

__all__ = ["shapes_of"]

_COMMAND = (sys.executable, "-m", "api.planning.map_worker")
_NAME = "map file"
"""What messages call it."""
_LIMIT_S = 60.0
_AT_ONCE = 2
_READERS: RunVar[CapacityLimiter] = RunVar("vedette_map_files")


async def shapes_of(data: bytes) -> bytes:
    """GeoJSON with the shapes of a KML, KMZ, GeoPackage or zipped Shapefile, as `missions.read_map_shapes` tells them.

    Raises
    ------
    UnprocessableError
        When it is none of these or cannot be used, says why; when reading it takes too long or too much.
    """
    try:
        limiter = _READERS.get()
    except LookupError:
        limiter = CapacityLimiter(_AT_ONCE)
        _READERS.set(limiter)
    return await in_thread(_read, data, limiter=limiter)


def _read(data: bytes) -> bytes:
    with TemporaryDirectory(prefix="vedette-map-") as folder:
        # Of a GeoPackage that is called otherwise GDAL has something to say.
        path = Path(folder) / (f"{_NAME}.gpkg" if data.startswith(b"SQLite format 3") else _NAME)
        path.write_bytes(data)
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and the program is our own
                (*_COMMAND, str(path)), stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise UnprocessableError(
                f"{_NAME}: was not read within {_LIMIT_S:g} s: keep in it what is wanted, and simplify its lines"
            ) from None
    if done.returncode == 0:
        return done.stdout
    if done.returncode == 1 and done.stdout:
        raise UnprocessableError(done.stdout.decode())
    raise UnprocessableError(
        f"{_NAME}: its reader ended with code {done.returncode}: it is damaged or too large: keep in it what is wanted"
    )
