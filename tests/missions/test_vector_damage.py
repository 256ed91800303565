"""A row of a Shapefile or GeoPackage that is damaged is told; GDAL alone hands it over as a row without a geometry."""

import sqlite3
import struct
from contextlib import closing

import numpy as np
import pyogrio
import pytest
import shapely

from missions import FormatError, read_airspace, read_borders

SQUARES = [shapely.box(8 + east, 46, 8.01 + east, 46.01) for east in (0, 0.1, 0.2)]


def layer(path, shapes=SQUARES):
    data = np.array([None if shape is None else shapely.to_wkb(shape) for shape in shapes], dtype=object)
    names = np.array([f"zone {number}" for number in range(len(shapes))], dtype=object)
    pyogrio.raw.write(str(path), data, [names], ["name"], geometry_type="Polygon", crs="EPSG:4326")
    return path


def overwritten(path, place, data):
    whole = bytearray(path.read_bytes())
    whole[place : place + len(data)] = data
    path.write_bytes(whole)


def record(path, row):
    """Where the content of a record begins."""
    (words,) = struct.unpack(">i", path.with_suffix(".shx").read_bytes()[100 + 8 * row :][:4])
    return 2 * words + 8


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-20])
    return 2


def with_too_many_points(path):
    overwritten(path, record(path, 1) + 40, struct.pack("<i", 10**9))
    return 1


def of_a_kind_that_is_none(path):
    overwritten(path, record(path, 1), struct.pack("<i", 77))
    return 1


@pytest.mark.parametrize("damage", [cut_off, with_too_many_points, of_a_kind_that_is_none])
def test_a_damaged_shapefile_is_not_read_without_its_row(tmp_path, damage):
    path = layer(tmp_path / "zones.shp")
    assert len(read_airspace(path).zones) == 3
    row = damage(path)
    for read in (read_airspace, lambda path: read_borders(path, "inside")):
        with pytest.raises(FormatError, match=rf"zones\.shp: the geometry of 1 of its rows \(FID {row}\) is damaged"):
            read(path)


@pytest.mark.parametrize(
    "blob", [lambda whole: whole[:60], lambda whole: b"XX" + whole[2:], lambda _: b"POLYGON EMPTY"]
)
def test_a_damaged_geopackage_is_not_read_without_its_row(tmp_path, blob):
    path = layer(tmp_path / "zones.gpkg")
    with closing(sqlite3.connect(path)) as file:
        for (trigger,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{trigger}"')
        (whole,) = file.execute("SELECT geom FROM zones WHERE fid = 2").fetchone()
        file.execute("UPDATE zones SET geom = ? WHERE fid = 2", (blob(whole),))
        file.commit()
    with pytest.raises(FormatError, match=r"zones\.gpkg: the geometry of 1 of its rows \(FID 2\) is damaged"):
        read_airspace(path)


@pytest.mark.parametrize("ending", [".shp", ".gpkg"])
def test_a_row_that_has_no_geometry_is_no_damage(tmp_path, ending):
    path = layer(tmp_path / f"border{ending}", [SQUARES[0], None, SQUARES[2]])
    assert len(read_borders(path, "inside")) == 2
