"""Border files in other datums: displaced as they ought to be, told how well that is known, or refused."""

import sqlite3
import warnings

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from missions import FormatError, read_border

PLACE = ((-110.95, 31.33), (-110.90, 31.35))
NO_NAME = (
    'GEOGCS["GCS_Unknown",DATUM["D_unknown",SPHEROID["GRS_1980",6378137,298.257222101]],PRIMEM["Greenwich",0],'
    'UNIT["Degree",0.017453292519943295]]'
)
SPHERE = (
    'GEOGCS["GCS_Sphere",DATUM["D_Sphere",SPHEROID["Sphere",6371000,0]],PRIMEM["Greenwich",0],'
    'UNIT["Degree",0.017453292519943295]]'
)


def file_in(path, crs, points=PLACE, wkb=None, kind="LineString", **fields):
    """A file of one line with an own side."""
    columns = {"own_side": "left", **fields}
    pyogrio.raw.write(
        str(path),
        np.array([shapely.to_wkb(shapely.LineString(points)) if wkb is None else wkb], dtype=object),
        field_data=[np.array([value], dtype=object) for value in columns.values()],
        fields=list(columns),
        geometry_type=kind,
        crs=crs,
        driver="ESRI Shapefile" if path.suffix == ".shp" else "GPKG",
    )
    return path


def shifted(lon_deg, lat_deg, axis_m, flattening, move_m):
    """A place moved by a geocentric translation, from its ellipsoid to that of WGS 84."""
    e2 = 2 * flattening - flattening**2
    lon, lat = np.radians([lon_deg, lat_deg])
    n = axis_m / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    x = n * np.cos(lat) * np.cos(lon) + move_m[0]
    y = n * np.cos(lat) * np.sin(lon) + move_m[1]
    z = n * (1 - e2) * np.sin(lat) + move_m[2]
    flat = 1 / 298.257223563
    e2, p = 2 * flat - flat**2, np.hypot(x, y)
    lat = np.arctan2(z, p * (1 - e2))
    for _ in range(6):
        n = 6_378_137.0 / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        lat = np.arctan2(z + e2 * n * np.sin(lat), p)
    return np.degrees(np.arctan2(y, x)), np.degrees(lat)


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_a_border_in_nad27_is_displaced_by_its_datum(tmp_path, suffix):
    """EPSG's "NAD27 to WGS 84 (6)" for the western United States: Clarke 1866 moved by -8, 159, 175 m."""
    border = read_border(file_in(tmp_path / f"old.{suffix}", "EPSG:4267"))
    for (lon, lat), got in zip(PLACE, border.coordinates, strict=True):
        expected = shifted(lon, lat, 6_378_206.4, 1 / 294.978698214, (-8.0, 159.0, 175.0))
        assert got == pytest.approx(expected, abs=1e-8)
        assert abs(got[0] - lon) * 95_000 > 60, "more than a stand-off"
    assert border.note == "brought to WGS 84 from NAD27, which is known to 7 m"


def test_what_is_told_of_the_datum_stands_beside_what_the_file_says(tmp_path):
    border = read_border(file_in(tmp_path / "old.gpkg", "EPSG:4267", NOTE="as of 1954"))
    assert border.note == "as of 1954; brought to WGS 84 from NAD27, which is known to 7 m"


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32612", "EPSG:3857", "EPSG:4979"])
def test_of_wgs_84_nothing_is_told(tmp_path, crs):
    here = points_in(crs)
    border = read_border(file_in(tmp_path / "line.gpkg", crs, here))
    assert border.note == ""
    assert border.coordinates[0] == pytest.approx(PLACE[0], abs=1e-9)


def points_in(crs):
    """The place in a system of WGS 84, through a proj string of it and not through its code."""
    strings = {
        "EPSG:32612": "+proj=utm +zone=12 +datum=WGS84",
        "EPSG:3857": "+proj=merc +a=6378137 +b=6378137 +units=m",
    }
    return [pyproj.Proj(strings[crs])(*p) for p in PLACE] if crs in strings else PLACE


@pytest.mark.parametrize(
    ("prj", "words"),
    [
        (NO_NAME, "cannot be brought to WGS 84"),
        (SPHERE, "cannot be brought to WGS 84"),
        ('LOCAL_CS["Arbitrary",UNIT["metre",1]]', "cannot be brought to WGS 84"),
    ],
    ids=["no name", "sphere", "local"],
)
def test_a_datum_that_no_way_leads_from_is_refused(tmp_path, prj, words):
    """Taken for WGS 84 it would lie up to kilometres beside its place."""
    path = file_in(tmp_path / "line.shp", "EPSG:4326")
    path.with_suffix(".prj").write_text(prj)
    with pytest.raises(FormatError, match=words) as error:
        read_border(path)
    assert "line.shp" in str(error.value)


