"""Missions as KML: back without loss, valid, read by another library, and refused where they were edited."""

import math
import re
import zipfile
from dataclasses import replace

import pytest
from fastkml import KML
from fastkml.validator import validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pyproj import Geod

from geo import FlatTerrain
from missions import (
    FormatError,
    Mission,
    MissionItem,
    compile_mission,
    plan,
    read_border,
    read_borders,
    read_mission_kml,
    write_border,
    write_mission_kml,
    write_plan_folder,
    write_plan_kml,
)
from tests.missions.helpers import fleet_for, straight
from tests.missions.mission_strategies import home_of, missions

K = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def made():
    border = straight(12_000)
    return plan(border, fleet_for(border, 2), FlatTerrain(1180.0))


@pytest.fixture
def mission(made):
    return compile_mission(made, made.sorties[0])


@pytest.fixture
def written(mission, tmp_path):
    path = tmp_path / "a.kml"
    write_mission_kml(mission, path, 1180.0)
    return path


def read_by_fastkml(path):
    """Its document, and the features in it by their names: it groups them by type, not as they stand."""
    document = KML.parse(path).features[0]
    return document, {feature.name: feature for feature in document.features}


any_mission = missions(frames=(0, 3, 5, 6, 10, 11), fences=(5001, 5002), most_fences=3, rally_frames=(0, 3, 6, 10))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mission=any_mission, ending=st.sampled_from(["kml", "kmz"]))
def test_every_figure_of_any_mission_comes_back(tmp_path_factory, mission, ending):
    path = tmp_path_factory.mktemp("kml") / f"a.{ending}"
    write_mission_kml(mission, path, home_of(mission))
    # NaN is not equal to itself; its text is.
    assert repr(read_mission_kml(path)) == repr(mission)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mission=any_mission)
def test_any_mission_is_valid_by_the_schema_of_the_ogc(tmp_path_factory, mission):
    """The order of elements, their types and ids: a KML that was not valid has crashed a ground station."""
    path = tmp_path_factory.mktemp("kml") / "a.kml"
    write_mission_kml(mission, path, home_of(mission))
    assert validate(file_to_validate=path)


@pytest.mark.parametrize("dialect", ["ardupilot", "px4"])
def test_another_library_reads_it_and_what_it_saves_comes_back(made, tmp_path, dialect):
    mission = compile_mission(made, made.sorties[0], dialect)
    path = tmp_path / "a.kml"
    write_mission_kml(mission, path, 1180.0)
    document, shown = read_by_fastkml(path)
    assert document.name == mission.name
    way, fence = shown["way"], shown["fence: keep in"]
    flown = [i for i in mission.items if i.command in {16, 22}]
    heights = [i.z if i.frame == 0 else i.z + 1180.0 for i in flown]
    assert list(way.geometry.coords) == [
        pytest.approx((i.y / 1e7, i.x / 1e7, h)) for i, h in zip(flown, heights, strict=True)
    ]
    assert way.kml_geometry.altitude_mode.value == "absolute"
    corners = list(fence.geometry.exterior.coords)
    assert corners[0] == corners[-1]
    assert [c[:2] for c in corners[:-1]] == [pytest.approx((v.y / 1e7, v.x / 1e7)) for v in mission.fence]
    assert [p.geometry.coords[0] for p in shown["rally points"].features] == [
        pytest.approx((r.y / 1e7, r.x / 1e7, r.z + 1180.0)) for r in mission.rally
    ]
    types = {f.name: f.type_.value for f in document.schemata[1].fields}
    assert (types["p1"], types["x"], types["autocontinue"]) == ("double", "int", "bool")
    (tmp_path / "b.kml").write_text(KML(features=[document]).to_string(prettyprint=True))
    assert repr(read_mission_kml(tmp_path / "b.kml")) == repr(mission)


