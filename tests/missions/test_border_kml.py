"""KML and KMZ as Google Earth, phones and other programs save them."""

import zipfile

import pytest

from missions import BorderError, FormatError, read_border, read_borders

OWN = '<ExtendedData><Data name="own_side"><value>left</value></Data></ExtendedData>'
LINE = f"<Placemark><name>%s</name>{OWN}<LineString><coordinates>%s</coordinates></LineString></Placemark>"
PLACES = ((10.0, 46.0), (10.1, 46.1), (10.2, 46.0))
PLAIN = "10,46,0 10.1,46.1,0 10.2,46,0"


def document(inner, space="http://www.opengis.net/kml/2.2"):
    return f'<kml xmlns="{space}" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>{inner}</Document></kml>'


def kmz(path, *members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def kml(tmp_path, text):
    path = tmp_path / "line.kml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "coordinates",
    [
        "10,46,0 10.1,46.1,0 <!-- the river --> 10.2,46,0",
        "10,46,0 <?pi?> 10.1,46.1,0 10.2,46,0",
        "<!-- whole --><![CDATA[10,46,0 10.1,46.1,0 10.2,46,0]]>",
        "10, 46, 0 10.1 ,46.1 , 0\n10.2,\t46",
    ],
    ids=["comment", "instruction", "cdata", "blanks"],
)
def test_no_vertex_is_lost(tmp_path, coordinates):
    """A comment ended the text for the reader: the border was cut short there, and nobody was told."""
    assert read_border(kml(tmp_path, document(LINE % ("x", coordinates)))).coordinates == PLACES


@pytest.mark.parametrize(
    ("coordinates", "words"),
    [
        ("10,46,0,10.1,46.1,0 10.2,46,0", "vertex 0 is '10,46,0,10.1,46.1,0'"),
        ("10,46</coordinates><coordinates>11,46", "has 2 coordinates"),
        ("10,46 11", "vertex 1 is '11'"),
        ("10;46 11;46", "vertex 0 is '10;46'"),
    ],
)
def test_vertices_that_run_into_one_another_are_refused(tmp_path, coordinates, words):
    with pytest.raises(FormatError, match=words):
        read_border(kml(tmp_path, document(LINE % ("x", coordinates))))


@pytest.mark.parametrize(
    "space",
    [
        "http://earth.google.com/kml/2.0",
        "http://earth.google.com/kml/2.1",
        "http://earth.google.com/kml/2.2",
        "http://www.opengis.net/kml/2.3",
    ],
)
def test_namespaces_of_all_versions_are_read(tmp_path, space):
    folders = f"<Folder><name>a</name><Folder>{LINE % ('deep', PLAIN)}</Folder></Folder>"
    border = read_border(kml(tmp_path, document(folders, space)))
    assert (border.name, border.coordinates) == ("deep", PLACES)


@pytest.mark.parametrize("tag", ["gx:Track", "Track"])
@pytest.mark.parametrize("several", [False, True])
def test_a_border_that_was_walked_is_read_from_its_track(tmp_path, tag, several):
    """Of Google Earth and of KML 2.3; where there was no reception a coord is empty."""

    def track(*coords):
        prefix = tag.removesuffix("Track")
        inner = "".join(f"<{prefix}coord>{c}</{prefix}coord>" for c in coords)
        return f"<{tag}><when>2026-01-01T00:00:00Z</when>{inner}</{tag}>"

    # Two tracks, the second beginning where the first ends, are one line.
    halves = ("10 46 900", "", "10.1 46.1 910"), ("10.1 46.1 910", "10.2 46 905")
    inner = "".join(track(*half) for half in halves) if several else track(*halves[0], *halves[1])
    multi = f"<gx:MultiTrack>{inner}</gx:MultiTrack>" if several else inner
    mark = f"<Placemark><name>walk</name>{OWN}{multi}</Placemark>"
    border = read_border(kml(tmp_path, document(mark)))
    assert [p for n, p in enumerate(border.coordinates) if p != border.coordinates[n - 1]] == list(PLACES)


def test_a_track_that_is_none_is_refused(tmp_path):
    for inner, words in (("", "has no coord"), ("<gx:coord>10 x 5</gx:coord>", "coord 0 is '10,x,5'")):
        path = kml(tmp_path, document(f"<Placemark><name>walk</name>{OWN}<gx:Track>{inner}</gx:Track></Placemark>"))
        with pytest.raises(FormatError, match=words):
            read_border(path)


@pytest.mark.parametrize(
    "names",
    [
        ["files/legend.kml", "border.kml"],
        ["__MACOSX/._border.kml", "border.kml"],
        ["._border.kml", "border.kml"],
        ["a.kml", "DOC.KML"],
        ["files/a.png", "doc.kml"],
        ["sub/only.kml"],
    ],
)
def test_the_main_document_of_a_kmz_is_read(tmp_path, names):
    """The last of each list; what stands before it is no KML, or not the main one."""
    *others, main = names
    path = kmz(
        tmp_path / "a.kmz", *((name, b"\x00\x05\x16\x07") for name in others), (main, document(LINE % ("x", PLAIN)))
    )
    assert read_border(path).coordinates == PLACES


def test_a_file_of_links_says_where_the_lines_are(tmp_path):
    link = "<NetworkLink><Link><href>files/border.kml</href></Link></NetworkLink>"
    path = kmz(tmp_path / "a.kmz", ("doc.kml", document(link)), ("files/border.kml", document(LINE % ("x", PLAIN))))
    with pytest.raises(FormatError, match=r"links to 'files/border\.kml'"):
        read_border(path)
    assert read_border(kml(tmp_path, document(link + LINE % ("x", PLAIN)))).coordinates == PLACES


@pytest.mark.parametrize("coding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_every_coding_that_xml_names_is_read(tmp_path, coding):
    path = tmp_path / "line.kml"
    named = {"utf-16": "UTF-16", "utf-8-sig": "UTF-8", "iso-8859-1": "ISO-8859-1"}[coding]
    path.write_bytes((f'<?xml version="1.0" encoding="{named}"?>' + document(LINE % ("Grünau", PLAIN))).encode(coding))
    assert read_border(path).name == "Grünau"


def test_several_lines_are_named_and_a_polygon_asks_for_its_side(tmp_path):
    path = kml(tmp_path, document(LINE % ("north", PLAIN) + LINE % ("south", PLAIN)))
    with pytest.raises(FormatError, match=r"2 lines \(north, south\)"):
        read_border(path)
    assert [b.name for b in read_borders(path)] == ["north", "south"]
    ring = "<LinearRing><coordinates>10,46 10.1,46 10.1,46.1 10,46</coordinates></LinearRing>"
    path = kml(
        tmp_path,
        document(f"<Placemark><Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon></Placemark>"),
    )
    with pytest.raises(BorderError, match="'inside' or 'outside'"):
        read_border(path)
    assert read_border(path, "inside").is_ring
