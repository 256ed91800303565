"""A map file read in a process of its own: ``python -m api.planning.map_worker FILE``.

The libraries that read these formats are large and in C, and the file is somebody's: what it does to its reader it does
not do to the service. Its shapes come as GeoJSON on standard output; or, with exit code 1, why there are none.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from pathlib import Path

import missions
from geo import VedetteError

__all__ = ["main"]

_MEMORY = 4 << 30
"""Bytes of addresses, most of which is never touched."""
_NICER = 10
"""Of two who want the processor, it is the service that answers people."""


def main() -> int:
    """Read the file that is named; 0 when its shapes were told, 1 when why not was."""
    path = Path(sys.argv[1])
    os.nice(_NICER)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    tempfile.tempdir = str(path.parent)  # the service removes it, also after a reader that it killed
    try:
        told, code = json.dumps(missions.read_map_shapes(path), allow_nan=False), 0
    except VedetteError as error:
        told, code = str(error).replace(f"{path.parent}/", ""), 1
    sys.stdout.write(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