@pytest.mark.parametrize("code", [0, -1])
def test_a_geopackage_without_a_known_system_is_refused(tmp_path, code):
    """Codes 0 and -1 of GeoPackage: undefined, geographic and Cartesian."""
    path = file_in(tmp_path / "line.gpkg", "EPSG:4326")
    with sqlite3.connect(path) as base:
        for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        base.execute("UPDATE gpkg_geometry_columns SET srs_id = ?", (code,))
        base.execute("UPDATE gpkg_contents SET srs_id = ?", (code,))
    base.close()
    with pytest.raises(FormatError, match=r"Undefined .* cannot be brought to WGS 84"):
        read_border(path)


def test_a_datum_that_is_known_badly_is_refused(tmp_path):
    """EPSG has no figure of Kalianpur 1962: 999 m."""
    with pytest.raises(FormatError, match="to 999 m only"):
        read_border(file_in(tmp_path / "line.gpkg", "EPSG:4145", ((70.0, 30.0), (70.1, 30.0))))


BESSEL = (
    'GEOGCS["Mine",DATUM["D_Mine_1927",SPHEROID["Bessel 1841",6377397.155,299.1528128],TOWGS84[{}]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
)
SATELLITE = BESSEL.replace("Bessel 1841", "GRS 1980").replace("6377397.155,299.1528128", "6378137,298.257222101")


def with_prj(path, prj):
    file_in(path, "EPSG:4326").with_suffix(".prj").write_text(prj)
    return path


def test_a_shift_that_a_file_gives_is_made_and_that_nobody_vouches_for_it_is_told(tmp_path):
    border = read_border(with_prj(tmp_path / "line.shp", BESSEL.format("500,100,400,0,0,0,0")))
    for (lon, lat), got in zip(PLACE, border.coordinates, strict=True):
        assert got == pytest.approx(shifted(lon, lat, 6_377_397.155, 1 / 299.1528128, (500, 100, 400)), abs=1e-8)
    assert "nobody says how well that holds" in border.note
    same = read_border(with_prj(tmp_path / "same.shp", SATELLITE.format("0,0,0,0,0,0,0")))
    assert same.coordinates[0] == pytest.approx(PLACE[0], abs=1e-8)


@pytest.mark.parametrize(
    "prj",
    [BESSEL.format("0,0,0,0,0,0,0"), SATELLITE.replace(",TOWGS84[{}]", "")],
    ids=["a shift of nothing from another ellipsoid", "a datum of a name that nobody knows"],
)
def test_a_datum_that_is_only_taken_for_wgs_84_is_refused(tmp_path, prj):
    with pytest.raises(FormatError, match=r"nobody says how well|cannot be brought to WGS 84"):
        read_border(with_prj(tmp_path / "line.shp", prj))


def test_what_is_told_is_of_the_worst_place_of_a_line(tmp_path):
    """PROJ chooses a way for each place: NAD27 is known to 12 m in Alaska, to 7 m in Kansas."""
    line = ((-155.0, 65.0), (-100.0, 40.0))
    for number, points in enumerate((line, line[::-1])):
        border = read_border(file_in(tmp_path / f"{number}.gpkg", "EPSG:4267", points))
        assert border.note.endswith("which is known to 12 m")


def test_a_system_of_satellites_needs_no_entry(tmp_path):
    """China's CGCS2000 holds to WGS 84 by design; EPSG has no pair of the two."""
    border = read_border(file_in(tmp_path / "line.gpkg", "EPSG:4490", ((110.0, 30.0), (110.1, 30.0))))
    assert border.coordinates == ((110.0, 30.0), (110.1, 30.0))
    assert "taken for WGS 84" in border.note


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_measures_and_heights_of_vertices_are_passed_over_in_silence(tmp_path, suffix):
    line = shapely.from_wkt("LINESTRING ZM (-110.95 31.33 1200 0, -110.90 31.35 1250 9)")
    wkb = shapely.to_wkb(line, output_dimension=4, flavor="iso")
    path = file_in(tmp_path / f"line.{suffix}", "EPSG:4326", wkb=wkb, kind="Measured 3D LineString")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_border(path).coordinates == PLACE


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_what_only_has_the_name_of_a_map_file_is_not_opened(tmp_path, suffix):
    """GDAL would follow a description of a virtual file to whatever it names."""
    (tmp_path / "secret.geojson").write_text(
        '{"type": "Feature", "properties": {"own_side": "left"}, '
        '"geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}'
    )
    path = tmp_path / f"line.{suffix}"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>'
        f"{tmp_path / 'secret.geojson'}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(FormatError, match=r"is no (GeoPackage|Shapefile) inside"):
        read_border(path)