def test_a_way_with_heights_above_terrain_claims_no_heights_above_the_sea(tmp_path):
    items = tuple(MissionItem(n, f, 16, x=46 * 10**7 + n, y=8 * 10**7, z=50.0) for n, f in enumerate((6, 10)))
    write_mission_kml(Mission("a", "px4", items, (), ()), tmp_path / "a.kml", 700.0)
    _, shown = read_by_fastkml(tmp_path / "a.kml")
    assert shown["way"].kml_geometry.altitude_mode.value == "clampToGround"
    first, second = shown["items"].features
    assert (first.kml_geometry.altitude_mode.value, first.geometry.z) == ("absolute", 750.0)
    assert (second.kml_geometry.altitude_mode.value, second.geometry.z) == ("relativeToGround", 50.0)


def test_here_is_no_place(tmp_path):
    """A take-off or landing at 0, 0 means where the aircraft is, not the Gulf of Guinea."""
    items = (
        MissionItem(0, 6, 22, z=30.0),
        MissionItem(1, 6, 16, x=460000000, y=80000000, z=50.0),
        MissionItem(2, 6, 16, x=460010000, y=80000000, z=50.0),
        MissionItem(3, 3, 178, p2=12.0),
        MissionItem(4, 6, 21),
    )
    path = tmp_path / "a.kml"
    write_mission_kml(Mission("a", "px4", items, (), ()), path, 0.0)
    assert " 0.0,0.0" not in path.read_text()
    _, shown = read_by_fastkml(path)
    assert len(list(shown["way"].geometry.coords)) == 2
    assert read_mission_kml(path).items == items


def test_a_circle_of_a_fence_is_drawn_at_its_radius(tmp_path):
    circle = MissionItem(0, 0, 5004, p1=250.0, x=600000000, y=1799990000)
    item = MissionItem(0, 6, 16, x=600000000, y=1799990000, z=50.0)
    path = tmp_path / "a.kml"
    mission = Mission("a", "px4", (item,), (circle,), ())
    write_mission_kml(mission, path, 0.0)
    _, shown = read_by_fastkml(path)
    ring = shown["fence: keep out"].geometry.exterior.coords
    geod = Geod(ellps="WGS84")
    for lon, lat, *_ in ring:
        assert geod.inv(179.999, 60.0, lon, lat)[2] == pytest.approx(250.0, abs=0.02)
    assert read_mission_kml(path) == mission


# What was edited.


def _moved(root, tag, nth=0, by=0.001):
    found = list(root.iter(f"{K}{tag}"))[nth].find(f".//{K}coordinates")
    first, *rest = found.text.split()
    lon, *more = first.split(",")
    found.text = " ".join([",".join([repr(float(lon) + by), *more]), *rest])


def _raised(root):
    found = next(root.iter(f"{K}LineString")).find(f"{K}coordinates")
    found.text = found.text.replace(",1270.0", ",1300.0", 1)


def _figure(root, name, text, nth=3):
    list(root.iterfind(f".//{K}SimpleData[@name='{name}']"))[nth].text = text


def _dropped(root, xpath, nth=0):
    found = root.findall(xpath)[nth]
    found.getparent().remove(found)


def _doubled(root):
    mark = root.findall(f".//{K}Folder/{K}Placemark")[2]
    mark.addnext(etree.fromstring(etree.tostring(mark)))


