"""Map files of other programs, read for somebody who goes on drawing: what `read_borders` reads, and bombs are not."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

import missions
from missions import map_shapes

BORDER = missions.BorderSegment(
    "Evros", "GR", "TR", ((26.5, 41.0), (26.6, 41.1), (26.6, 41.2)), "left", authority="Border Watch", stand_off_m=300
)
ZONE = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>range</name><ExtendedData><Data name="kind"><value>{kind}</value></Data></ExtendedData>
<Polygon><extrude>1</extrude><altitudeMode>absolute</altitudeMode><outerBoundaryIs><LinearRing>
<coordinates>0,0,90 1,0,60 1,1,60 0,0,90</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
<Placemark><name>hut</name><Point><coordinates>0.5,0.25</coordinates></Point></Placemark></Document></kml>"""


def zipped(folder: Path, inside: str = "") -> Path:
    """The Shapefile of a folder as one zip."""
    path = folder / "zipped"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.glob("border.*"):
            archive.write(part, inside + part.name)
        archive.writestr("__MACOSX/._border.shp", b"of the finder")
    return path


@pytest.mark.parametrize("suffix", [".kml", ".kmz", ".gpkg", ".shp"])
def test_a_border_is_the_same_in_every_format_whatever_the_file_is_called(tmp_path, suffix):
    path = tmp_path / f"border{suffix}"
    missions.write_borders([BORDER], path)
    if suffix == ".shp":
        path = zipped(tmp_path, "maps/")
    elif suffix != ".gpkg":  # of which GDAL notes that it is called otherwise
        path = path.rename(tmp_path / "map file")
    read = missions.read_map_shapes(path)
    (line,) = read["features"]
    missions.files.write_json(tmp_path / "border.geojson", line)
    assert missions.read_border(tmp_path / "border.geojson") == BORDER
    assert read["notes"] == []


@pytest.mark.parametrize(("kind", "ceiling_m"), [("no_fly", 90.0), ("limits", 60.0)])
def test_an_area_that_is_extruded_has_the_ceiling_that_the_reader_of_airspace_gives_it(tmp_path, kind, ceiling_m):
    (tmp_path / "range.kml").write_text(ZONE.format(kind=kind))
    area, hut = missions.read_map_shapes(tmp_path / "range.kml")["features"]
    assert area["properties"] == {"name": "range", "kind": kind, "ceiling_m": ceiling_m, "ceiling_datum": "AMSL"}
    assert hut == {
        "type": "Feature",
        "properties": {"name": "hut"},
        "geometry": {"type": "Point", "coordinates": [0.5, 0.25]},
    }
    missions.files.write_json(tmp_path / "zone.geojson", {"type": "FeatureCollection", "features": [area]})
    (zone,) = missions.read_airspace(tmp_path / "zone.geojson").zones
    assert zone.ceiling.metres == ceiling_m


def test_all_layers_of_a_geopackage_are_read_in_degrees_with_their_holes_and_words_of_ours(tmp_path):
    path = tmp_path / "all.gpkg"
    columns = [np.array(["x"], dtype=object), np.array([7])]
    square = shapely.box(500_000, 4_500_000, 501_000, 4_501_000)
    holed = square.difference(shapely.box(500_400, 4_500_400, 500_600, 4_500_600))
    for layer, shape, more in (
        ("line", shapely.LineString([(26.5, 41.0), (26.6, 41.1)]), {"crs": "EPSG:4326", "geometry_type": "LineString"}),
        ("area", holed, {"crs": "EPSG:32635", "geometry_type": "Polygon", "append": True}),
    ):
        pyogrio.raw.write(
            str(path),
            shapely.to_wkb(np.array([shape])),
            columns,
            ["name", "colour"],
            layer=layer,
            driver="GPKG",
            **more,
        )
    line, area = missions.read_map_shapes(path)["features"]
    assert line["geometry"]["coordinates"] == [[26.5, 41.0], [26.6, 41.1]]
    assert line["properties"] == area["properties"] == {"name": "x"}
    outer, hole = map(shapely.Polygon, area["geometry"]["coordinates"])
    assert outer.contains(hole)
    assert 26.99 < outer.bounds[0] < 27.01  # the central meridian of zone 35


def test_what_is_damaged_absent_or_of_another_kind_is_refused_and_says_why(tmp_path):
    missions.write_borders([BORDER], tmp_path / "border.shp")
    whole = zipped(tmp_path)
    (tmp_path / "border.shx").unlink()
    for data, why in {
        whole.read_bytes()[:-40]: "not a whole zip",
        zipped(tmp_path).read_bytes(): ".shx is absent",
        b'{"type": "FeatureCollection"}': "GeoJSON needs no conversion",
        b"SQLite format 3\0 and no more": "cannot be read by GDAL",
        b"<kml/>": "has no line, polygon or point",
        ZONE.replace("Polygon", "Model")
        .replace("LinearRing", "Ring")
        .format(kind="no_fly")
        .encode(): "has no geometry that is understood",
    }.items():
        (tmp_path / "map").write_bytes(data)
        with pytest.raises(missions.FormatError, match=why) as refused:
            missions.read_map_shapes(tmp_path / "map")
        assert "/vedette-" not in str(refused.value)


def test_of_a_small_zip_that_unpacks_to_much_no_more_than_the_limit_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(map_shapes, "LARGEST", 1 << 20)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 900_000)
        archive.writestr("a.dbf", b"\0" * 900_000)
    (tmp_path / "map").write_bytes(out.getvalue())
    with pytest.raises(missions.FormatError, match="more than 1 MiB"):
        missions.read_map_shapes(tmp_path / "map")


def test_a_zip_of_two_shapefiles_is_refused_since_nobody_can_say_which_is_meant(tmp_path):
    with zipfile.ZipFile(tmp_path / "map", "w") as archive:
        for name in ("a.shp", "b.shp"):
            archive.writestr(name, b"")
    with pytest.raises(missions.FormatError, match="holds 2 Shapefiles"):
        missions.read_map_shapes(tmp_path / "map")
