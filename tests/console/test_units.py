"""The console's own tests of what needs no page, beside tables of other libraries."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import mgrs
import pyproj

from tests.console.desk import WEB


def places() -> list[list[float | int | str]]:
    """Random places, and those where zones and bands meet; of each what PROJ and GEOTRANS say."""
    drawn = random.Random(1)
    some = [(drawn.uniform(-180, 180), drawn.uniform(-79.99, 83.99)) for _ in range(1500)]
    some += [(drawn.uniform(-1, 43), drawn.uniform(71, 83.99)) for _ in range(150)]  # Svalbard's wide zones
    some += [(drawn.uniform(-1, 13), drawn.uniform(55, 65)) for _ in range(150)]  # Norway's
    geotrans = mgrs.MGRS()
    found: list[list[float | int | str]] = []
    for lon, lat in some:
        grid = geotrans.toMGRS(lat, lon)
        zone = int(grid[:-13])
        to_utm = pyproj.Proj(proj="utm", zone=zone, ellps="WGS84", south=lat < 0)
        easting, northing = to_utm(lon, lat)
        found.append([lon, lat, zone, "N" if lat >= 0 else "S", easting, northing, grid])
    return found


def test_units_of_the_console(tmp_path: Path):
    table = tmp_path / "places.json"
    table.write_text(json.dumps(places()))
    done = subprocess.run(
        [sys.executable, WEB.parent / "building" / "backend.py", "test"],
        env=os.environ | {"VEDETTE_PLACES": str(table), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