def _pinned(root):
    pin = "<Placemark><name>mine</name><Point><coordinates>8,46</coordinates></Point></Placemark>"
    root[0].append(etree.fromstring(pin))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda r: _moved(r, "LineString"), "way 0: shows .*LineString.* one of the two was edited"),
        (lambda r: _moved(r, "Polygon"), "fence 0: shows"),
        (lambda r: _moved(r, "Point", 0), "item 0: shows"),
        (lambda r: _moved(r, "Point", -1), "rally_point 1: shows"),
        (lambda r: _moved(r, "Point", -1, 1e-6), "rally_point 1: shows"),
        (_raised, "way 0: shows"),
        (lambda r: _figure(r, "x", "460000001"), "item 3|way 0|item 4"),
        (lambda r: _figure(r, "z", "12.0", 1), "item 1: shows|way 0"),
        (lambda r: _figure(r, "home_amsl_m", "1100.0", 0), "home is at 1180 m"),
        (lambda r: _figure(r, "z", "1179", 0), "home is at 1179 m"),
        (lambda r: _figure(r, "seq", "77", 5), "items: number 3 is missing of 15"),
        (lambda r: _figure(r, "frame", "two"), "frame is 'two': give a value of type int"),
        (lambda r: _figure(r, "p1", "x"), "p1 is 'x'"),
        (lambda r: _figure(r, "p1", "inf"), "p1 is infinite"),
        (lambda r: _figure(r, "autocontinue", "2"), "autocontinue is '2'"),
        (lambda r: _figure(r, "command", "99999"), "command is 99999"),
        (lambda r: _figure(r, "p1", "7", 15), "polygon of 7 vertices"),
        (lambda r: _figure(r, "version", "2", 0), "mission version '2'"),
        (lambda r: _figure(r, "dialect", "betaflight", 0), "ardupilot, px4"),
        (lambda r: _figure(r, "kind", "other", 0), "way 0: shows nothing|other 0: shows"),
        (lambda r: _dropped(r, f".//{K}SimpleData[@name='p3']"), "has no p3"),
        (lambda r: _dropped(r, f".//{K}LineString"), "way 0: shows nothing"),
        (lambda r: _dropped(r, f".//{K}Document/{K}Placemark", 1), "fence 0: shows nothing"),
        (lambda r: _dropped(r, f".//{K}Folder/{K}Placemark", 2), "items: number 2 is missing"),
        (lambda r: _dropped(r, f".//{K}Folder/{K}Placemark", -1), "rally: number 1 is missing of 2"),
        (lambda r: _dropped(r, f".//{K}LineString/{K}altitudeMode"), "shows a clampToGround LineString"),
        (_doubled, "is there twice"),
        (_pinned, "'mine': has no kind"),
    ],
)
def test_an_edited_file_is_refused_and_says_where(written, edit, words):
    tree = etree.parse(written)
    edit(tree.getroot())
    tree.write(written)
    with pytest.raises(FormatError, match=words):
        read_mission_kml(written)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_moved_vertex_goes_unseen(written, data):
    tree = etree.parse(written)
    found = list(tree.getroot().iter(f"{K}coordinates"))
    element = data.draw(st.sampled_from(found))
    vertices = element.text.split()
    n = data.draw(st.integers(0, len(vertices) - 1))
    cells = vertices[n].split(",")
    k = data.draw(st.integers(0, len(cells) - 1))
    by = data.draw(st.sampled_from([-1, 1])) * data.draw(st.floats(3e-7, 90.0) if k < 2 else st.floats(0.05, 1e4))
    cells[k] = repr(float(cells[k]) + by)
    element.text = " ".join([*vertices[:n], ",".join(cells), *vertices[n + 1 :]])
    other = written.with_name("edited.kml")
    tree.write(other)
    with pytest.raises(FormatError, match="one of the two was edited"):
        read_mission_kml(other)


def test_an_edit_of_both_sides_is_a_new_mission(mission, written):
    old, new = mission.rally[1], replace(mission.rally[1], y=mission.rally[1].y + 10_000)
    text = written.read_text().replace(f">{old.y}<", f">{new.y}<").replace(f">{old.y / 1e7!r},", f">{new.y / 1e7!r},")
    written.write_text(text)
    assert read_mission_kml(written).rally[1] == new


# What is no mission.


