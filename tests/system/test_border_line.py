"""What a patrol is planned for, its video is watched against: one file for both."""

import numpy as np
import pytest

import missions
from cli.border_line import border_line


@pytest.mark.parametrize("ending", ["kml", "kmz", "gpkg", "shp"])
def test_a_border_is_the_same_line_from_whatever_file(run, tmp_path, ending):
    """With its name, and its own side, without which every crossing would be told the wrong way round."""
    for name in ("border.geojson", f"border.{ending}"):
        assert run("border", "USA", "MEX", "--length", "5", "--out", tmp_path / name).code == 0
    by_json, other = (border_line(tmp_path / name) for name in ("border.geojson", f"border.{ending}"))
    assert (by_json.name, by_json.own_side) == (other.name, other.own_side)
    assert np.allclose(by_json.vertices, other.vertices, rtol=0, atol=1e-8)


def test_a_line_that_does_not_say_its_own_side_is_refused_until_it_is_told(tmp_path):
    (tmp_path / "line.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>line</name><LineString><coordinates>'
        "-110.97,31.333,0 -110.93,31.333,0</coordinates></LineString></Placemark></Document></kml>"
    )
    with pytest.raises(missions.MissionsError, match=r"own_side|own side"):
        border_line(tmp_path / "line.kml")
    told = border_line(tmp_path / "line.kml", "right")
    assert (told.own_side, len(told.vertices)) == ("right", 2)
    json_line = (
        '{"type": "Feature", "properties": {"name": "line"}, "geometry": {"type": "LineString", "coordinates": %s}}'
    )
    (tmp_path / "line.geojson").write_text(json_line % [list(vertex) for vertex in told.vertices])
    assert border_line(tmp_path / "line.geojson", "right") == told


def test_there_may_be_none():
    assert border_line(None) is None