def test_lines_of_others_are_no_mission_and_a_mission_is_no_border(made, written, tmp_path):
    write_border(made.border, tmp_path / "border.kml")
    write_plan_kml(made, tmp_path / "plan.kml")
    line = "<LineString><coordinates>8,46,500 8.1,46,500</coordinates></LineString>"
    (tmp_path / "track.kml").write_text(f"<kml><Placemark>{line}</Placemark></kml>")
    for name in ("border.kml", "plan.kml", "track.kml"):
        with pytest.raises(FormatError, match="it is a border, an area or a track, not a mission"):
            read_mission_kml(tmp_path / name)
    for read in (read_border, read_borders):
        with pytest.raises(FormatError, match="none a border"):
            read(written, "left")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<kml/>", "has no mission in it"),
        (b"", "is not XML"),
        (b"PK\x03\x04", "not a whole KMZ"),
        (b"<!DOCTYPE kml [<!ENTITY a 'b'>]><kml>&a;</kml>", "DOCTYPE"),
    ],
)
def test_a_file_that_is_none_says_so(tmp_path, data, words):
    (tmp_path / "a.kml").write_bytes(data)
    with pytest.raises(FormatError, match=words):
        read_mission_kml(tmp_path / "a.kml")


def test_two_missions_in_one_file_are_one_too_many(written):
    tree = etree.parse(written)
    tree.getroot().append(etree.fromstring(etree.tostring(tree.getroot()[0])))
    tree.write(written)
    with pytest.raises(FormatError, match="has 2 missions"):
        read_mission_kml(written)


def test_a_mission_packed_by_another_zip_is_read(mission, written, tmp_path):
    with zipfile.ZipFile(tmp_path / "b.kmz", "w", zipfile.ZIP_STORED) as archive:
        archive.write(written, "files/mission.kml")
    assert read_mission_kml(tmp_path / "b.kmz") == mission


def _with(mission, which, n, **fields):
    items = list(getattr(mission, which))
    items[n] = replace(items[n], **fields)
    return replace(mission, **{which: tuple(items)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: _with(m, "items", 3, seq=9), "items: item 3: seq is 9"),
        (lambda m: _with(m, "items", 4, p2=math.inf), "items: item 4: p2 is infinite"),
        (lambda m: _with(m, "items", 1, x=950_000_000), "within ±90"),
        (lambda m: _with(m, "items", 0, z=900.0), "home is at 900 m AMSL in item 0 and at 1180 m"),
        (lambda m: _with(m, "items", 0, z=math.nan), "home is at nan m"),
        (lambda m: _with(m, "fence", 1, p1=len(m.fence) + 1.0), "vertices that do not follow"),
        (lambda m: _with(m, "fence", 1, command=5002), "vertices that do not follow"),
        (lambda m: _with(m, "fence", 0, command=16), "command 16 belongs to no fence"),
        (lambda m: _with(m, "fence", 0, frame=2), "frame 2 has no latitude"),
        (lambda m: _with(m, "fence", 0, command=5003, p1=0.0), "circle of radius 0"),
        (lambda m: replace(m, fence=m.fence[:-1]), "do not follow"),
        (lambda m: replace(m, name="a\x00b"), "character that XML cannot hold"),
    ],
)
def test_a_mission_that_cannot_be_shown_is_not_written(mission, tmp_path, change, words):
    with pytest.raises(FormatError, match=re.escape(words)):
        write_mission_kml(change(mission), tmp_path / "a.kml", 1180.0)
    assert not list(tmp_path.iterdir())


def test_home_without_a_height_is_refused(made, tmp_path):
    with pytest.raises(FormatError, match="home_amsl_m is nan"):
        write_mission_kml(compile_mission(made, made.sorties[0], "px4"), tmp_path / "a.kml", math.nan)


def test_the_folder_of_a_plan_has_every_mission(made, tmp_path):
    names = write_plan_folder(made, tmp_path)
    for sortie in made.sorties:
        path = tmp_path / f"{sortie.name}.kml"
        assert path in names
        assert read_mission_kml(path) == compile_mission(made, sortie)
